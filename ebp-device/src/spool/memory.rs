//! State of an engine that survives a restart.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, params};

use super::{Spool, SpoolError};
use ebp_core::clock::{BootId, DeviceClock};

/// The run of the machine in which the clock was last synchronised.
const SYNCHRONISED: &str = "synchronised";

/// The prefix of components' names.
const COMPONENT: &str = "component.";

impl Spool {
    /// The value stored under that name.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn recall(&self, name: &str) -> Result<Option<String>, SpoolError> {
        self.connection
            .prepare_cached("SELECT value FROM memory WHERE name = ?1")
            .and_then(|mut statement| statement.query_row([name], |row| row.get(0)).optional())
            .map_err(|e| self.fault(e))
    }

    /// Stores a value under the name; an unchanged value is not written.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn remember(&self, name: &str, value: &str) -> Result<(), SpoolError> {
        if self.recall(name)?.as_deref() == Some(value) {
            return Ok(());
        }
        let transaction = self.write()?;
        transaction
            .execute(
                "INSERT INTO memory (name, value) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                params![name, value],
            )
            .and_then(|_| transaction.commit())
            .map_err(|e| self.fault(e))
    }

    /// Stores the version of a component of the device, such as `reader`, for the status. An
    /// unchanged version is not written.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn note_component(&self, name: &str, version: &str) -> Result<(), SpoolError> {
        self.remember(&format!("{COMPONENT}{name}"), version)
    }

    /// The device's components, each with the version that last ran.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn components(&self) -> Result<BTreeMap<String, String>, SpoolError> {
        let sql = "SELECT substr(name, 11), value FROM memory WHERE name GLOB 'component.*'";
        let rows = self.rows(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.into_iter().collect())
    }

    /// Whether the time of day is trusted: the clock is synchronised, or has been since the machine
    /// started. It then drifts by some seconds a day at most, which is less than the error of a
    /// later correction.
    ///
    /// Before that, measurements are [stored without a time](Self::store_unplaced); afterwards
    /// those are [placed](Self::place) first.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn knows_the_time(&self, clock: &dyn DeviceClock) -> Result<bool, SpoolError> {
        let BootId(boot) = clock.boot();
        let boot = boot.to_string();
        if clock.synchronised() {
            // If this cannot be stored (a full disk), the time is right nevertheless.
            let _ = self.remember(SYNCHRONISED, &boot);
            return Ok(true);
        }
        Ok(self.recall(SYNCHRONISED)?.is_some_and(|known| known == boot))
    }
}
