//! Whatever an error says or shows, a report does not repeat it.

use std::{error::Error, fmt};

use ebp_errors::{Component, Folder, Release, Report, error_types};
use proptest::prelude::*;

use super::{at, transmission};
use ebp_testkit::receiver::Receiver;

/// An error that shows its content in each way there is, as does its cause.
struct Careless {
    content: String,
    cause: Option<Box<Self>>,
}

impl fmt::Debug for Careless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.content)
    }
}

impl fmt::Display for Careless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.content)
    }
}

impl Error for Careless {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

fn careless(content: &str) -> Careless {
    let cause = Careless { content: content.to_owned(), cause: None };
    Careless { content: content.to_owned(), cause: Some(Box::new(cause)) }
}

/// What is told apart from a name by its form alone would pass: it has to look like a variant with its
/// fields, which no error of this project or of its libraries makes of a value.
fn has_the_form_of_a_variant(content: &str) -> bool {
    let end = content.find(|c: char| !(c.is_ascii_alphanumeric() || "_:".contains(c)));
    end.is_some_and(|end| {
        end > 0 && (content[end..].starts_with('(') || content[end..].starts_with(" {"))
    })
}

proptest! {
    #[test]
    fn no_content_becomes_a_type(content in ".{0,120}") {
        prop_assume!(!has_the_form_of_a_variant(&content));
        let types = error_types(&careless(&content));
        prop_assert_eq!(types, ["Careless", "Error"]);
    }
}

#[test]
fn no_canary_arrives() {
    let (receiver, folder) = (Receiver::start(), tempfile::tempdir().unwrap());
    let own = Folder::new(folder.path().to_owned());
    let release = Release { version: "1.2.3", component: Component::Page, device: None };
    let canaries =
        ["Erika Canary", "canary@example.org", "Canarystreet 5", "1EMH0012345678", "192.0.2.77"];
    for (second, canary) in canaries.iter().enumerate() {
        let second = i64::try_from(second).unwrap();
        own.admit(&Report::from_error(&careless(canary)), &release, true, at(second)).unwrap();
        let io = std::io::Error::other(*canary);
        own.admit(&Report::from_error(&io), &release, true, at(second)).unwrap();
    }
    let mut sending = transmission(&receiver, folder.path());
    while sending.step(at(60)) == ebp_errors::Step::Sent {}
    let received = receiver.received();
    assert_eq!(received.len(), 2 * canaries.len());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    for received in received {
        let whole = format!("{}{}", received.head, String::from_utf8_lossy(&received.body));
        for canary in canaries {
            assert!(!whole.contains(canary), "{whole}");
        }
        let host = host.trim();
        assert!(host.len() < 5 || !whole.contains(host), "{whole}");
        assert!(whole.contains("\"server_name\":\"\""), "{whole}");
    }
}
