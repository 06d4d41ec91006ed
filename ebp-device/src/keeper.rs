//! Implements [`Keeper`] for the device's spool.
//!
//! Enters: a [`Spool`]. Leaves: a [`Keeper`]. Absent: the spool itself; SQL.

use crate::spool::{self, Spool, SpoolError, Stored};
use ebp_core::{
    clock::{DeviceClock, Moment},
    cycle::{Cycle, Slot},
    model::{Failures, IncidentType, Measurement},
};
use jiff::Timestamp;
use uuid::Uuid;

use ebp_meter::{
    aggregator::{Heard, Keeper, LastReading, Memory, Placed, Unplaced},
    readout::ServerId,
};

/// A spool that stores the measurements of a cycle.
#[derive(Debug, Clone, Copy)]
pub struct SpoolKeeper<'a>(pub &'a Spool);

impl Keeper for SpoolKeeper<'_> {
    type Error = SpoolError;

    fn knows_the_time(&mut self, clock: &dyn DeviceClock) -> Result<bool, SpoolError> {
        self.0.knows_the_time(clock)
    }

    fn has_slot(&mut self, meter: Uuid, slot: Slot) -> Result<bool, SpoolError> {
        self.0.has_slot(meter, slot)
    }

    fn last_reading(&mut self, meter: Uuid) -> Result<Option<LastReading>, SpoolError> {
        let last = self.0.last_reading(meter)?;
        Ok(last.map(|last| LastReading { measured_at: last.measured_at, data: last.data }))
    }

    fn shows_another_meter(&mut self, meter: Uuid, number: &ServerId) -> Result<bool, SpoolError> {
        self.0.shows_another_number(meter, &number.0)
    }

    fn store(
        &mut self,
        measurement: &Measurement,
        slot: Slot,
        meter_seconds: Option<u32>,
    ) -> Result<bool, SpoolError> {
        Ok(self.0.store_with(measurement, slot, meter_seconds)? == Stored::Stored)
    }

    fn has_unplaced(&mut self, meter: Uuid, at: Moment, cycle: Cycle) -> Result<bool, SpoolError> {
        self.0.has_unplaced(meter, at.boot, at.since_boot, cycle)
    }

    fn store_unplaced(&mut self, unplaced: &Unplaced, cycle: Cycle) -> Result<bool, SpoolError> {
        let Unplaced { meter, at, meter_seconds, data, flags } = unplaced.clone();
        let (boot, monotonic) = (at.boot, at.since_boot);
        let unplaced = spool::Unplaced { boot, monotonic, meter_seconds, meter, data, flags };
        Ok(self.0.store_unplaced(&unplaced, cycle)? == Stored::Stored)
    }

    fn place(&mut self, now: Moment, cycle: Cycle) -> Result<Placed, SpoolError> {
        let spool::Placed { placed, waiting, .. } = self.0.place(&now, cycle)?;
        Ok(Placed { placed, waiting })
    }

    fn note_incident(
        &mut self,
        meter: Uuid,
        kind: IncidentType,
        is_present: bool,
        at: Timestamp,
        failures: Failures,
    ) -> Result<bool, SpoolError> {
        self.0.note_incident_with(meter, kind, is_present, at, failures)
    }

    fn note_telegrams(&mut self, meter: Uuid, heard: Heard) {
        self.0.note_telegrams(meter, heard.good.into(), heard.damaged.into());
    }

    fn recall(&mut self, meter: Uuid) -> Result<Memory, SpoolError> {
        // A value that cannot be parsed is from another version, and is ignored.
        let text = self.0.recall(&name(meter))?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    fn remember(&mut self, meter: Uuid, memory: &Memory) -> Result<(), SpoolError> {
        let text = serde_json::to_string(memory).unwrap_or_default();
        self.0.remember(&name(meter), &text)
    }
}

fn name(meter: Uuid) -> String {
    format!("meter {meter}")
}
