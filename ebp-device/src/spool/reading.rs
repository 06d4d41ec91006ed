//! The last values of each meter, and the quality of its reception.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::{Spool, SpoolError, file::Telegrams, measurement::written, meter_time::Anchor};
use ebp_core::model::{Measurement, MeasurementData};

/// A meter's latest measurement of known time, sent or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastReading {
    /// When, UTC.
    pub measured_at: Timestamp,
    /// What it showed.
    pub data: MeasurementData,
}

impl Spool {
    /// What the meter showed in its latest measurement of known time; it is kept after the
    /// measurement was sent.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn last_reading(&self, meter: Uuid) -> Result<Option<LastReading>, SpoolError> {
        let row: Option<(String, String)> = self
            .connection
            .prepare_cached(
                "SELECT measured_at, data FROM reading
                 WHERE meter = ?1 AND measured_at IS NOT NULL AND data IS NOT NULL",
            )
            .and_then(|mut statement| {
                statement
                    .query_row([meter.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()
            })
            .map_err(|e| self.fault(e))?;
        row.map(|(at, data)| {
            Ok(LastReading { measured_at: self.instant(&at)?, data: self.data(&data)? })
        })
        .transpose()
    }

    /// The meter's own seconds index at the last instant that is exact.
    pub(super) fn anchor(&self, meter: Uuid) -> Result<Option<Anchor>, SpoolError> {
        let row: Option<(String, u32)> = self
            .connection
            .prepare_cached(
                "SELECT anchor_at, anchor_seconds FROM reading
                 WHERE meter = ?1 AND anchor_at IS NOT NULL AND anchor_seconds IS NOT NULL",
            )
            .and_then(|mut statement| {
                statement
                    .query_row([meter.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()
            })
            .map_err(|e| self.fault(e))?;
        row.map(|(at, seconds)| Ok(Anchor { at: self.instant(&at)?, seconds })).transpose()
    }

    /// Counts telegrams of a meter, in memory: they are written with the next measurement, and
    /// those counted since are lost when the process ends. They are figures of quality, which don't
    /// justify a separate write.
    pub fn note_telegrams(&self, meter: Uuid, good: u64, damaged: u64) {
        let mut heard = self.heard.borrow_mut();
        let count = heard.entry(meter).or_default();
        count.good = count.good.saturating_add(good);
        count.damaged = count.damaged.saturating_add(damaged);
    }

    /// The counts of each meter's telegrams that were written and not reported yet.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn telegrams(&self) -> Result<Vec<(Uuid, Telegrams)>, SpoolError> {
        let rows: Vec<(Vec<u8>, i64, i64)> = self.rows(
            "SELECT meter, good, damaged FROM reading WHERE good > 0 OR damaged > 0
             ORDER BY meter",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        rows.into_iter()
            .map(|(meter, good, damaged)| {
                let (good, damaged) = (good.unsigned_abs(), damaged.unsigned_abs());
                Ok((self.uuid(&meter)?, Telegrams { good, damaged }))
            })
            .collect()
    }

    /// Subtracts counts that were reported; telegrams received since remain.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn telegrams_told(&self, told: &[(Uuid, Telegrams)]) -> Result<(), SpoolError> {
        if told.is_empty() {
            return Ok(());
        }
        let transaction = self.write()?;
        told.iter()
            .try_for_each(|(meter, count)| {
                transaction
                    .execute(
                        "UPDATE reading SET good = max(0, good - ?2), damaged = max(0, damaged - ?3)
                         WHERE meter = ?1",
                        params![meter.as_bytes(), signed(count.good), signed(count.damaged)],
                    )
                    .map(drop)
            })
            .and_then(|()| transaction.commit())
            .map_err(|e| self.fault(e))
    }

    /// Stores the meter's values unless newer ones are stored. With `meter_seconds` the instant is
    /// exact, and other times are computed from it.
    pub(super) fn keep_reading(
        &self,
        transaction: &Transaction<'_>,
        measurement: &Measurement,
        meter_seconds: Option<u32>,
    ) -> rusqlite::Result<()> {
        let known: Option<Option<String>> = transaction
            .prepare_cached("SELECT measured_at FROM reading WHERE meter = ?1")?
            .query_row([measurement.meter.as_bytes()], |row| row.get(0))
            .optional()?;
        let newest = known.flatten().and_then(|at| at.parse::<Timestamp>().ok());
        if newest.is_some_and(|newest| newest >= measurement.measured_at) {
            return Ok(());
        }
        transaction
            .prepare_cached(
                "INSERT INTO reading (meter, measured_at, data, anchor_at, anchor_seconds)
                 VALUES (?1, ?2, ?3, iif(?4 IS NULL, NULL, ?2), ?4)
                 ON CONFLICT (meter) DO UPDATE SET measured_at = excluded.measured_at,
                 data = excluded.data,
                 anchor_at = coalesce(excluded.anchor_at, anchor_at),
                 anchor_seconds = coalesce(excluded.anchor_seconds, anchor_seconds)",
            )?
            .execute(params![
                measurement.meter.as_bytes(),
                measurement.measured_at.to_string(),
                written(&measurement.data)?,
                meter_seconds,
            ])
            .map(drop)
    }

    /// Writes what was counted in memory; the caller empties that once the transaction is done.
    pub(super) fn keep_heard(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        for (meter, count) in self.heard.borrow().iter() {
            transaction
                .prepare_cached(
                    "INSERT INTO reading (meter, good, damaged) VALUES (?1, ?2, ?3)
                     ON CONFLICT (meter) DO UPDATE
                     SET good = good + excluded.good, damaged = damaged + excluded.damaged",
                )?
                .execute(params![meter.as_bytes(), signed(count.good), signed(count.damaged)])?;
        }
        Ok(())
    }
}

/// A count as the database keeps it; far beyond what any meter sends, it stays at the most there is.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX / 2)
}
