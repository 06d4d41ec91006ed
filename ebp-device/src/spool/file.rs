//! The spool's open file: its options, its transactions, and the decoding of rows.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use rusqlite::{Connection, Params, Row, Transaction, TransactionBehavior};
use uuid::Uuid;

use super::{
    error::SpoolError,
    open::{FileId, check, database},
};
use ebp_core::clock::{Clock, SystemClock};

/// The database's file name in the spool's folder.
pub const FILE_NAME: &str = "spool.sqlite";

/// 256 MiB. A measurement of three values takes 171 bytes; two meters in quarter-hours fill 12 MB a
/// year, so this suffices for 22 years without the server, and for five with eight meters.
pub const DEFAULT_MAX_BYTES: u64 = 256 << 20;

/// How a spool is kept.
#[derive(Clone)]
pub struct SpoolOptions {
    /// The largest size of the spool, bytes. Beyond it new measurements are rejected rather than
    /// old ones deleted.
    pub max_bytes: u64,
    /// The clock for the name of a file that is moved aside.
    pub clock: Arc<dyn Clock>,
}

impl Default for SpoolOptions {
    fn default() -> Self {
        Self { max_bytes: DEFAULT_MAX_BYTES, clock: Arc::new(SystemClock) }
    }
}

impl fmt::Debug for SpoolOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpoolOptions").field("max_bytes", &self.max_bytes).finish_non_exhaustive()
    }
}

/// How many telegrams were received from a meter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Telegrams {
    /// Whole ones.
    pub good: u64,
    /// Damaged ones.
    pub damaged: u64,
}

/// A device's store of measurements that are not confirmed by the server yet.
#[derive(Debug)]
pub struct Spool {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    pub(super) options: SpoolOptions,
    /// The file that the connection writes to, to detect that it was moved aside.
    pub(super) file: FileId,
    /// Counts in memory that are written with the next measurement.
    pub(super) heard: RefCell<BTreeMap<Uuid, Telegrams>>,
}

impl Spool {
    pub(super) fn of_file(path: &Path, options: &SpoolOptions) -> Result<Self, SpoolError> {
        let connection = database(path)?;
        check(&connection, path)?;
        let spool = Self {
            connection,
            path: path.to_owned(),
            options: options.clone(),
            file: FileId::at(path),
            heard: RefCell::default(),
        };
        spool.limit_pages()?;
        Ok(spool)
    }

    /// The database's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a transaction that locks the file for writing from the start, so that what it reads
    /// is still true when it writes.
    pub(super) fn write(&self) -> Result<Transaction<'_>, SpoolError> {
        let transaction =
            Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)
                .map_err(|e| self.fault(e))?;
        // A process that moves a damaged file aside reads it only after this transaction; a
        // transaction that begins later must not write to it.
        if FileId::at(&self.path) != self.file {
            return Err(SpoolError::Replaced { path: self.path.clone() });
        }
        Ok(transaction)
    }

    /// The rows of a statement, all of them.
    pub(super) fn rows<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        of: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, SpoolError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_map(parameters, of)?.collect())
            .map_err(|e| self.fault(e))
    }

    /// The first row of a statement without parameters, which is compiled once.
    pub(super) fn first_row<T>(
        &self,
        sql: &str,
        of: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.connection.prepare_cached(sql)?.query_row([], of)
    }

    pub(super) fn fault(&self, source: rusqlite::Error) -> SpoolError {
        SpoolError::from_sqlite(&self.path, source)
    }

    pub(super) fn damaged(&self, what: &str) -> SpoolError {
        SpoolError::Damaged { path: self.path.clone(), reason: what.to_owned() }
    }

    pub(super) fn instant(&self, text: &str) -> Result<Timestamp, SpoolError> {
        text.parse().map_err(|_| self.damaged("a row's time cannot be understood"))
    }

    pub(super) fn uuid(&self, bytes: &[u8]) -> Result<Uuid, SpoolError> {
        Uuid::from_slice(bytes).map_err(|_| self.damaged("a row's uuid is not of 16 bytes"))
    }
}
