//! A message to the researchers as it is entered: kept, cleaned, and held against what the server
//! takes.
//!
//! Enters: what was typed. Leaves: the message, or its faults by field. Absent: sending it; the
//! text never reaches a log.

use std::collections::BTreeMap;

use ebp_core::{
    contract::{MessageAbout, NewMessage},
    plain_text::remove_hidden,
};

use crate::kit::{form::Fields, language::Language, number};

/// The longest message, characters.
const LONGEST: usize = 2000;

/// The faults of a message, by field.
pub type FieldFaults = BTreeMap<&'static str, String>;

/// What was entered into the form. It has no `Debug`: what people write is private.
#[derive(Clone, Default)]
pub struct MessageDraft {
    /// The name of what it is about.
    pub about: String,
    /// The text as it was typed.
    pub text: String,
}

impl MessageDraft {
    /// What a form has, whose fields `get` gives.
    pub fn read<'a>(get: impl Fn(&str) -> &'a str) -> Self {
        let [about, text] = ["about", "text"].map(|name| get(name).to_owned());
        Self { about, text }
    }

    /// What a form has; none if nothing was written.
    #[must_use]
    pub fn of_fields(fields: &Fields) -> Option<Self> {
        Some(Self::read(|name| fields.get(name))).filter(|draft| !draft.text.trim().is_empty())
    }

    /// What it is about, if that is known.
    #[must_use]
    pub fn subject(&self) -> Option<MessageAbout> {
        self.about.parse().ok()
    }

    /// The message.
    ///
    /// # Errors
    /// Returns its faults by field.
    pub fn message(&self, language: Language) -> Result<NewMessage, FieldFaults> {
        let mut faults = FieldFaults::new();
        let text = cleaned(&self.text);
        if text.trim().is_empty() {
            faults.insert("text", language.say("message-empty"));
        }
        let length = text.chars().count();
        if length > LONGEST {
            let length = number::number(language, length.into(), 0);
            faults.insert("text", language.say_with("message-long", [("count", length.into())]));
        }
        match self.subject() {
            Some(about) if faults.is_empty() => Ok(NewMessage { about, text: text.into() }),
            Some(_) => Err(faults),
            None => {
                faults.insert("about", language.say("message-about-missing"));
                Err(faults)
            }
        }
    }
}

/// A text without what the server does not take: people paste what keyboards cannot type. Ends of
/// lines stay ends of lines, and a tab keeps words apart.
fn cleaned(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', " ");
    lines.split('\n').map(remove_hidden).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(about: &str, text: &str) -> Result<String, Vec<&'static str>> {
        let draft = MessageDraft { about: about.to_owned(), text: text.to_owned() };
        let message = draft.message(Language::De);
        message.map(|message| message.text.0).map_err(|faults| faults.into_keys().collect())
    }

    #[test]
    fn control_characters_do_not_join_words() {
        assert_eq!(read("meter", "Bezug\t123").as_deref(), Ok("Bezug 123"));
        assert_eq!(read("meter", "a\r\nb\rc\nd\u{7}\u{85}e").as_deref(), Ok("a\nb\nc\nde"));
    }

    #[test]
    fn faults_are_those_of_what_would_be_sent() {
        for empty in ["", " \u{a0}", "\t\r\n", "\u{1}\u{2}\u{9f}"] {
            assert_eq!(read("meter", empty), Err(vec!["text"]), "{empty:?}");
        }
        assert_eq!(read("weather", "\u{1}"), Err(vec!["about", "text"]));
        assert_eq!(read("", "a"), Err(vec!["about"]));
        assert_eq!(read("meter", &"ä".repeat(2001)), Err(vec!["text"]));
        let whole = "ä\r\n".repeat(1000);
        assert_eq!(read("meter", &format!("{whole}\u{1}")).map(|text| text.len()), Ok(3000));
    }
}
