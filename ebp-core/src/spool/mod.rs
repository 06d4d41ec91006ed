//! The device's spool: measurements wait here, on the disk, until the server has confirmed them.
//!
//! Enters: measurements and their slots, confirmations by uuid, the consent as last heard.
//! Leaves: what is still to be sent, oldest first; nothing is lost and no slot is measured twice,
//! whenever the process is killed or the power fails. Absent: the network, the clock, and any word
//! about the household but its measurements.
//!
//! It is one SQLite file in a folder of its own, shared by the processes that measure and send:
//! a write-ahead log with full synchronisation, so that a power cut takes nothing that
//! [`Spool::store`] has returned from.

mod error;
mod open;
mod revocation;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{
    Connection, OptionalExtension, Row, Transaction, TransactionBehavior, named_params, params,
};
use uuid::Uuid;

pub use error::SpoolError;
pub use revocation::KnownConsent;

use crate::{cycle::Slot, model::Measurement};

/// The database's file name in the spool's folder.
pub const FILE_NAME: &str = "spool.sqlite";

/// What became of a measurement that was to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It is on the disk.
    Stored,
    /// The meter was measured in that slot before; this one is left.
    AlreadyMeasured,
}

/// A measurement that the server will not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which.
    pub measurement: Measurement,
    /// The server's reason.
    pub reason: String,
    /// When the answer came, UTC.
    pub refused_at: Timestamp,
}

/// A device's measurements on their way to the server.
#[derive(Debug)]
pub struct Spool {
    connection: Connection,
    path: PathBuf,
}

impl Spool {
    /// Opens the spool in the folder `dir`, which is made where it is missing.
    ///
    /// Any number of processes may open it, also at once.
    ///
    /// # Errors
    /// [`SpoolError`], naming the folder or the file.
    pub fn open(dir: &Path) -> Result<Self, SpoolError> {
        open::folder(dir)?;
        let path = dir.join(FILE_NAME);
        let connection = open::database(&path)?;
        let spool = Self { connection, path };
        // A wipe that was cut short is made up for. Where it fails again (a reader, a full disk), the
        // revocation still stands and must still be told, so that is no reason not to open.
        let _ = spool.finish_wipe();
        Ok(spool)
    }

    /// Whether the meter has been measured in the slot (or in a part of it, when the cycle's length
    /// was another then), be the measurement still here or sent.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn has_slot(&self, meter: Uuid, slot: Slot) -> Result<bool, SpoolError> {
        overlaps(&self.connection, meter, slot).map_err(|e| self.fault(e))
    }

    /// Stores a measurement under its slot; when this returns, it is on the disk.
    ///
    /// # Errors
    /// [`SpoolError::Revoked`] after a revocation; [`SpoolError::Full`] and others of the file.
    pub fn store(&self, measurement: &Measurement, slot: Slot) -> Result<Stored, SpoolError> {
        let transaction = self.write()?;
        if self.is_revoked()? {
            return Err(SpoolError::Revoked { path: self.path.clone() });
        }
        let stored = insert(&transaction, measurement, slot).map_err(|e| self.fault(e))?;
        transaction.commit().map_err(|e| self.fault(e))?;
        Ok(stored)
    }

    /// At most `limit` measurements that the server has not confirmed, in the order in which they
    /// were stored.
    ///
    /// # Errors
    /// [`SpoolError`] of the file; [`SpoolError::Damaged`] where a row cannot be understood.
    pub fn pending(&self, limit: usize) -> Result<Vec<Measurement>, SpoolError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT uuid, meter, measured_at, data FROM measurement ORDER BY sequence LIMIT ?1",
            )
            .map_err(|e| self.fault(e))?;
        let rows = statement.query_map([limit], RawMeasurement::of).map_err(|e| self.fault(e))?;
        rows.map(|row| self.understand(row.map_err(|e| self.fault(e))?)).collect()
    }

    /// Removes exactly these measurements, all or (on an error) none of them; unknown ones are
    /// passed over.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn confirm(&self, uuids: &[Uuid]) -> Result<(), SpoolError> {
        if uuids.is_empty() {
            return Ok(());
        }
        let transaction = self.write()?;
        let removed: rusqlite::Result<()> = uuids.iter().try_for_each(|uuid| {
            transaction
                .prepare_cached("DELETE FROM measurement WHERE uuid = ?1")?
                .execute([uuid.as_bytes()])
                .map(drop)
        });
        removed.and_then(|()| transaction.commit()).map_err(|e| self.fault(e))
    }

    /// Moves a measurement that the server will not have to the refused ones, with the reason;
    /// an unknown one is passed over.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn refuse(&self, uuid: Uuid, reason: &str, at: Timestamp) -> Result<(), SpoolError> {
        let transaction = self.write()?;
        let moved = transaction
            .execute(
                "INSERT INTO refused (uuid, meter, measured_at, data, reason, refused_at)
                 SELECT uuid, meter, measured_at, data, :reason, :at
                 FROM measurement WHERE uuid = :uuid
                 ON CONFLICT (uuid) DO NOTHING",
                named_params! {":uuid": uuid.as_bytes(), ":reason": reason, ":at": at.to_string()},
            )
            .and_then(|_| {
                transaction.execute("DELETE FROM measurement WHERE uuid = ?1", [uuid.as_bytes()])
            });
        moved.and_then(|_| transaction.commit()).map_err(|e| self.fault(e))
    }

    /// The measurements that the server refused, in the order of their refusal.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn refused(&self) -> Result<Vec<Refused>, SpoolError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT uuid, meter, measured_at, data, reason, refused_at FROM refused
                 ORDER BY rowid",
            )
            .map_err(|e| self.fault(e))?;
        let rows = statement
            .query_map([], |row| Ok((RawMeasurement::of(row)?, row.get(4)?, row.get(5)?)))
            .map_err(|e| self.fault(e))?;
        rows.map(|row| {
            let (raw, reason, refused_at): (_, String, String) = row.map_err(|e| self.fault(e))?;
            let refused_at = self.instant(&refused_at)?;
            Ok(Refused { measurement: self.understand(raw)?, reason, refused_at })
        })
        .collect()
    }

    /// How many measurements wait for the server's confirmation.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn len(&self) -> Result<u64, SpoolError> {
        self.connection
            .query_row("SELECT count(*) FROM measurement", [], |row| row.get::<_, i64>(0))
            .map(i64::unsigned_abs)
            .map_err(|e| self.fault(e))
    }

    /// Whether no measurement waits.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn is_empty(&self) -> Result<bool, SpoolError> {
        self.len().map(|len| len == 0)
    }

    /// The database's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a transaction that holds the file for writing from the start, so that what it reads
    /// still holds when it writes.
    fn write(&self) -> Result<Transaction<'_>, SpoolError> {
        Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)
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

    fn understand(&self, raw: RawMeasurement) -> Result<Measurement, SpoolError> {
        let uuid = |bytes: &[u8]| {
            Uuid::from_slice(bytes).map_err(|_| self.damaged("a row's uuid is not of 16 bytes"))
        };
        Ok(Measurement {
            uuid: uuid(&raw.uuid)?,
            meter: uuid(&raw.meter)?,
            measured_at: self.instant(&raw.measured_at)?,
            data: serde_json::from_str(&raw.data)
                .map_err(|_| self.damaged("a row's data cannot be understood"))?,
            flags: Vec::new(),
        })
    }
}

