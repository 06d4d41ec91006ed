//! The time of measurements that were taken while the clock was wrong, once it can be known.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Transaction, params};

use super::{
    Apart, LastReading, Spool, SpoolError, measurement::insert, slots, unplaced::RawUnplaced,
};
use crate::{
    clock::Moment,
    cycle::Cycle,
    model::{Flag, Measurement, measurement_id},
};

/// How far the meter's own time may differ from the true time, whatever the span: it counts whole
/// seconds, and a telegram takes some to arrive.
const SLACK: f64 = 5.0;

/// And by what share of the span: the worst quartz is ten times as good.
const DRIFT: f64 = 0.000_5;

/// What became of the unplaced measurements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Placed {
    /// They have their time and wait to be sent.
    pub placed: u64,
    /// They are kept apart for good, each with its reason.
    pub apart: u64,
    /// Their time may still become known.
    pub waiting: u64,
}

enum Time {
    Known(Timestamp),
    NotYet,
    Never(Apart),
}

impl Spool {
    /// Gives the unplaced measurements their time, as far as it is known for sure; they become
    /// ordinary ones with [`Flag::ClockCorrected`]. `now` is of a clock whose time
    /// [is known](Self::knows_the_time). Nothing is written where there is nothing to do.
    ///
    /// Those of this run of the machine: both clocks of `now` say how long ago they were taken. Those
    /// of an earlier run: where the meter counts seconds by itself, its measurements of known time
    /// before and after enclose them. That is believed if the meter's seconds ran with the true time
    /// from the one to the other, so that it neither was set back nor stood still, and if the result
    /// is after the one before and before this run began. A slot that has a measurement keeps it.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn place(&self, now: &Moment, cycle: Cycle) -> Result<Placed, SpoolError> {
        if self.waiting()?.is_empty() {
            return Ok(Placed::default());
        }
        let transaction = self.write()?;
        let mut rows = self.waiting()?;
        // Those of this run first: they may be the ones of known time that follow the others.
        rows.sort_by_key(|row| row.boot != now.boot.0.as_bytes());
        let mut placed = Placed::default();
        for row in rows {
            match self.time_of(&row, now)? {
                Time::Known(at) if self.place_at(&transaction, &row, at, cycle)? => {
                    placed.placed += 1;
                }
                Time::Known(_) => {
                    self.set_apart(&transaction, &row, Apart::SlotMeasured)?;
                    placed.apart += 1;
                }
                Time::Never(reason) => {
                    self.set_apart(&transaction, &row, reason)?;
                    placed.apart += 1;
                }
                Time::NotYet => placed.waiting += 1,
            }
        }
        transaction.commit().map_err(|e| self.fault(e))?;
        Ok(placed)
    }

    fn waiting(&self) -> Result<Vec<RawUnplaced>, SpoolError> {
        let columns = RawUnplaced::COLUMNS;
        let sql = format!("SELECT {columns} FROM unplaced WHERE reason IS NULL ORDER BY sequence");
        self.rows(&sql, [], RawUnplaced::of)
    }

    fn time_of(&self, row: &RawUnplaced, now: &Moment) -> Result<Time, SpoolError> {
        let unplaced = self.understand_unplaced(row)?;
        if unplaced.boot == now.boot {
            return Ok(now
                .time_of(unplaced.monotonic)
                .map_or(Time::Never(Apart::Implausible), Time::Known));
        }
        let Some(seconds) = unplaced.meter_seconds else {
            return Ok(Time::Never(Apart::NoMeterTime));
        };
        let Some(before_at) = &row.before_at else {
            return Ok(Time::Never(Apart::NothingBefore));
        };
        let Some(before_seconds) = row.before_seconds else {
            return Ok(Time::Never(Apart::NoMeterTime));
        };
        let before = (self.instant(before_at)?, before_seconds);
        let after = match self.last_reading(unplaced.meter)? {
            Some(LastReading { measured_at, meter_seconds: Some(seconds), .. })
                if measured_at > before.0 =>
            {
                (measured_at, seconds)
            }
            _ => return Ok(Time::NotYet),
        };
        let Some(at) = between(before, seconds, after) else {
            return Ok(Time::Never(Apart::MeterTimeBroken));
        };
        let is_plausible = at > before.0 && now.started_at().is_some_and(|start| at < start);
        Ok(if is_plausible { Time::Known(at) } else { Time::Never(Apart::Implausible) })
    }

    /// Whether the slot was free.
    fn place_at(
        &self,
        transaction: &Transaction<'_>,
        row: &RawUnplaced,
        at: Timestamp,
        cycle: Cycle,
    ) -> Result<bool, SpoolError> {
        let fault = |e| self.fault(e);
        let unplaced = self.understand_unplaced(row)?;
        // What databases keep of an instant.
        let measured_at = Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at);
        let slot = cycle.slot(measured_at);
        if slots::overlaps(transaction, unplaced.meter, slot).map_err(fault)? {
            return Ok(false);
        }
        let mut flags = unplaced.flags;
        if !flags.contains(&Flag::ClockCorrected) {
            flags.push(Flag::ClockCorrected);
        }
        let measurement = Measurement {
            uuid: measurement_id(unplaced.meter, slot),
            meter: unplaced.meter,
            measured_at,
            data: unplaced.data,
            flags,
        };
        insert(transaction, &measurement, slot).map_err(fault)?;
        self.keep_reading(transaction, &measurement, unplaced.meter_seconds).map_err(fault)?;
        transaction
            .execute("DELETE FROM unplaced WHERE sequence = ?1", [row.sequence])
            .map_err(fault)?;
        Ok(true)
    }

    fn set_apart(
        &self,
        transaction: &Transaction<'_>,
        row: &RawUnplaced,
        reason: Apart,
    ) -> Result<(), SpoolError> {
        transaction
            .execute(
                "UPDATE unplaced SET reason = ?2 WHERE sequence = ?1",
                params![row.sequence, reason.name()],
            )
            .map(drop)
            .map_err(|e| self.fault(e))
    }
}

/// When the meter's own time was `seconds`, between two known instants; nothing where it did not run
/// with the true time.
fn between(
    (before, before_seconds): (Timestamp, u32),
    seconds: u32,
    (after, after_seconds): (Timestamp, u32),
) -> Option<Timestamp> {
    let run = after_seconds.checked_sub(before_seconds).filter(|run| *run > 0)?;
    let into = seconds.checked_sub(before_seconds).filter(|into| *into <= run)?;
    let elapsed = after.duration_since(before);
    let off = (elapsed.as_secs_f64() - f64::from(run)).abs();
    if off > SLACK + DRIFT * elapsed.as_secs_f64() {
        return None;
    }
    let nanos = elapsed.as_nanos() * i128::from(into) / i128::from(run);
    before.checked_add(SignedDuration::from_nanos_i128(nanos)).ok()
}
