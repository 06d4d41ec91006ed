//! The device's spool: measurements wait here, on the disk, until the server has confirmed them.
//!
//! Enters: measurements and their slots, confirmations by uuid, the consent as last heard, trouble
//! with meters. Leaves: what is still to be sent and told, oldest first; nothing is lost and no slot
//! is measured twice, whenever the process is killed or the power fails. Absent: the network, and any
//! word about the household but its measurements.
//!
//! It is one SQLite file in a folder of its own, shared by the processes that measure and send:
//! a write-ahead log with full synchronisation, so that a power cut takes nothing that
//! [`Spool::store`] has returned from. A file that is damaged is set aside when the spool is opened,
//! and what can still be read of it is taken over.

mod consent_copy;
mod damage;
mod error;
mod incident;
mod measurement;
mod memory;
mod meter_time;
mod notice;
mod open;
mod place;
mod reading;
mod revocation;
mod room;
mod salvage;
mod slots;
mod unplaced;

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

pub use error::SpoolError;
pub use incident::{IncidentChange, IncidentNews};
pub use measurement::{Refused, Stored};
pub use notice::Noted;
pub use place::Placed;
pub use reading::{LastReading, Telegrams};
pub use revocation::KnownConsent;
pub use room::DEFAULT_MAX_BYTES;
pub use unplaced::{Apart, KeptUnplaced, Unplaced};

use ebp_core::clock::{Clock, SystemClock};

/// The database's file name in the spool's folder.
pub const FILE_NAME: &str = "spool.sqlite";

/// How a spool is kept.
#[derive(Clone)]
pub struct SpoolOptions {
    /// No measurement is taken in once the spool has this many bytes: the older ones are worth more
    /// than the newer ones, since they cannot be had again.
    pub max_bytes: u64,
    /// The clock that names a file which is set aside.
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

/// A device's measurements on their way to the server.
#[derive(Debug)]
pub struct Spool {
    connection: Connection,
    path: PathBuf,
    options: SpoolOptions,
    /// Which file the connection writes to, so that one put aside is noticed.
    file: open::FileId,
    /// What waits in memory for the next measurement's transaction.
    heard: RefCell<BTreeMap<Uuid, Telegrams>>,
}

impl Spool {
    /// Opens the spool in the folder `dir` with the default options; the folder is made where it is
    /// missing.
    ///
    /// # Errors
    /// See [`Spool::open_with`].
    pub fn open(dir: &Path) -> Result<Self, SpoolError> {
        Self::open_with(dir, SpoolOptions::default())
    }

    /// Opens the spool in the folder `dir`, which is made where it is missing.
    ///
    /// Any number of processes may open it, also at once. A damaged file is renamed
    /// (`spool.sqlite.damaged-` and the time), what can be read of it comes into a new one, and a
    /// [notice](Spool::notices) stays.
    ///
    /// # Errors
    /// [`SpoolError`], naming the folder or the file.
    pub fn open_with(dir: &Path, options: SpoolOptions) -> Result<Self, SpoolError> {
        open::folder(dir)?;
        let path = dir.join(FILE_NAME);
        let spool = match Self::of_file(&path, &options) {
            Err(error) if error.is_damaged() => damage::set_aside(&path, &options, &error)?,
            opened => opened?,
        };
        spool.remember_marked_revocation()?;
        spool.restore_consent()?;
        // A wipe that was cut short is made up for. Where it fails again (a reader, a full disk), the
        // revocation still stands and must still be told, so that is no reason not to open.
        let _ = spool.finish_wipe();
        Ok(spool)
    }

    /// Opens the file anew: a damaged one is then set aside, one that was set aside is left, and one
    /// that could only be read can be written to if that is over.
    ///
    /// # Errors
    /// See [`Spool::open_with`]; it stays as it is.
    pub fn reopen(&mut self) -> Result<(), SpoolError> {
        let folder = self.path.parent().unwrap_or(Path::new(".")).to_owned();
        drop(Self::open_with(&folder, self.options.clone())?);
        // SQLite keeps one memory of a file's log for all connections of a process, opened as the
        // first one could: the old connection ends before the new one begins.
        self.connection = Connection::open_in_memory().map_err(|e| self.fault(e))?;
        self.file = open::FileId::NONE;
        let heard = self.heard.take();
        *self = Self { heard: heard.into(), ..Self::open_with(&folder, self.options.clone())? };
        Ok(())
    }

    fn of_file(path: &Path, options: &SpoolOptions) -> Result<Self, SpoolError> {
        let connection = open::database(path)?;
        open::check(&connection, path)?;
        let spool = Self {
            connection,
            path: path.to_owned(),
            options: options.clone(),
            file: open::FileId::of(path),
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

    /// Begins a transaction that holds the file for writing from the start, so that what it reads
    /// still holds when it writes.
    fn write(&self) -> Result<Transaction<'_>, SpoolError> {
        let transaction =
            Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)
                .map_err(|e| self.fault(e))?;
        // Whoever puts a damaged file aside reads it only after this transaction; one that begins
        // later must not write to it any more.
        if open::FileId::of(&self.path) != self.file {
            return Err(SpoolError::Replaced { path: self.path.clone() });
        }
        Ok(transaction)
    }

    /// The rows of a statement, all of them.
    fn rows<T>(
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

    fn fault(&self, source: rusqlite::Error) -> SpoolError {
        SpoolError::of(&self.path, source)
    }

    fn damaged(&self, what: &str) -> SpoolError {
        SpoolError::Damaged { path: self.path.clone(), reason: what.to_owned() }
    }

    fn instant(&self, text: &str) -> Result<Timestamp, SpoolError> {
        text.parse().map_err(|_| self.damaged("a row's time cannot be understood"))
    }

    fn uuid(&self, bytes: &[u8]) -> Result<Uuid, SpoolError> {
        Uuid::from_slice(bytes).map_err(|_| self.damaged("a row's uuid is not of 16 bytes"))
    }
}

#[cfg(test)]
mod tests;