/// A row as the database gives it.
struct RawMeasurement {
    uuid: Vec<u8>,
    meter: Vec<u8>,
    measured_at: String,
    data: String,
}

impl RawMeasurement {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            uuid: row.get(0)?,
            meter: row.get(1)?,
            measured_at: row.get(2)?,
            data: row.get(3)?,
        })
    }
}

/// Whether any time of the slot has been measured. The rows of a meter never overlap, so that only
/// the last one that starts before the slot's end can reach into it.
fn overlaps(connection: &Connection, meter: Uuid, slot: Slot) -> rusqlite::Result<bool> {
    let time = slot.seconds();
    connection
        .prepare_cached(
            "SELECT finish > ?2 FROM measured WHERE meter = ?1 AND start < ?3
             ORDER BY start DESC LIMIT 1",
        )?
        .query_row(params![meter.as_bytes(), time.start, time.end], |row| row.get(0))
        .optional()
        .map(|overlaps| overlaps.unwrap_or(false))
}

fn insert(
    transaction: &Transaction<'_>,
    measurement: &Measurement,
    slot: Slot,
) -> rusqlite::Result<Stored> {
    if overlaps(transaction, measurement.meter, slot)? {
        return Ok(Stored::AlreadyMeasured);
    }
    let data = serde_json::to_string(&measurement.data)
        .map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
    let rows = transaction
        .prepare_cached(
            "INSERT INTO measurement (uuid, meter, measured_at, data) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (uuid) DO NOTHING",
        )?
        .execute(params![
            measurement.uuid.as_bytes(),
            measurement.meter.as_bytes(),
            measurement.measured_at.to_string(),
            data
        ])?;
    if rows == 0 {
        return Ok(Stored::AlreadyMeasured);
    }
    cover(transaction, measurement.meter, slot)?;
    Ok(Stored::Stored)
}

/// Marks the slot as measured, in one row with the time before and after where they adjoin.
fn cover(transaction: &Transaction<'_>, meter: Uuid, slot: Slot) -> rusqlite::Result<()> {
    let (meter, time) = (meter.as_bytes(), slot.seconds());
    let adjoining = |sql: &str, at: i64| -> rusqlite::Result<Option<i64>> {
        transaction.prepare_cached(sql)?.query_row(params![meter, at], |row| row.get(0)).optional()
    };
    let before = adjoining(
        "SELECT start FROM (SELECT start, finish FROM measured WHERE meter = ?1 AND start < ?2
                            ORDER BY start DESC LIMIT 1)
         WHERE finish = ?2",
        time.start,
    )?;
    let after = adjoining("SELECT finish FROM measured WHERE meter = ?1 AND start = ?2", time.end)?;
    if after.is_some() {
        transaction
            .prepare_cached("DELETE FROM measured WHERE meter = ?1 AND start = ?2")?
            .execute(params![meter, time.end])?;
    }
    transaction
        .prepare_cached(
            "INSERT INTO measured (meter, start, finish) VALUES (?1, ?2, ?3)
             ON CONFLICT (meter, start) DO UPDATE SET finish = excluded.finish",
        )?
        .execute(params![meter, before.unwrap_or(time.start), after.unwrap_or(time.end)])?;
    Ok(())
}

#[cfg(test)]
mod tests;
