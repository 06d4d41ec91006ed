//! The types of an error and its causes, by name: never what they say.
//!
//! A cause is a trait object, whose type has no name. What `derive(Debug)` writes first is one: the name
//! of the type or the variant. Only that much of `Debug` is ever formatted, and it is dropped unless it
//! has the form of such a name.

use std::{
    any,
    error::Error,
    fmt::{self, Debug, Write},
};

/// The longest name that is taken, bytes.
const LONGEST: usize = 80;

/// Of how many causes the types are named.
const MOST_CAUSES: usize = 8;

/// What stands for a type whose name is not known.
const UNKNOWN: &str = "Error";

/// The types of an error and of its causes, the error's own first: such as `SpoolError::Full`.
#[must_use]
pub fn error_types<E: Error + ?Sized>(error: &E) -> Vec<String> {
    let own = short_name(any::type_name::<E>());
    let first = match (own, variant(error, &error)) {
        (Some(own), Some(variant)) if own != variant => format!("{own}::{variant}"),
        (Some(own), _) => own,
        (None, Some(variant)) => variant,
        (None, None) => UNKNOWN.to_owned(),
    };
    let mut types = vec![first];
    let mut cause = error.source();
    while let Some(error) = cause.filter(|_| types.len() < MOST_CAUSES) {
        types.push(cause_type(error));
        cause = error.source();
    }
    types
}

/// The last part of a type's name, such as `SpoolError`; none for texts and trait objects.
#[must_use]
pub fn type_name<T: ?Sized>() -> Option<String> {
    short_name(any::type_name::<T>())
}

fn short_name(full: &str) -> Option<String> {
    let plain = full.trim_start_matches('&');
    if plain.starts_with("dyn ") || plain.ends_with("str") || plain.ends_with("fmt::Arguments") {
        return None;
    }
    // Of `Box<SpoolError>` and the like the outer type is enough.
    let outer = plain.split('<').next().unwrap_or(plain);
    let name = outer.rsplit("::").next().unwrap_or(outer);
    (is_name(name) && name != "String").then(|| name.to_owned())
}

fn cause_type(error: &(dyn Error + 'static)) -> String {
    if let Some(error) = error.downcast_ref::<std::io::Error>() {
        return format!("io::Error::{:?}", error.kind());
    }
    variant(error, &error).unwrap_or_else(|| UNKNOWN.to_owned())
}

/// What `derive(Debug)` writes first, if that is what wrote it.
fn variant<E: Error + ?Sized>(error: &E, debug: &dyn Debug) -> Option<String> {
    let mut head = Head(String::new());
    // It ends with an error as soon as there is enough.
    let is_whole = write!(head, "{debug:?}").is_ok();
    let text = head.0;
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "_:".contains(c)));
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let name = name.rsplit("::").next().unwrap_or(name);
    let is_derived = match rest.as_bytes() {
        [] => is_whole && error.to_string() != text,
        [b'(', ..] | [b' ', b'{', ..] => true,
        _ => false,
    };
    (is_derived && is_name(name)).then(|| name.to_owned())
}

/// Whether it can be the name of a type or a variant.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.len() <= LONGEST
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Takes the beginning of what is written, and refuses the rest.
struct Head(String);

impl Write for Head {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = LONGEST.saturating_sub(self.0.len());
        let end = text.floor_char_boundary(room.min(text.len()));
        self.0.push_str(&text[..end]);
        if end < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Sample {
        #[error("{0} is full")]
        Full(String),
        #[error("no")]
        Nothing,
        #[error("{path} cannot be read")]
        File { path: String, source: io::Error },
        #[error(transparent)]
        Other(Box<dyn Error + Send + Sync>),
    }

    /// Shows its content, as a careless `Debug` does.
    struct Careless(&'static str);

    impl Debug for Careless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl fmt::Display for Careless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Careless {}

    #[test]
    fn types_and_variants_are_named_and_nothing_else() {
        assert_eq!(error_types(&Sample::Full("Erika".into())), ["Sample::Full"]);
        assert_eq!(error_types(&Sample::Nothing), ["Sample::Nothing"]);
        let source = io::Error::new(io::ErrorKind::NotFound, "Erika");
        let error = Sample::File { path: "/home/erika".into(), source };
        assert_eq!(error_types(&error), ["Sample::File", "io::Error::NotFound"]);
        let dynamic: &dyn Error = &error;
        assert_eq!(error_types(dynamic), ["File", "io::Error::NotFound"]);
        assert_eq!(error_types(&Box::new(error)), ["Box::File", "io::Error::NotFound"]);
    }

    #[test]
    fn what_shows_its_content_has_no_name() {
        for text in ["Erika", "Erika Beispiel", "erika@example.org", "12345", ""] {
            assert_eq!(error_types(&Careless(text)), ["Careless"], "{text}");
            let dynamic: &dyn Error = &Careless(text);
            assert_eq!(error_types(dynamic), [UNKNOWN], "{text}");
            let boxed: Box<dyn Error + Send + Sync> = text.into();
            assert_eq!(error_types(&*boxed), [UNKNOWN], "{text}");
            assert_eq!(error_types(&Sample::Other(boxed)), ["Sample::Other"], "{text}");
        }
        assert_eq!(type_name::<String>(), None);
        assert_eq!(type_name::<&str>(), None);
        assert_eq!(type_name::<Sample>().as_deref(), Some("Sample"));
    }
}
