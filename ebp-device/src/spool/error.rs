//! What can go wrong with a spool; every variant names the file.

use std::{io, path::PathBuf};

use rusqlite::ErrorCode;

/// Why the spool cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The folder cannot be made.
    #[error("cannot make the spool's folder {path}: {source}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be opened: no permission, or not a file.
    #[error("cannot open the spool {path}: {source}", path = path.display())]
    Open {
        /// The database file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The file is no spool, or it is damaged.
    #[error("the spool {path} is damaged: {reason}", path = path.display())]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A newer version of the program wrote the file.
    #[error(
        "the spool {path} was written by a newer version of this program (schema {version})",
        path = path.display()
    )]
    Newer {
        /// The database file.
        path: PathBuf,
        /// Its schema's version.
        version: i64,
    },
    /// There is no room left on the disk; what was stored before is safe.
    #[error("no room left on the disk for the spool {path}", path = path.display())]
    Full {
        /// The database file.
        path: PathBuf,
    },
    /// The spool has its largest size; it takes measurements again when the server has confirmed some.
    #[error(
        "the spool {path} is full: it holds {max_bytes} bytes of measurements that are not sent",
        path = path.display()
    )]
    LimitReached {
        /// The database file.
        path: PathBuf,
        /// Its limit.
        max_bytes: u64,
    },
    /// Another file has taken this one's place: a damaged one was set aside. Opening the spool again
    /// helps.
    #[error("the spool {path} was replaced by another one", path = path.display())]
    Replaced {
        /// The database file.
        path: PathBuf,
    },
    /// A damaged file cannot be set aside.
    #[error("cannot set the damaged spool {path} aside: {source}", path = path.display())]
    SetAside {
        /// The database file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The memory of the revocation cannot be written or read.
    #[error("the memory of the revocation, {path}: {source}", path = path.display())]
    Marker {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file or its disk can only be read.
    #[error("the spool {path} cannot be written to", path = path.display())]
    ReadOnly {
        /// The database file.
        path: PathBuf,
    },
    /// Another process has held the spool for longer than the time-out.
    #[error("the spool {path} is held by another process", path = path.display())]
    Busy {
        /// The database file.
        path: PathBuf,
    },
    /// Consent is revoked for good: this spool takes no measurement ever again.
    #[error("consent is revoked for good: the spool {path} takes no measurements", path = path.display())]
    Revoked {
        /// The database file.
        path: PathBuf,
    },
    /// Any other failure of the disk or the database.
    #[error("the spool {path}: {source}", path = path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// What.
        source: rusqlite::Error,
    },
}

impl SpoolError {
    /// Whether the file is beyond use, so that only another one in its place helps.
    #[must_use]
    pub const fn is_damaged(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }

    /// Whether there is no room for another measurement, be it the disk's or the limit's.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::LimitReached { .. })
    }

    /// Whether opening the spool anew helps: a damaged file is then set aside, one that was set
    /// aside is left, and one that could only be read when it was opened stays so until then.
    #[must_use]
    pub const fn wants_reopening(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Replaced { .. } | Self::ReadOnly { .. })
    }

    /// Sorts what the database says.
    pub(super) fn from_sqlite(path: &std::path::Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { path, reason: source.to_string() }
            }
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::Open { path, source }
            }
            _ => Self::Database { path, source },
        }
    }
}
