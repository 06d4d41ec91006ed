//! What an engine has to know after a restart.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, params};

use super::{Spool, SpoolError};
use ebp_core::clock::{BootId, DeviceClock};

/// In which run of the machine the clock was last seen synchronised.
const SYNCHRONISED: &str = "synchronised";

/// What the names of components begin with.
const COMPONENT: &str = "component.";

impl Spool {
    /// What was remembered under that name.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn recall(&self, name: &str) -> Result<Option<String>, SpoolError> {
        self.connection
            .prepare_cached("SELECT value FROM memory WHERE name = ?1")
            .and_then(|mut statement| statement.query_row([name], |row| row.get(0)).optional())
            .map_err(|e| self.fault(e))
    }

    /// Remembers that under the name; nothing is written where it is remembered already.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
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

    /// Remembers which version of a component of the device runs, such as `reader`; the status
    /// tells it. Nothing is written where that is known.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn note_component(&self, name: &str, version: &str) -> Result<(), SpoolError> {
        self.remember(&format!("{COMPONENT}{name}"), version)
    }

    /// The device's components, each with the version that last ran.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn components(&self) -> Result<BTreeMap<String, String>, SpoolError> {
        let sql = "SELECT substr(name, 11), value FROM memory WHERE name GLOB 'component.*'";
        let rows = self.rows(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.into_iter().collect())
    }

    /// Whether the time of day can be relied on: the clock is synchronised, or has been since the
    /// machine started. A quartz then goes wrong by some seconds a day at most, which is less than
    /// what setting it right later could mend.
    ///
    /// Before it is, measurements are [kept unplaced](Self::store_unplaced); once it is,
    /// [placing](Self::place) those comes first.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn knows_the_time(&self, clock: &dyn DeviceClock) -> Result<bool, SpoolError> {
        let BootId(boot) = clock.boot();
        let boot = boot.to_string();
        if clock.synchronised() {
            // Where it cannot be remembered (a full disk), the time is right all the same.
            let _ = self.remember(SYNCHRONISED, &boot);
            return Ok(true);
        }
        Ok(self.recall(SYNCHRONISED)?.is_some_and(|known| known == boot))
    }
}
