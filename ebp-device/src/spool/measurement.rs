//! Pending measurements, and those that the server refused.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Row, Transaction, named_params, params};
use uuid::Uuid;

use super::{Spool, SpoolError, slots};
use ebp_core::{
    cycle::Slot,
    model::{DataPoint, Flag, Measurement},
};

/// The result of storing a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It is on the disk.
    Stored,
    /// The meter was measured in that slot before; this one is ignored.
    AlreadyMeasured,
}

/// A measurement that the server refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which.
    pub measurement: Measurement,
    /// The server's reason.
    pub reason: String,
    /// When the answer came, UTC.
    pub refused_at: Timestamp,
}

impl Spool {
    /// Whether the meter has been measured in the slot (or in a part of it, when the cycle's length
    /// was another then), whether the measurement is still here or was sent.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn has_slot(&self, meter: Uuid, slot: Slot) -> Result<bool, SpoolError> {
        slots::overlaps(&self.connection, meter, slot).map_err(|e| self.fault(e))
    }

    /// Stores a measurement under its slot; when this returns, it is on the disk.
    ///
    /// # Errors
    /// Returns the same errors as [`Spool::store_with`].
    pub fn store(&self, measurement: &Measurement, slot: Slot) -> Result<Stored, SpoolError> {
        self.store_with(measurement, slot, None)
    }

    /// Stores a measurement under its slot, with the meter's own seconds index of that telegram;
    /// when this returns, it is on the disk. The counts of
    /// [`note_telegrams`](Spool::note_telegrams) are written with it.
    ///
    /// The clock must have been synchronised: other times are computed from measurements that are
    /// stored here.
    ///
    /// # Errors
    /// Returns [`SpoolError::Revoked`] after a revocation, [`SpoolError::LimitReached`] if the
    /// spool has its largest size, [`SpoolError::Full`] if the disk is full, and another
    /// [`SpoolError`] if the file cannot be read or written.
    pub fn store_with(
        &self,
        measurement: &Measurement,
        slot: Slot,
        meter_seconds: Option<u32>,
    ) -> Result<Stored, SpoolError> {
        let transaction = self.write()?;
        if self.is_revoked()? {
            return Err(SpoolError::Revoked { path: self.path.clone() });
        }
        let fault = |e| self.fault(e);
        if slots::overlaps(&transaction, measurement.meter, slot).map_err(fault)? {
            return Ok(Stored::AlreadyMeasured);
        }
        let transaction = self.with_room(transaction)?;
        insert(&transaction, measurement, slot).map_err(fault)?;
        self.keep_reading(&transaction, measurement, meter_seconds).map_err(fault)?;
        self.keep_heard(&transaction).map_err(fault)?;
        transaction.commit().map_err(fault)?;
        self.heard.borrow_mut().clear();
        Ok(Stored::Stored)
    }

    /// At most `limit` measurements that the server has not confirmed, in the order in which they
    /// were stored.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process), and [`SpoolError::Damaged`] if a row cannot be
    /// decoded.
    pub fn pending(&self, limit: usize) -> Result<Vec<Measurement>, SpoolError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = "SELECT uuid, meter, measured_at, data, flags FROM measurement
                   ORDER BY sequence LIMIT ?1";
        let rows = self.rows(sql, [limit], RawMeasurement::from_row)?;
        rows.into_iter().map(|row| self.understand(row)).collect()
    }

    /// At most `limit` measurements that the server has not confirmed, those that were stored last
    /// first.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process), and [`SpoolError::Damaged`] if a row cannot be
    /// decoded.
    pub fn newest(&self, limit: usize) -> Result<Vec<Measurement>, SpoolError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = "SELECT uuid, meter, measured_at, data, flags FROM measurement
                   ORDER BY sequence DESC LIMIT ?1";
        let rows = self.rows(sql, [limit], RawMeasurement::from_row)?;
        rows.into_iter().map(|row| self.understand(row)).collect()
    }

    /// Removes exactly these measurements, all or (on an error) none of them; unknown ones are
    /// ignored.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn confirm(&self, uuids: &[Uuid]) -> Result<(), SpoolError> {
        if uuids.is_empty() {
            return Ok(());
        }
        let transaction = self.write()?;
        let removed = sequences(&transaction, uuids).and_then(|sequences| {
            let mut delete =
                transaction.prepare_cached("DELETE FROM measurement WHERE sequence = ?1")?;
            sequences.iter().try_for_each(|sequence| delete.execute([sequence]).map(drop))
        });
        removed.and_then(|()| transaction.commit()).map_err(|e| self.fault(e))
    }

    /// Moves a measurement that the server refused to the refused ones, with the reason; an unknown
    /// one is ignored.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn refuse(&self, uuid: Uuid, reason: &str, at: Timestamp) -> Result<(), SpoolError> {
        let transaction = self.write()?;
        let moved = transaction
            .execute(
                "INSERT INTO refused (uuid, meter, measured_at, data, flags, reason, refused_at)
                 SELECT uuid, meter, measured_at, data, flags, :reason, :at
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
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn refused(&self) -> Result<Vec<Refused>, SpoolError> {
        let sql = "SELECT uuid, meter, measured_at, data, flags, reason, refused_at FROM refused
                   ORDER BY rowid";
        let rows: Vec<(_, String, String)> = self
            .rows(sql, [], |row| Ok((RawMeasurement::from_row(row)?, row.get(5)?, row.get(6)?)))?;
        rows.into_iter()
            .map(|(raw, reason, refused_at)| {
                let refused_at = self.instant(&refused_at)?;
                Ok(Refused { measurement: self.understand(raw)?, reason, refused_at })
            })
            .collect()
    }

    /// How many measurements are pending.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn len(&self) -> Result<u64, SpoolError> {
        self.first_row("SELECT count(*) FROM measurement", |row| row.get::<_, i64>(0))
            .map(i64::unsigned_abs)
            .map_err(|e| self.fault(e))
    }

    /// How many measurements the server refused.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn refused_len(&self) -> Result<u64, SpoolError> {
        self.first_row("SELECT count(*) FROM refused", |row| row.get::<_, i64>(0))
            .map(i64::unsigned_abs)
            .map_err(|e| self.fault(e))
    }

    /// Whether no measurement is pending.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn is_empty(&self) -> Result<bool, SpoolError> {
        self.len().map(|len| len == 0)
    }

    fn understand(&self, raw: RawMeasurement) -> Result<Measurement, SpoolError> {
        Ok(Measurement {
            uuid: self.uuid(&raw.uuid)?,
            meter: self.uuid(&raw.meter)?,
            measured_at: self.instant(&raw.measured_at)?,
            data: self.data(&raw.data)?,
            flags: self.flags(&raw.flags)?,
        })
    }

    pub(super) fn data(&self, text: &str) -> Result<Vec<DataPoint>, SpoolError> {
        serde_json::from_str(text).map_err(|_| self.damaged("a row's data cannot be understood"))
    }

    pub(super) fn flags(&self, text: &str) -> Result<Vec<Flag>, SpoolError> {
        let flag = |name| Flag::ALL.into_iter().find(|flag| flag.name() == name);
        text.split_ascii_whitespace()
            .map(|name| flag(name).ok_or_else(|| self.damaged("a row's flag is unknown")))
            .collect()
    }
}

