//! One error, in the only terms that leave the machine.

use std::{collections::BTreeMap, error::Error, panic::Location};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{origin::Place, stack::Frame, types::error_types};

/// The part of the program that an error occurred in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Component {
    /// `ebp read`.
    Measuring,
    /// `ebp transmit`.
    Sending,
    /// `ebp serve device`.
    Page,
    /// `ebp tunnel`.
    Tunnel,
    /// The updater of a device.
    Updater,
    /// `ebp serve`.
    Server,
    /// A server's jobs.
    Jobs,
    /// Any other command.
    Command,
}

impl Component {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measuring => "measuring",
            Self::Sending => "sending",
            Self::Page => "page",
            Self::Tunnel => "tunnel",
            Self::Updater => "updater",
            Self::Server => "server",
            Self::Jobs => "jobs",
            Self::Command => "command",
        }
    }

    /// The part of a device of that name which has a ledger of its own, since it runs as another user
    /// than those that share one.
    #[must_use]
    pub(crate) fn with_own_ledger(name: &str) -> Option<Self> {
        [Self::Page, Self::Updater].into_iter().find(|component| component.name() == name)
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something failed.
    Error,
    /// A thread ended by a panic.
    Fatal,
}

/// An error as it is reported. No field takes a message with values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The types of the error and its causes, the error's own first.
    pub types: Vec<String>,
    /// Where it was made.
    pub place: Place,
    /// How bad it is.
    pub level: Level,
    /// A text of the program's own sources.
    pub text: Option<&'static str>,
    /// Numbers and names that are on the list of [`ErrorLayer`](crate::ErrorLayer).
    pub fields: BTreeMap<&'static str, String>,
    /// The component, where it is another one than the process's.
    pub component: Option<Component>,
    /// The calls that led there, the innermost first; empty where nobody looked.
    pub stack: Vec<Frame>,
    /// Whether the reporter looks at the calling thread's stack, if the report is sent.
    pub wants_stack: bool,
}

impl Report {
    /// An error with those types, at that place.
    #[must_use]
    pub const fn new(types: Vec<String>, place: Place) -> Self {
        Self {
            types,
            place,
            level: Level::Error,
            text: None,
            fields: BTreeMap::new(),
            component: None,
            stack: Vec::new(),
            wants_stack: false,
        }
    }

    /// That error, at the caller's place.
    #[must_use]
    #[track_caller]
    pub fn from_error<E: Error + ?Sized>(error: &E) -> Self {
        Self::new(error_types(error), Location::caller().into())
    }

    /// The error's own type.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.types.first().map_or("Error", String::as_str)
    }

    /// What its group is known by: component, types and place.
    #[must_use]
    pub fn fingerprint(&self, component: Component) -> String {
        let component = self.component.unwrap_or(component).name();
        let text = format!("{component} {} {}", self.types.join(" "), self.place);
        let mut id = Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).simple().to_string();
        id.truncate(12);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_and_place_make_a_group() {
        let report = |kind: &str, line| {
            Report::new(vec![kind.to_owned()], Place::new("ebp-cli/src/main.rs", line))
                .fingerprint(Component::Server)
        };
        assert_eq!(report("A", 1), report("A", 1));
        assert_ne!(report("A", 1), report("B", 1));
        assert_ne!(report("A", 1), report("A", 2));
        let jobs = Report {
            component: Some(Component::Jobs),
            ..Report::new(vec!["A".to_owned()], Place::new("ebp-cli/src/main.rs", 1))
        };
        assert_ne!(jobs.fingerprint(Component::Server), report("A", 1));
    }

    #[test]
    fn an_error_is_reported_with_the_caller_s_place() {
        let report = Report::from_error(&std::fmt::Error);
        assert_eq!(report.kind(), "Error");
        assert!(report.place.file.ends_with("report.rs"), "{}", report.place);
    }
}
