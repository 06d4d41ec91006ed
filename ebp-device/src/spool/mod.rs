//! The device's spool: measurements are stored here, on the disk, until the server has confirmed
//! them.
//!
//! Enters: measurements and their slots, confirmations by uuid, the consent as last received,
//! incidents of meters. Leaves: what has still to be sent, oldest first; nothing is lost and no
//! slot is measured twice, whenever the process is killed or the power fails. Absent: the network,
//! and any data about the household except its measurements.
//!
//! It is one SQLite file in a separate folder, shared by the processes that measure and send: a
//! write-ahead log with full synchronisation, so that a power cut takes nothing that
//! [`Spool::store`] has returned from. A damaged file is moved aside when the spool is opened, and
//! what can still be read of it is copied into a new one.

mod consent_copy;
mod damage;
mod error;
mod file;
mod incident;
mod measurement;
mod memory;
mod meter_time;
mod notice;
mod number;
mod open;
mod place;
mod reading;
mod revocation;
mod room;
mod salvage;
mod slots;
mod unplaced;

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

pub use error::SpoolError;
pub use file::{DEFAULT_MAX_BYTES, FILE_NAME, Spool, SpoolOptions, Telegrams};
pub use incident::{IncidentChange, IncidentNews};
pub use measurement::{Refused, Stored};
pub use notice::Noted;
pub use place::Placed;
pub use reading::LastReading;
pub use revocation::KnownConsent;
pub use unplaced::{Apart, KeptUnplaced, Unplaced};

impl Spool {
    /// Opens the spool in the folder `dir` with the default options; the folder is created if it is
    /// missing.
    ///
    /// # Errors
    /// Returns the same errors as [`Spool::open_with`].
    pub fn open(dir: &Path) -> Result<Self, SpoolError> {
        Self::open_with(dir, SpoolOptions::default())
    }

    /// Opens the spool in the folder `dir`, which is created if it is missing.
    ///
    /// What root makes in it belongs to the folder's owner, and a folder that root makes to the owner of
    /// the one above. Any number of processes may open it, also at once. A damaged file is renamed
    /// (`spool.sqlite.damaged-` and the time), what can be read of it is copied into a new one, and
    /// a [notice](Spool::notices) is recorded.
    ///
    /// # Errors
    /// Returns [`SpoolError`], naming the folder or the file.
    pub fn open_with(dir: &Path, options: SpoolOptions) -> Result<Self, SpoolError> {
        open::folder(dir)?;
        let path = dir.join(FILE_NAME);
        let spool = match Self::of_file(&path, &options) {
            Err(error) if error.is_damaged() => damage::set_aside(&path, &options, &error)?,
            opened => opened?,
        };
        open::give_files(dir);
        spool.remember_marked_revocation()?;
        spool.restore_consent()?;
        // A wipe that was interrupted is completed. If it fails again (another reader, a full
        // disk), the spool is opened nevertheless, because the revocation must still be reported to
        // callers.
        let _ = spool.finish_wipe();
        Ok(spool)
    }

    /// Writes a copy of the spool in the folder `dir`, as it is now, into the folder `into`, which has
    /// none. Nothing in `dir` is changed. Returns whether there is a spool.
    ///
    /// # Errors
    /// Returns [`SpoolError`] when it cannot be read, or the copy cannot be written.
    pub fn copy(dir: &Path, into: &Path) -> Result<bool, SpoolError> {
        let (path, copy) = (dir.join(FILE_NAME), into.join(FILE_NAME));
        if !path.exists() {
            return Ok(false);
        }
        let fault = |source| SpoolError::from_sqlite(&path, source);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).map_err(fault)?;
        connection.busy_timeout(open::PATIENCE).map_err(fault)?;
        connection.execute("VACUUM INTO ?1", [copy.to_string_lossy()]).map_err(fault)?;
        Ok(true)
    }

    /// Opens the file again: a damaged one is moved aside, one that was moved aside is closed, and
    /// one that was read-only can be written to if it is writable again.
    ///
    /// # Errors
    /// Returns the same errors as [`Spool::open_with`]; the file is not changed then.
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
}

#[cfg(test)]
mod tests;
