//! Why a job failed, and why a line of an import is refused: as data, so that pages say it in the
//! reader's language, and in English for all others.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Fault;

/// Why an attempt at a job failed. It names no household.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "code", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum JobFault {
    /// Lines of an import are refused, and nothing is registered.
    LinesRefused {
        /// How many.
        refused: u64,
        /// Of how many.
        lines: u64,
    },
    /// A line was refused when all were to be registered: something else was registered meanwhile.
    LineRefused {
        /// The line, from 1.
        line: u64,
    },
    /// It took too long.
    TooLong {
        /// How long it may take, seconds.
        seconds: u64,
    },
    /// A fault of the program: the work panicked.
    Panicked,
    /// The work was stopped.
    Stopped,
    /// The servers that were at it were lost too often.
    WorkersLost,
    /// The order is of another version.
    InputUnreadable,
    /// The server has no regions to estimate by.
    NoRegions,
    /// The server cannot write its files.
    NoFiles,
    /// No household may be in an export.
    NoHousehold,
    /// What the work had begun with is not there any more.
    Gone,
    /// A household in it revoked its consent or was removed.
    Erased,
    /// The database is away or busy.
    DatabaseAway,
}

impl fmt::Display for JobFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LinesRefused { refused, lines } => {
                write!(f, "{refused} of {lines} lines are refused, and nothing is registered")
            }
            Self::LineRefused { line } => write!(f, "line {line} is refused"),
            Self::TooLong { seconds } => write!(f, "it took longer than {seconds} s"),
            Self::Panicked => f.write_str("it panicked"),
            Self::Stopped => f.write_str("the work was stopped"),
            Self::WorkersLost => f.write_str("its workers were lost too often"),
            Self::InputUnreadable => f.write_str("its input cannot be read by this version"),
            Self::NoRegions => f.write_str("this server has no regions to estimate by"),
            Self::NoFiles => f.write_str("the server cannot write the files of the export"),
            Self::NoHousehold => f.write_str("no household has granted its consent by then"),
            Self::Gone => f.write_str("what was exported is not there any more"),
            Self::Erased => f.write_str("a household in it revoked its consent or was removed"),
            Self::DatabaseAway => f.write_str("the database is away or busy"),
        }
    }
}

/// What stands between a fault's text and its data where both are stored as one.
const DATA: &str = " {\"code\":";

impl JobFault {
    /// The text with the data behind it, as it is stored.
    #[must_use]
    pub fn store(&self, text: &str) -> String {
        match serde_json::to_string(self) {
            Ok(data) => format!("{text} {data}"),
            Err(_) => text.to_owned(),
        }
    }

    /// The text and the data of what is stored. Texts of servers before, which stored no data, are
    /// known by their words, if they are.
    #[must_use]
    pub fn read(stored: &str) -> (String, Option<Self>) {
        if let Some(place) = stored.rfind(DATA) {
            let (text, data) = stored.split_at(place);
            return (text.to_owned(), serde_json::from_str(data).ok());
        }
        let known = [
            Self::Panicked,
            Self::Stopped,
            Self::WorkersLost,
            Self::InputUnreadable,
            Self::NoRegions,
            Self::NoFiles,
            Self::NoHousehold,
            Self::Gone,
            Self::Erased,
        ];
        let known = known.into_iter().find(|fault| fault.to_string() == stored);
        (stored.to_owned(), known.or_else(|| Self::of_numbers(stored)))
    }

    fn of_numbers(text: &str) -> Option<Self> {
        if let Some(seconds) = text.strip_prefix("it took longer than ") {
            return Some(Self::TooLong { seconds: seconds.strip_suffix(" s")?.parse().ok()? });
        }
        let (refused, rest) = text.split_once(" of ")?;
        let lines = rest.strip_suffix(" lines are refused, and nothing is registered")?;
        Some(Self::LinesRefused { refused: refused.parse().ok()?, lines: lines.parse().ok()? })
    }
}

