//! Why there is no data set.

use std::{io, path::PathBuf};

use ebp_core::private_file::Exposed;
use ebp_dataset::{CalendarError, files::FileError, release::Check};
use ebp_store::StoreError;

use super::release::PersonError;

/// Why there is no data set.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the set.
    #[error(transparent)]
    File(#[from] FileError),
    /// The time zone, or an instant that it does not cover.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
    /// Others may read the folder.
    #[error(transparent)]
    Exposed(#[from] Exposed),
    /// The operating system refuses.
    #[error("{}: {source}", path.display())]
    System {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Measurements may still be on their way.
    #[error("measurements received until {0} may still come in")]
    TooYoung(jiff::Timestamp),
    /// The stretch ends before it begins.
    #[error("the stretch ends before it begins")]
    Empty,
    /// Something else is in the folder.
    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// Another process writes there.
    #[error("another export is writing into {}", .0.display())]
    Busy(PathBuf),
    /// An export with another order was begun there.
    #[error("another export was begun in {}", .0.display())]
    Another(PathBuf),
    /// What was kept aside is not what was written.
    #[error("what is kept in {} is damaged", .0.display())]
    Damaged(PathBuf),
    /// Whoever is told of its progress stopped it.
    #[error("the export was stopped")]
    Stopped,
    /// A household revoked its consent while it was exported.
    #[error("a household revoked its consent meanwhile; the export was removed")]
    Revoked,
    /// A release breaks a rule.
    #[error("rule {:?} is broken: {}", .0.rule, .0.found)]
    Rule(Box<Check>),
    /// There is no draft of a release.
    #[error("{} is no draft of a release", .0.display())]
    NoDraft(PathBuf),
    /// Somebody cannot make or confirm a release.
    #[error(transparent)]
    Person(#[from] PersonError),
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers")]
    NoRandomness,
    /// There is too much to search for.
    #[error("there are too many identifiers to search the files for")]
    NotSearched,
    /// No household may be in it.
    #[error("no household has granted its consent by then")]
    NoHousehold,
}

impl From<Check> for ExportError {
    fn from(check: Check) -> Self {
        Self::Rule(Box::new(check))
    }
}

impl ExportError {
    /// Of the operating system.
    pub(super) fn system(path: &std::path::Path, source: io::Error) -> Self {
        Self::System { path: path.to_owned(), source }
    }
}
