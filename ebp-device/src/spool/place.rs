//! Determines the time of measurements that were taken while the clock was wrong.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use rusqlite::{Transaction, params};
use uuid::Uuid;

use super::{
    Apart, Spool, SpoolError, Unplaced,
    measurement::insert,
    meter_time::{Anchor, Sighting, Start},
    slots,
    unplaced::RawUnplaced,
};
use ebp_core::{
    clock::{BootId, Moment},
    cycle::Cycle,
    model::{Flag, Measurement, measurement_id},
};

/// The result of placing measurements without a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Placed {
    /// They have got their time and are pending.
    pub placed: u64,
    /// Their time is one of a slot that has a measurement: they are removed.
    pub surplus: u64,
    /// They stay without a time for good, each with its reason.
    pub apart: u64,
    /// Their time may still be determined.
    pub waiting: u64,
}

/// A measurement that waits for its time.
struct Row {
    sequence: i64,
    unplaced: Unplaced,
    before: Option<Anchor>,
}

/// When an earlier run of the machine started.
enum Run {
    Known(Start),
    NotYet,
    Never(Apart),
}

impl Spool {
    /// Assigns a time to the unplaced measurements whose time can be determined; they become
    /// ordinary ones with [`Flag::ClockCorrected`]. `now` is of a clock whose time [is
    /// known](Self::knows_the_time). Nothing is written where there is nothing to do.
    ///
    /// Those of this run of the machine: both clocks of `now` say how long ago they were taken. Those
    /// of an earlier run share one time of its start, which the meters that count seconds by
    /// themselves give between the exact instants before that run and after it
    /// (`spool/meter_time.rs`); how far that may be off stands with each of them as a flag. A slot
    /// that has a measurement keeps it.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn place(&self, now: &Moment, cycle: Cycle) -> Result<Placed, SpoolError> {
        if self.waiting()?.is_empty() {
            return Ok(Placed::default());
        }
        let transaction = self.write()?;
        let mut placed = Placed::default();
        let mut runs: BTreeMap<BootId, Vec<Row>> = BTreeMap::new();
        for row in self.waiting()? {
            runs.entry(row.unplaced.boot).or_default().push(row);
        }
        // The first exact instants of this run are the nearest behind the earlier ones.
        let mut after: BTreeMap<Uuid, Anchor> = BTreeMap::new();
        for row in runs.remove(&now.boot).unwrap_or_default() {
            let Unplaced { monotonic, meter, meter_seconds, .. } = row.unplaced;
            match now.time_of(monotonic) {
                Some(at) => {
                    if let Some(seconds) = meter_seconds {
                        after.entry(meter).or_insert(Anchor { at, seconds });
                    }
                    self.place_at(&transaction, &row, at, Duration::ZERO, cycle, &mut placed)?;
                }
                None => self.set_apart(&transaction, &row, Apart::Implausible, &mut placed)?,
            }
        }
        let mut runs: Vec<Vec<Row>> = runs.into_values().collect();
        runs.sort_by_key(|rows| rows.first().map(|row| row.sequence));
        for rows in runs {
            match self.start_of(&rows, &after, now)? {
                Run::Known(start) => {
                    for row in &rows {
                        let Some(at) = start.time_of(row.unplaced.monotonic) else { continue };
                        let within = start.within();
                        self.place_at(&transaction, row, at, within, cycle, &mut placed)?;
                    }
                }
                Run::NotYet => placed.waiting += rows.len() as u64,
                Run::Never(reason) => {
                    for row in &rows {
                        self.set_apart(&transaction, row, reason, &mut placed)?;
                    }
                }
            }
        }
        transaction.commit().map_err(|e| self.fault(e))?;
        Ok(placed)
    }

    fn waiting(&self) -> Result<Vec<Row>, SpoolError> {
        let columns = RawUnplaced::COLUMNS;
        let sql = format!("SELECT {columns} FROM unplaced WHERE reason IS NULL ORDER BY sequence");
        let rows = self.rows(&sql, [], RawUnplaced::from_row)?;
        rows.into_iter()
            .map(|raw| {
                let before = match (&raw.before_at, raw.before_seconds) {
                    (Some(at), Some(seconds)) => Some(Anchor { at: self.instant(at)?, seconds }),
                    _ => None,
                };
                let unplaced = self.understand_unplaced(&raw)?;
                Ok(Row { sequence: raw.sequence, unplaced, before })
            })
            .collect()
    }

    /// When the run started in which these were taken, by all meters that say so.
    fn start_of(
        &self,
        rows: &[Row],
        after: &BTreeMap<Uuid, Anchor>,
        now: &Moment,
    ) -> Result<Run, SpoolError> {
        let mut sightings: BTreeMap<Uuid, Vec<(&Row, Sighting)>> = BTreeMap::new();
        for row in rows {
            if let Unplaced { monotonic, meter, meter_seconds: Some(seconds), .. } = row.unplaced {
                let sighting = Sighting { monotonic, seconds };
                sightings.entry(meter).or_default().push((row, sighting));
            }
        }
        if sightings.is_empty() {
            return Ok(Run::Never(Apart::NoMeterTime));
        }
        let mut known: Option<Start> = None;
        let mut begins_after = None;
        let (mut reason, mut waits) = (Apart::NothingBefore, false);
        for (meter, seen) in sightings {
            let Some(before) = seen.iter().filter_map(|(row, _)| row.before).max_by_key(|a| a.at)
            else {
                continue;
            };
            let latest = self.anchor(meter)?.into_iter().chain(after.get(&meter).copied());
            let Some(after) = latest.filter(|of| of.at > before.at).min_by_key(|of| of.at) else {
                waits = true;
                continue;
            };
            let seen: Vec<_> = seen.into_iter().map(|(_, sighting)| sighting).collect();
            // A meter whose own time is broken says nothing; another one may.
            let Some(start) = Start::between(before, &seen, after) else {
                reason = Apart::MeterTimeBroken;
                continue;
            };
            let both = known.map_or(Some(start), |known| known.and(start));
            let Some(both) = both else { return Ok(Run::Never(Apart::MeterTimeBroken)) };
            known = Some(both);
            begins_after = begins_after.max(Some(before.at));
        }
        let Some(start) = known else {
            return Ok(if waits { Run::NotYet } else { Run::Never(reason) });
        };
        if Flag::of_time_bound(start.within()).is_none() {
            return Ok(Run::Never(Apart::MeterTimeBroken));
        }
        // After what was measured before that run, and before this run began.
        let is_plausible = rows.iter().all(|row| {
            let at = start.time_of(row.unplaced.monotonic);
            at > begins_after && at.is_some() && at < now.started_at()
        });
        Ok(if is_plausible { Run::Known(start) } else { Run::Never(Apart::Implausible) })
    }

    /// Makes an ordinary measurement of it, if its slot is free; else it is removed.
    fn place_at(
        &self,
        transaction: &Transaction<'_>,
        row: &Row,
        at: Timestamp,
        within: Duration,
        cycle: Cycle,
        placed: &mut Placed,
    ) -> Result<(), SpoolError> {
        let fault = |e| self.fault(e);
        let unplaced = &row.unplaced;
        let mut flags = unplaced.flags.clone();
        if !flags.contains(&Flag::ClockCorrected) {
            flags.push(Flag::ClockCorrected);
        }
        // Its instant may have been doubtful by the run's own clock already.
        let own = flags.iter().filter_map(|flag| flag.time_bound()).max().unwrap_or_default();
        let is_exact = within.is_zero() && own.is_zero();
        if !within.is_zero() {
            flags.retain(|flag| flag.time_bound().is_none());
            let Some(bound) = Flag::of_time_bound(within.saturating_add(own)) else {
                return self.set_apart(transaction, row, Apart::MeterTimeBroken, placed);
            };
            flags.push(bound);
        }
        // What databases keep of an instant.
        let measured_at = Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at);
        let slot = cycle.slot(measured_at);
        if slots::overlaps(transaction, unplaced.meter, slot).map_err(fault)? {
            placed.surplus += 1;
        } else {
            let measurement = Measurement {
                uuid: measurement_id(unplaced.meter, slot),
                meter: unplaced.meter,
                measured_at,
                data: unplaced.data.clone(),
                flags,
            };
            insert(transaction, &measurement, slot).map_err(fault)?;
            // Only an exact instant sets others right.
            let seconds = unplaced.meter_seconds.filter(|_| is_exact);
            self.keep_reading(transaction, &measurement, seconds).map_err(fault)?;
            placed.placed += 1;
        }
        transaction
            .execute("DELETE FROM unplaced WHERE sequence = ?1", [row.sequence])
            .map(drop)
            .map_err(fault)
    }

    fn set_apart(
        &self,
        transaction: &Transaction<'_>,
        row: &Row,
        reason: Apart,
        placed: &mut Placed,
    ) -> Result<(), SpoolError> {
        placed.apart += 1;
        transaction
            .execute(
                "UPDATE unplaced SET reason = ?2 WHERE sequence = ?1",
                params![row.sequence, reason.name()],
            )
            .map(drop)
            .map_err(|e| self.fault(e))
    }
}
