//! Errors of a spool; every variant names the file.

use std::{io, path::PathBuf};

use rusqlite::ErrorCode;

/// Why an operation of the spool failed.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The folder cannot be made.
    #[error("cannot make the spool's folder {path}: {source}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file cannot be opened: no permission, or not a file.
    #[error("cannot open the spool {path}: {source}", path = path.display())]
    Open {
        /// The database file.
        path: PathBuf,
        /// The cause.
        source: rusqlite::Error,
    },
    /// The file is not a spool, or it is damaged.
    #[error("the spool {path} is damaged: {reason}", path = path.display())]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// Its open incidents.
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
    /// The disk is full; what was stored before is safe.
    #[error("no room left on the disk for the spool {path}", path = path.display())]
    Full {
        /// The database file.
        path: PathBuf,
    },
    /// The spool has its largest size; it accepts measurements again when the server has confirmed
    /// some.
    #[error(
        "the spool {path} is full: it contains {max_bytes} bytes of measurements that are not sent",
        path = path.display()
    )]
    LimitReached {
        /// The database file.
        path: PathBuf,
        /// Its limit.
        max_bytes: u64,
    },
    /// The file was replaced: a damaged one was moved aside. Opening the spool again helps.
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
        /// The cause.
        source: io::Error,
    },
    /// The record of the revocation cannot be written or read.
    #[error("the memory of the revocation, {path}: {source}", path = path.display())]
    Marker {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file or its disk is read-only.
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
    /// Consent is revoked for good: this spool never accepts a measurement again.
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
    /// Whether the file cannot be used, so that it must be replaced.
    #[must_use]
    pub const fn is_damaged(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }

    /// Whether there is no space for another measurement, because the disk is full or the limit
    /// reached.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::LimitReached { .. })
    }

    /// Whether opening the spool again helps: this moves a damaged file aside, closes one that was
    /// moved aside, and makes one that was read-only when it was opened writable if possible.
    #[must_use]
    pub const fn wants_reopening(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Replaced { .. } | Self::ReadOnly { .. })
    }

    /// Classifies an error of the database.
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
