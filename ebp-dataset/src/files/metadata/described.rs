//! What is said of a set: what all descriptions are made of.

use crate::files::{
    column::{Table, Tier},
    text,
    write::Format,
};

/// A file of the set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Whose rows it has.
    pub table: &'static Table,
    /// Its path within the set, parts separated by `/`.
    pub path: String,
    /// How many rows it has.
    pub rows: u64,
    /// Its SHA-256, hexadecimal digits.
    pub sha256: String,
}

impl FileEntry {
    /// The name of the resource: the path without its ending, parts joined by `-`.
    #[must_use]
    pub fn name(&self) -> String {
        let stem = self.path.rsplit_once('.').map_or(self.path.as_str(), |(stem, _)| stem);
        stem.replace(['/', '_'], "-")
    }
}

/// What is said of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Its name: letters, digits, `-`.
    pub name: String,
    /// Who publishes it.
    pub publisher: String,
    /// The version of the program.
    pub version: String,
    /// Measurements that were received later are not in it; microseconds since the Unix epoch.
    pub as_of: i64,
    /// The beginning of its first interval and the end of its last one.
    pub covers: Option<(i64, i64)>,
    /// The time zone of local days.
    pub zone: String,
    /// How far it may leave.
    pub tier: Tier,
    /// Notices of whoever provided other data that are in it.
    pub notices: Vec<String>,
    /// What the files are.
    pub format: Format,
    /// How long a row of energy and balance lasts (ISO 8601).
    pub step: &'static str,
    /// The files of its tables.
    pub files: Vec<FileEntry>,
}

impl Described {
    /// The title, for people.
    #[must_use]
    pub fn title(&self) -> String {
        format!("Electricity of households: {}", self.name)
    }

    /// The day of `as_of`.
    #[must_use]
    pub fn day(&self) -> String {
        text::instant(self.as_of).chars().take(10).collect()
    }

    /// Beginning and end, as texts.
    pub(super) fn ends(&self) -> (Option<String>, Option<String>) {
        self.covers.map(|(from, to)| (text::instant(from), text::instant(to))).unzip()
    }

    /// How the licence is called, and what it says.
    pub(super) const fn licence(&self) -> (&'static str, &'static str) {
        match self.tier {
            Tier::Internal => {
                ("not-to-be-passed-on", "For the research group alone; not to be passed on")
            }
            Tier::Research => {
                ("by-contract", "For the named recipients under contract; not to be passed on")
            }
            Tier::Public => ("stated-by-the-publisher", "As the publisher states"),
        }
    }
}

/// Counts of households that are not in a set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost {
    /// Which never granted their consent.
    pub not_granted: u64,
    /// Which are withheld.
    pub withheld: u64,
}

/// How complete a meter's series is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeterQuality {
    /// The meter.
    pub meter: String,
    /// Its quarter hours.
    pub quarters: u64,
    /// Of these, with a measured import and export.
    pub measured: (u64, u64),
    /// Of these, with each flag.
    pub flags: Vec<u64>,
}

/// JSON with sorted members and a line end.
pub(super) fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}
