//! The consent as last heard, and its end: nothing stays of the measurements, and nothing comes.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{Spool, SpoolError};
use crate::model::ConsentState;

/// The household's consent as the server last told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownConsent {
    /// Where it stood.
    pub state: ConsentState,
    /// When the server said so, UTC by this device's clock.
    pub as_of: Timestamp,
}

impl Spool {
    /// The consent as last heard; nothing before the server was first asked.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn consent(&self) -> Result<Option<KnownConsent>, SpoolError> {
        let row: Option<(String, String)> = self
            .connection
            .query_row("SELECT state, as_of FROM consent", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map_err(|e| self.fault(e))?;
        let Some((name, as_of)) = row else { return Ok(None) };
        let state = [ConsentState::NotGranted, ConsentState::Granted, ConsentState::Revoked]
            .into_iter()
            .find(|state| state.name() == name)
            .ok_or_else(|| self.damaged("the consent cannot be understood"))?;
        Ok(Some(KnownConsent { state, as_of: self.instant(&as_of)? }))
    }

    /// Remembers the consent as the server told it at `as_of`; a revocation [purges](Self::purge).
    ///
    /// # Errors
    /// [`SpoolError::Revoked`] where consent was revoked before; others of the file.
    pub fn remember_consent(
        &self,
        state: ConsentState,
        as_of: Timestamp,
    ) -> Result<(), SpoolError> {
        if state == ConsentState::Revoked {
            return self.purge(as_of);
        }
        let transaction = self.write()?;
        if self.is_revoked()? {
            return Err(SpoolError::Revoked { path: self.path.clone() });
        }
        transaction
            .execute(
                "INSERT INTO consent (id, state, as_of) VALUES (1, ?1, ?2)
                 ON CONFLICT (id) DO UPDATE SET state = excluded.state, as_of = excluded.as_of",
                params![state.name(), as_of.to_string()],
            )
            .and_then(|_| transaction.commit())
            .map_err(|e| self.fault(e))
    }

    /// Whether consent is revoked for good.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn is_revoked(&self) -> Result<bool, SpoolError> {
        self.connection
            .query_row("SELECT EXISTS (SELECT 1 FROM consent WHERE state = 'revoked')", [], |row| {
                row.get(0)
            })
            .map_err(|e| self.fault(e))
    }

    /// On revocation: remembers it for good and removes every measurement, sent or not, so that
    /// none of their bytes is left in the spool's files. Doing it again changes nothing.
    ///
    /// The revocation and the removal are one transaction; the wiping of the files follows and is
    /// made up for when the spool is next opened, should it be cut short. What the disk itself
    /// keeps of overwritten blocks (a card's wear levelling) is out of a program's reach.
    ///
    /// # Errors
    /// [`SpoolError::Busy`] while another process reads the spool; others of the file.
    pub fn purge(&self, revoked_at: Timestamp) -> Result<(), SpoolError> {
        let transaction = self.write()?;
        if !self.is_revoked()? {
            transaction
                .execute(
                    "INSERT INTO consent (id, state, as_of) VALUES (1, 'revoked', ?1)
                     ON CONFLICT (id) DO UPDATE
                     SET state = excluded.state, as_of = excluded.as_of, wiped = 0",
                    [revoked_at.to_string()],
                )
                .and_then(|_| {
                    transaction.execute_batch(
                        "DELETE FROM measurement; DELETE FROM refused; DELETE FROM measured;",
                    )
                })
                .map_err(|e| self.fault(e))?;
        }
        transaction.commit().map_err(|e| self.fault(e))?;
        self.finish_wipe()
    }

    /// Writes the file anew without what was deleted and empties the journal, where a revocation
    /// has not come to that yet.
    pub(super) fn finish_wipe(&self) -> Result<(), SpoolError> {
        let due: bool = self
            .connection
            .query_row(
                "SELECT EXISTS (SELECT 1 FROM consent WHERE state = 'revoked' AND wiped = 0)",
                [],
                |row| row.get(0),
            )
            .map_err(|e| self.fault(e))?;
        if !due {
            return Ok(());
        }
        self.connection.execute_batch("VACUUM").map_err(|e| self.fault(e))?;
        let busy: bool = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(|e| self.fault(e))?;
        if busy {
            return Err(SpoolError::Busy { path: self.path.clone() });
        }
        self.connection
            .execute("UPDATE consent SET wiped = 1", [])
            .map(drop)
            .map_err(|e| self.fault(e))
    }
}
