//! The consent as last received, and its revocation, which deletes all measurements for good.
//!
//! A revocation is stored twice: in the database, and before that in a small file beside it, so
//! that the loss of one does not undo it. A granted consent has a copy as well (`consent_copy.rs`).

use std::{
    fs::{self, File},
    io::{self, Write},
    path::PathBuf,
};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::{Spool, SpoolError};
use ebp_core::model::ConsentState;

/// The file beside the database that records when consent was revoked.
pub(super) const MARKER: &str = "revoked";

/// An unchanged consent is not written again within this time, to spare the memory card.
const FRESH: SignedDuration = SignedDuration::from_hours(6);

/// The household's consent as last received from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownConsent {
    /// Its state.
    pub state: ConsentState,
    /// When the server answered so, UTC by this device's clock; may be up to six hours before the
    /// last answer.
    pub as_of: Timestamp,
}

impl Spool {
    /// The consent as last received; `None` before the server's first answer.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn consent(&self) -> Result<Option<KnownConsent>, SpoolError> {
        let row: Option<(String, String)> = self
            .first_row("SELECT state, as_of FROM consent", |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map_err(|e| self.fault(e))?;
        let Some((name, as_of)) = row else { return Ok(None) };
        let state = [ConsentState::NotGranted, ConsentState::Granted, ConsentState::Revoked]
            .into_iter()
            .find(|state| state.name() == name)
            .ok_or_else(|| self.damaged("the consent cannot be understood"))?;
        Ok(Some(KnownConsent { state, as_of: self.instant(&as_of)? }))
    }

    /// Stores the consent as the server answered at `as_of`; a revocation [purges](Self::purge).
    ///
    /// # Errors
    /// Returns [`SpoolError::Revoked`] if consent was revoked before; others of the file.
    pub fn remember_consent(
        &self,
        state: ConsentState,
        as_of: Timestamp,
    ) -> Result<(), SpoolError> {
        if state == ConsentState::Revoked {
            return self.purge(as_of);
        }
        if let Some(known) = self.consent()?
            && known.state == state
            && known.as_of <= as_of
            && as_of.duration_since(known.as_of) < FRESH
            && self.has_consent_copy() == (state == ConsentState::Granted)
        {
            return Ok(());
        }
        let transaction = self.write()?;
        if self.is_revoked()? {
            return Err(SpoolError::Revoked { path: self.path.clone() });
        }
        // Under the database's lock, so that a revocation that arrives meanwhile removes the copy
        // after this.
        match state {
            ConsentState::Granted if !self.has_consent_copy() => self.write_consent_copy(as_of),
            ConsentState::Granted => {}
            ConsentState::NotGranted | ConsentState::Revoked => self.remove_consent_copy()?,
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
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn is_revoked(&self) -> Result<bool, SpoolError> {
        Ok(self.marker().exists() || self.has_revocation()?)
    }

    fn has_revocation(&self) -> Result<bool, SpoolError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM consent WHERE state = 'revoked')";
        self.first_row(sql, |row| row.get(0)).map_err(|e| self.fault(e))
    }

    /// On revocation: stores it for good and removes every measurement, sent or not, so that none
    /// of their bytes is left in the spool's files. Doing it again changes nothing.
    ///
    /// The file beside the database is written first, then the revocation and the removal are one
    /// transaction; files that were set aside as damaged go, too. Then the files are wiped; if that
    /// is interrupted, it is completed when the spool is next opened. Copies of overwritten blocks
    /// that the disk itself keeps (wear levelling of a card) cannot be deleted by a program.
    ///
    /// # Errors
    /// Returns [`SpoolError::Busy`] while another process reads the spool, and another
    /// [`SpoolError`] if the file cannot be read or written.
    pub fn purge(&self, revoked_at: Timestamp) -> Result<(), SpoolError> {
        self.mark_revoked(revoked_at)?;
        let transaction = self.write()?;
        if !self.has_revocation()? {
            transaction
                .execute(
                    "INSERT INTO consent (id, state, as_of) VALUES (1, 'revoked', ?1)
                     ON CONFLICT (id) DO UPDATE
                     SET state = excluded.state, as_of = excluded.as_of, wiped = 0",
                    [revoked_at.to_string()],
                )
                .and_then(|_| {
                    transaction.execute_batch(
                        "DELETE FROM measurement; DELETE FROM refused; DELETE FROM measured;
                         DELETE FROM reading; DELETE FROM unplaced; DELETE FROM incident;",
                    )
                })
                .and_then(|()| self.forget_numbers())
                .map_err(|e| self.fault(e))?;
        }
        // If it cannot be removed, the revocation takes precedence over it.
        let _ = self.remove_consent_copy();
        transaction.commit().map_err(|e| self.fault(e))?;
        self.finish_wipe()
    }

    fn marker(&self) -> PathBuf {
        self.path.with_file_name(MARKER)
    }

    /// Restores the revocation from the file beside a database that has lost it, or was not purged
    /// yet.
    pub(super) fn remember_marked_revocation(&self) -> Result<(), SpoolError> {
        let path = self.marker();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(SpoolError::Marker { path, source }),
        };
        if self.has_revocation()? {
            return Ok(());
        }
        // A truncated file still means that consent is revoked; only the time is unknown then.
        let revoked_at = text.trim().parse().unwrap_or_else(|_| self.options.clock.now());
        self.purge(revoked_at)
    }

    fn mark_revoked(&self, revoked_at: Timestamp) -> Result<(), SpoolError> {
        let path = self.marker();
        let write = || -> io::Result<()> {
            let mut file = File::options().write(true).create_new(true).open(&path)?;
            writeln!(file, "{revoked_at}")?;
            file.sync_all()?;
            // Syncing the folder makes the name durable.
            #[cfg(unix)]
            path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())?;
            Ok(())
        };
        match write() {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            // A full disk must not stop the purge, which makes room. The database contains it then.
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(()),
            Err(source) => Err(SpoolError::Marker { path, source }),
            Ok(()) => Ok(()),
        }
    }

    /// Rewrites the file without deleted data and empties the journal, if that was not done since a
    /// revocation.
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
        super::damage::remove_set_aside(&self.path)?;
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