/// Data points as they are written.
pub(super) fn written(data: &[DataPoint]) -> rusqlite::Result<String> {
    serde_json::to_string(data).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}

/// Flags as they are written: their names, separated by spaces.
pub(super) fn names(flags: &[Flag]) -> String {
    flags.iter().map(|flag| flag.name()).collect::<Vec<_>>().join(" ")
}

/// Adds a measurement to the pending ones, and marks its slot.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    measurement: &Measurement,
    slot: Slot,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO measurement (uuid, meter, measured_at, data, flags)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            measurement.uuid.as_bytes(),
            measurement.meter.as_bytes(),
            measurement.measured_at.to_string(),
            written(&measurement.data)?,
            names(&measurement.flags),
        ])?;
    slots::cover(transaction, measurement.meter, slot)
}

/// The row numbers of those measurements. The search begins with the oldest, which are sent first,
/// so that it is short without an index.
fn sequences(transaction: &Transaction<'_>, uuids: &[Uuid]) -> rusqlite::Result<Vec<i64>> {
    let mut wanted: HashSet<&[u8]> = uuids.iter().map(|uuid| uuid.as_bytes().as_slice()).collect();
    let mut found = Vec::with_capacity(wanted.len());
    let mut statement =
        transaction.prepare_cached("SELECT sequence, uuid FROM measurement ORDER BY sequence")?;
    let mut rows = statement.query([])?;
    while !wanted.is_empty()
        && let Some(row) = rows.next()?
    {
        if wanted.remove(row.get_ref(1)?.as_blob()?) {
            found.push(row.get(0)?);
        }
    }
    Ok(found)
}

/// A row as read from the database.
struct RawMeasurement {
    uuid: Vec<u8>,
    meter: Vec<u8>,
    measured_at: String,
    data: String,
    flags: String,
}

impl RawMeasurement {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            uuid: row.get(0)?,
            meter: row.get(1)?,
            measured_at: row.get(2)?,
            data: row.get(3)?,
            flags: row.get(4)?,
        })
    }
}
