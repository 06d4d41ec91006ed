//! Errors of a store.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ebp_core::contract::{JobState, RolloutState};
use uuid::Uuid;

use super::{Faults, NewerSchema, PostgresError};
use crate::masking::MaskingMismatch;

/// Why an operation of the store failed. Requests that share a transaction share its error.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Nothing with that identifier exists, or it belongs to another participant.
    #[error("not found")]
    NotFound,
    /// Consent is not yet granted.
    #[error("consent is not granted")]
    ConsentNotGranted,
    /// Consent was granted before.
    #[error("consent was granted before")]
    ConsentAlreadyGranted,
    /// Consent is revoked for good.
    #[error("consent is revoked")]
    ConsentRevoked,
    /// The survey's text has this version, and another one was agreed to.
    #[error("the survey's text has version {0}, and another one was agreed to")]
    ConsentTextChanged(u32),
    /// This version of the survey's texts was published before, with other texts.
    #[error(
        "version {0} of the survey's texts was published before, with other texts or languages"
    )]
    TextsDiffer(u32),
    /// The message is answered or closed.
    #[error("the message was answered or closed before")]
    MessageClosed,
    /// The household has as many messages as it may have.
    #[error("the household has {limit} {}messages, which is the most there may be", if *open { "open " } else { "" })]
    TooManyMessages {
        /// Whether open ones alone are meant.
        open: bool,
        /// How many there may be.
        limit: usize,
    },
    /// The registration has faults; each names its place, but no value.
    #[error("the registration cannot be taken in: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Registration(Faults),
    /// The same participant has a household at the same address.
    #[error("household {0} has the same participant and the same address")]
    RegisteredAlready(Uuid),
    /// A search is too long, or a cursor is of another order.
    #[error("the search is too long, or its cursor of another order")]
    Search,
    /// It was changed since the version that the change is meant for.
    #[error("it was changed since it was read")]
    Changed,
    /// It cannot be removed; the text says why.
    #[error("it cannot be removed: {0}")]
    InUse(&'static str),
    /// A line of an import cannot be registered; none of the others is.
    #[error("line {line} cannot be registered: {}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    ImportRefused {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        faults: Faults,
    },
    /// The job is in a state that does not permit it.
    #[error("the job is {0}")]
    JobState(JobState),
    /// A roll-out is in a state that does not permit it.
    #[error("a roll-out is {0}")]
    RolloutState(RolloutState),
    /// The group asked for another job by the same key.
    #[error("the key names a job that was asked for with another kind or input")]
    JobKey,
    /// A job's result is longer than one may be.
    #[error("the job's result is too long")]
    ResultTooLong,
    /// What the job is to do is not kept any more.
    #[error("the job's input is erased")]
    JobErased,
    /// Households are masked by other regions than the given ones.
    #[error(transparent)]
    Masking(#[from] MaskingMismatch),
    /// The database was changed by a newer version of the program, in a way that this one cannot use.
    #[error("{} has {schema}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        schema: NewerSchema,
    },
    /// The database has no tables of this program, and may not get them.
    #[error("the database is empty: it has no tables of ebp")]
    Empty,
    /// The database's file cannot be opened.
    #[error("cannot open the database {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Arc<rusqlite::Error>,
    },
    /// The database's disk is full.
    #[error("cannot open the database {}: its disk is full", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The database's file or folder cannot be made.
    #[error("cannot make {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Arc<std::io::Error>,
    },
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(Arc<rusqlite::Error>),
    /// PostgreSQL failed.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// A stored value is not of its form.
    #[error("the database contains a damaged {0}")]
    Damaged(&'static str),
    /// The store is closed or its work was aborted.
    #[error("the store is closed")]
    Closed,
}

/// SQLite's extended code for a shared index of the log that finds no room (its `SHMSIZE`).
const NO_ROOM_FOR_INDEX: i32 = 10 | 19 << 8;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl StoreError {
    /// Why a SQLite file cannot be opened.
    pub(super) fn of_opening(path: &Path, source: rusqlite::Error) -> Self {
        let code = source.sqlite_error().map(|error| error.extended_code);
        let full = source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull);
        if full || code == Some(NO_ROOM_FOR_INDEX) {
            Self::Full { path: path.to_owned() }
        } else {
            Self::Open { path: path.to_owned(), source: Arc::new(source) }
        }
    }

    /// Whether a newer version of the program has changed the database in a way that this one cannot
    /// use.
    #[must_use]
    pub const fn is_newer(&self) -> bool {
        matches!(self, Self::Newer { .. } | Self::Postgres(PostgresError::Newer(_)))
    }

    /// Whether the database's disk is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Full { .. } => true,
            Self::Database(error) => {
                error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
            }
            Self::Postgres(error) => error.is("53100"),
            _ => false,
        }
    }

    /// Whether the same request may succeed later: the database is busy or unreachable, or its disk
    /// is full.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull, SystemIoFailure};
        match self {
            Self::Database(error) => matches!(
                error.sqlite_error_code(),
                Some(DatabaseBusy | DatabaseLocked | DiskFull | SystemIoFailure)
            ),
            Self::Postgres(error) => error.is_temporary(),
            Self::Full { .. } | Self::Closed => true,
            _ => false,
        }
    }
}