/// Why a line of an import is refused. It has no value of the line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "code", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LineFault {
    /// It is no JSON.
    NoJson {
        /// The column at which it stops to be JSON.
        column: u64,
    },
    /// It has more values than a registration.
    TooManyValues,
    /// A row has another number of cells than the header.
    WrongLength {
        /// The row's.
        cells: u64,
        /// The header's.
        header: u64,
    },
    /// A cell has a line break: a quotation mark may be missing.
    LineBreak,
    /// It is not written as a registration is.
    Unreadable,
    /// A member is there twice.
    Repeated {
        /// The member's place, as RFC 6901 writes it.
        pointer: String,
    },
    /// A member is missing.
    Missing {
        /// The member's place, as RFC 6901 writes it.
        pointer: String,
    },
    /// The e-mail address belongs to a participant of another name.
    EmailTaken {
        /// In that line before, or to a participant who is registered if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<u64>,
    },
    /// A line before has the same identifier.
    Taken {
        /// The identifier's place, as RFC 6901 writes it.
        pointer: String,
        /// The line, from 1.
        line: u64,
    },
    /// A member is not as it must be.
    Invalid {
        /// The member's place, as RFC 6901 writes it.
        pointer: String,
        /// What is expected there, in English.
        detail: String,
    },
}

impl From<&Fault> for LineFault {
    fn from(fault: &Fault) -> Self {
        let Fault { pointer, detail } = fault.clone();
        match detail.as_str() {
            "is missing" => Self::Missing { pointer },
            "occurs more than once" => Self::Repeated { pointer },
            "belongs to a participant of another name" => Self::EmailTaken { line: None },
            _ => Self::Invalid { pointer, detail },
        }
    }
}

impl LineFault {
    /// The place that it is about, as RFC 6901 writes it.
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        match self {
            Self::Repeated { pointer }
            | Self::Missing { pointer }
            | Self::Taken { pointer, .. }
            | Self::Invalid { pointer, .. } => Some(pointer),
            Self::EmailTaken { .. } => Some("/participant/email"),
            Self::NoJson { .. }
            | Self::TooManyValues
            | Self::WrongLength { .. }
            | Self::LineBreak
            | Self::Unreadable => None,
        }
    }

    /// All of them in English, as one text.
    #[must_use]
    pub fn list(faults: &[Self]) -> String {
        faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for LineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer().map(|pointer| pointer.trim_start_matches('/')) {
            None => {}
            Some("") => f.write_str("the body ")?,
            Some(place) => write!(f, "{place}: ")?,
        }
        match self {
            Self::NoJson { column } => write!(f, "it is no JSON (column {column})"),
            Self::TooManyValues => f.write_str("it has too many values"),
            Self::WrongLength { cells, header } => {
                write!(f, "the row has {cells} cells, and the header has {header}")
            }
            Self::LineBreak => {
                f.write_str("a cell has a line break: a quotation mark may be missing")
            }
            Self::Unreadable => f.write_str("it is not written as it must be"),
            Self::Repeated { .. } => f.write_str("occurs more than once"),
            Self::Missing { .. } => f.write_str("is missing"),
            Self::EmailTaken { line: None } => {
                f.write_str("belongs to a participant of another name")
            }
            Self::EmailTaken { line: Some(line) } => {
                write!(f, "belongs to a participant of another name in line {line}")
            }
            Self::Taken { line, .. } => write!(f, "stands in line {line} already"),
            Self::Invalid { detail, .. } => f.write_str(detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_text_and_data() {
        for fault in [
            JobFault::LinesRefused { refused: 2, lines: 5 },
            JobFault::LineRefused { line: 3 },
            JobFault::TooLong { seconds: 3600 },
            JobFault::WorkersLost,
            JobFault::DatabaseAway,
        ] {
            let text = format!("{fault}: {{\"x\":1}}");
            assert_eq!(JobFault::read(&fault.store(&text)), (text, Some(fault)));
        }
    }

    #[test]
    fn texts_of_servers_before_are_known_by_their_words() {
        for fault in [
            JobFault::LinesRefused { refused: 2, lines: 5 },
            JobFault::TooLong { seconds: 3600 },
            JobFault::WorkersLost,
            JobFault::Panicked,
        ] {
            assert_eq!(JobFault::read(&fault.to_string()), (fault.to_string(), Some(fault)));
        }
        for text in ["a text of nobody", "x {\"code\":\"of-a-later-server\"}", " of "] {
            let (read, fault) = JobFault::read(text);
            assert!(fault.is_none() && text.starts_with(&read), "{text}: {read} {fault:?}");
        }
    }
}
