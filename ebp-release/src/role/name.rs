//! The names of the four roles, and what follows from the name alone.

use std::fmt;

/// Names a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleName {
    /// Says which keys sign which role.
    Root,
    /// Says which releases there are.
    Targets,
    /// Says which state of the targets belongs to this state of the repository.
    Snapshot,
    /// Says which snapshot is the newest.
    Timestamp,
}

impl RoleName {
    /// All of them, in the order in which people speak of them.
    pub const ALL: [Self; 4] = [Self::Root, Self::Targets, Self::Snapshot, Self::Timestamp];

    /// The name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Targets => "targets",
            Self::Snapshot => "snapshot",
            Self::Timestamp => "timestamp",
        }
    }

    /// The longest file that is read, bytes.
    #[must_use]
    pub const fn longest(self) -> u64 {
        match self {
            Self::Root | Self::Snapshot => 64 << 10,
            Self::Targets => 1 << 20,
            Self::Timestamp => 16 << 10,
        }
    }

    /// Where that version of the role is in a repository.
    #[must_use]
    pub fn path(self, version: u64) -> String {
        match self {
            Self::Timestamp => "metadata/timestamp.json".to_owned(),
            _ => format!("metadata/{version}.{}.json", self.name()),
        }
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
