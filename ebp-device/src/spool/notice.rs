//! Notices about the spool for the administrators, stored until they are reported.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{Spool, SpoolError};
use ebp_core::contract::Notice;

/// A notice and when it was first noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// What.
    pub notice: Notice,
    /// When, UTC by this device's clock.
    pub noted_at: Timestamp,
    /// The details, for this device's log.
    pub detail: String,
}

const NAMES: [(Notice, &str); 3] = [
    (Notice::SpoolSetAside, "spool-set-aside"),
    (Notice::SpoolFull, "spool-full"),
    (Notice::SpoolDamaged, "spool-damaged"),
];

fn name(notice: Notice) -> &'static str {
    NAMES.iter().find(|(known, _)| *known == notice).map_or("", |(_, name)| name)
}

impl Spool {
    /// Stores a notice until it is reported; one that is stored already is not changed.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn note(&self, notice: Notice, detail: &str) -> Result<(), SpoolError> {
        let transaction = self.write()?;
        self.write_notice(&transaction, notice, detail)
            .and_then(|()| transaction.commit())
            .map_err(|e| self.fault(e))
    }

    pub(super) fn write_notice(
        &self,
        connection: &Connection,
        notice: Notice,
        detail: &str,
    ) -> rusqlite::Result<()> {
        connection
            .prepare_cached(
                "INSERT INTO notice (kind, noted_at, detail) VALUES (?1, ?2, ?3)
                 ON CONFLICT (kind) DO NOTHING",
            )?
            .execute(params![name(notice), self.options.clock.now().to_string(), detail])
            .map(drop)
    }

    /// The notices that were not reported yet.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn notices(&self) -> Result<Vec<Noted>, SpoolError> {
        let rows: Vec<(String, String, String)> =
            self.rows("SELECT kind, noted_at, detail FROM notice ORDER BY noted_at", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        rows.into_iter()
            .map(|(kind, noted_at, detail)| {
                let (notice, _) = NAMES
                    .into_iter()
                    .find(|(_, name)| *name == kind)
                    .ok_or_else(|| self.damaged("a notice cannot be understood"))?;
                Ok(Noted { notice, noted_at: self.instant(&noted_at)?, detail })
            })
            .collect()
    }

    /// Removes notices that were reported.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn notices_told(&self, told: &[Notice]) -> Result<(), SpoolError> {
        if told.is_empty() {
            return Ok(());
        }
        let transaction = self.write()?;
        told.iter()
            .try_for_each(|notice| {
                transaction.execute("DELETE FROM notice WHERE kind = ?1", [name(*notice)]).map(drop)
            })
            .and_then(|()| transaction.commit())
            .map_err(|e| self.fault(e))
    }
}
