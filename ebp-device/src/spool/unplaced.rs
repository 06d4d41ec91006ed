//! Measurements whose time was not known when they were taken.

use std::time::Duration;

use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::{
    Spool, SpoolError, Stored,
    measurement::{names, written},
};
use ebp_core::{
    clock::BootId,
    cycle::Cycle,
    model::{Flag, MeasurementData},
};

/// A measurement that was taken while the clock was not synchronised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unplaced {
    /// In which run of the machine.
    pub boot: BootId,
    /// How long that run had lasted then.
    pub monotonic: Duration,
    /// The meter's own seconds index of that telegram, if it sends one and the instant is exact.
    pub meter_seconds: Option<u32>,
    /// The meter's identifier in the survey.
    pub meter: Uuid,
    /// The data points.
    pub data: MeasurementData,
    /// Its flags.
    pub flags: Vec<Flag>,
}

/// Why a measurement stays without a time for good: it is kept, and never sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apart {
    /// The machine was started again before its clock was synchronised, and the meter sends no
    /// seconds index.
    NoMeterTime,
    /// The same, and there is no measurement of known time from before, from which it could be
    /// shown that the meter's seconds index did not stop.
    NothingBefore,
    /// The same, and the meter's seconds index did not advance regularly: it was set back,
    /// overflowed, or stopped.
    MeterTimeBroken,
    /// The time computed from the meter's seconds index is one at which this measurement cannot
    /// have been taken.
    Implausible,
}

impl Apart {
    const NAMES: [(Self, &str); 4] = [
        (Self::NoMeterTime, "no-meter-time"),
        (Self::NothingBefore, "nothing-before"),
        (Self::MeterTimeBroken, "meter-time-broken"),
        (Self::Implausible, "implausible"),
    ];

    /// The name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(reason, _)| *reason == self).map_or("", |(_, name)| name)
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(reason, _)| *reason)
    }
}

/// An unplaced measurement as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptUnplaced {
    /// The measurement.
    pub unplaced: Unplaced,
    /// Why it stays without a time for good; `None` while its time may still be determined.
    pub reason: Option<Apart>,
}

impl Spool {
    /// Whether the meter has been measured in that slot of the clock that counts from the machine's
    /// start, including measurements without a time.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn has_unplaced(
        &self,
        meter: Uuid,
        boot: BootId,
        monotonic: Duration,
        cycle: Cycle,
    ) -> Result<bool, SpoolError> {
        has(&self.connection, meter, boot, monotonic, cycle).map_err(|e| self.fault(e))
    }

    /// Stores a measurement whose time is not known yet; once in each slot of the clock that counts
    /// from the machine's start. When this returns, it is on the disk.
    ///
    /// # Errors
    /// Returns the same errors as [`Spool::store_with`].
    pub fn store_unplaced(&self, unplaced: &Unplaced, cycle: Cycle) -> Result<Stored, SpoolError> {
        let transaction = self.write()?;
        if self.is_revoked()? {
            return Err(SpoolError::Revoked { path: self.path.clone() });
        }
        let fault = |e| self.fault(e);
        let Unplaced { boot, monotonic, meter_seconds, meter, data, flags } = unplaced;
        if has(&transaction, *meter, *boot, *monotonic, cycle).map_err(fault)? {
            return Ok(Stored::AlreadyMeasured);
        }
        let transaction = self.with_room(transaction)?;
        transaction
            .execute(
                "INSERT INTO unplaced (boot, monotonic, meter, seconds, data, flags, before_at,
                                       before_seconds)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6,
                         (SELECT anchor_at FROM reading WHERE meter = ?3),
                         (SELECT anchor_seconds FROM reading WHERE meter = ?3))",
                params![
                    boot.0.as_bytes(),
                    micros(*monotonic),
                    meter.as_bytes(),
                    meter_seconds,
                    written(data).map_err(fault)?,
                    names(flags),
                ],
            )
            .map_err(fault)?;
        self.keep_heard(&transaction).map_err(fault)?;
        transaction.commit().map_err(fault)?;
        self.heard.borrow_mut().clear();
        Ok(Stored::Stored)
    }

    /// How many measurements there are whose time is not known, or never will be.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn unplaced_len(&self) -> Result<u64, SpoolError> {
        self.first_row("SELECT count(*) FROM unplaced", |row| row.get::<_, i64>(0))
            .map(i64::unsigned_abs)
            .map_err(|e| self.fault(e))
    }

    /// All unplaced measurements, in the order in which they were taken.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn unplaced(&self) -> Result<Vec<KeptUnplaced>, SpoolError> {
        let sql = format!("SELECT {} FROM unplaced ORDER BY sequence", RawUnplaced::COLUMNS);
        let rows = self.rows(&sql, [], RawUnplaced::from_row)?;
        rows.into_iter()
            .map(|row| {
                let reason = match &row.reason {
                    Some(name) => Some(
                        Apart::named(name)
                            .ok_or_else(|| self.damaged("a reason cannot be understood"))?,
                    ),
                    None => None,
                };
                Ok(KeptUnplaced { unplaced: self.understand_unplaced(&row)?, reason })
            })
            .collect()
    }

    pub(super) fn understand_unplaced(&self, row: &RawUnplaced) -> Result<Unplaced, SpoolError> {
        Ok(Unplaced {
            boot: BootId(self.uuid(&row.boot)?),
            monotonic: Duration::from_micros(row.monotonic.unsigned_abs()),
            meter_seconds: row.seconds,
            meter: self.uuid(&row.meter)?,
            data: self.data(&row.data)?,
            flags: self.flags(&row.flags)?,
        })
    }
}

/// A row as read from the database.
pub(super) struct RawUnplaced {
    pub sequence: i64,
    pub boot: Vec<u8>,
    pub monotonic: i64,
    pub meter: Vec<u8>,
    pub seconds: Option<u32>,
    pub data: String,
    pub flags: String,
    pub before_at: Option<String>,
    pub before_seconds: Option<u32>,
    pub reason: Option<String>,
}

impl RawUnplaced {
    pub(super) const COLUMNS: &str = "sequence, boot, monotonic, meter, seconds, data, flags, \
                                      before_at, before_seconds, reason";

    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            sequence: row.get(0)?,
            boot: row.get(1)?,
            monotonic: row.get(2)?,
            meter: row.get(3)?,
            seconds: row.get(4)?,
            data: row.get(5)?,
            flags: row.get(6)?,
            before_at: row.get(7)?,
            before_seconds: row.get(8)?,
            reason: row.get(9)?,
        })
    }
}

fn has(
    connection: &Connection,
    meter: Uuid,
    boot: BootId,
    monotonic: Duration,
    cycle: Cycle,
) -> rusqlite::Result<bool> {
    let length = micros(cycle.duration());
    let start = micros(monotonic) / length * length;
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM unplaced WHERE boot = ?1 AND meter = ?2
                            AND monotonic >= ?3 AND monotonic < ?4)",
        )?
        .query_row(params![boot.0.as_bytes(), meter.as_bytes(), start, start + length], |row| {
            row.get(0)
        })
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 2)
}
