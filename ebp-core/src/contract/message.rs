//! Messages: what a household says is wrong with what is registered or measured, and the answers.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MessageAbout {
    /// Name and e-mail address.
    Contact,
    /// The address or the location.
    Address,
    /// The answers to the registration form.
    Answers,
    /// A meter.
    Meter,
    /// A photovoltaic system.
    PvSystem,
    /// A measurement device.
    Device,
    /// What was measured.
    Measurements,
    /// Consent, and what happens to the data.
    Consent,
    /// Anything else.
    Other,
}

impl MessageAbout {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Contact,
        Self::Address,
        Self::Answers,
        Self::Meter,
        Self::PvSystem,
        Self::Device,
        Self::Measurements,
        Self::Consent,
        Self::Other,
    ];

    /// Its name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Address => "address",
            Self::Answers => "answers",
            Self::Meter => "meter",
            Self::PvSystem => "pv-system",
            Self::Device => "device",
            Self::Measurements => "measurements",
            Self::Consent => "consent",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for MessageAbout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name of nothing that messages are about.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("messages are not about this")]
pub struct UnknownMessageAbout;

impl FromStr for MessageAbout {
    type Err = UnknownMessageAbout;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|about| about.name() == text).ok_or(UnknownMessageAbout)
    }
}

/// What somebody writes or answers, maybe in several lines. It has no `Debug`: what people write is
/// private.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageText(pub String);

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for MessageText {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::{ObjectBuilder, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("What is written or answered; it may have several lines"))
            .min_length(Some(1))
            .max_length(Some(2000))
            .pattern(Some(crate::plain_text::LINES))
            .examples(["The second meter was exchanged on 3 May."])
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for MessageText {}

impl From<String> for MessageText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// `POST /household/message`. It has no `Debug`: what people write is private.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// What it is about.
    pub about: MessageAbout,
    /// What is wrong.
    pub text: MessageText,
}

/// `POST /management/message/{uuid}/answer`. It has no `Debug`, as [`NewMessage`] has none.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MessageAnswer {
    /// What the household is answered.
    pub text: MessageText,
}

/// A message with its answer. Its `Debug` shows no text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Message {
    /// Its identifier.
    pub uuid: Uuid,
    /// The household that wrote it.
    pub household: Uuid,
    /// What it is about.
    pub about: MessageAbout,
    /// What is wrong.
    pub text: String,
    /// When it was written.
    pub written_at: Timestamp,
    /// What the household was answered.
    pub answer: Option<String>,
    /// When it was answered or closed without an answer; absent while it is open.
    pub closed_at: Option<Timestamp>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("uuid", &self.uuid)
            .field("about", &self.about)
            .field("closed_at", &self.closed_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_json() {
        for about in MessageAbout::ALL {
            assert_eq!(about.to_string().parse(), Ok(about));
            assert_eq!(serde_json::to_value(about).unwrap(), about.name());
        }
        assert_eq!("weather".parse::<MessageAbout>(), Err(UnknownMessageAbout));
    }

    #[test]
    fn debug_shows_no_text() {
        let message = Message {
            uuid: Uuid::nil(),
            household: Uuid::nil(),
            about: MessageAbout::Meter,
            text: "it is in the cellar".into(),
            written_at: Timestamp::UNIX_EPOCH,
            answer: Some("thank you".into()),
            closed_at: None,
        };
        let shown = format!("{message:?}");
        assert!(!shown.contains("cellar") && !shown.contains("thank"), "{shown}");
    }
}
