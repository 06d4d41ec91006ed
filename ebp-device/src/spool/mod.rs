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
mod file;
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

use std::path::Path;

use rusqlite::Connection;

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
}

#[cfg(test)]
mod tests;
