//! A keeper in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ebp_core::{
    clock::{DeviceClock, Moment},
    cycle::{Cycle, Slot},
    model::{Failures, IncidentType, Measurement},
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{aggregator::*, readout::ServerId};

/// Keeps in memory what outlasts a process.
#[derive(Default)]
pub struct SimKeeper {
    pub measurements: Vec<(Measurement, Slot)>,
    /// The meters' own seconds of those that were measured.
    pub seconds: Vec<Option<u32>>,
    pub unplaced: Vec<Unplaced>,
    pub incidents: BTreeMap<(Uuid, IncidentType), bool>,
    /// What was last said of the failures of each.
    pub failures: BTreeMap<(Uuid, IncidentType), Failures>,
    pub memories: BTreeMap<Uuid, Memory>,
    pub numbers: BTreeMap<Uuid, ServerId>,
    pub heard: Heard,
    pub is_full: bool,
    pub writes: usize,
    synchronised: BTreeSet<Uuid>,
}

impl Keeper for SimKeeper {
    type Error = &'static str;

    fn knows_the_time(&mut self, clock: &dyn DeviceClock) -> Result<bool, &'static str> {
        if clock.synchronised() {
            self.synchronised.insert(clock.boot().0);
        }
        Ok(self.synchronised.contains(&clock.boot().0))
    }

    fn has_slot(&mut self, meter: Uuid, slot: Slot) -> Result<bool, &'static str> {
        Ok(self.measurements.iter().any(|(m, s)| m.meter == meter && *s == slot))
    }

    fn last_reading(&mut self, meter: Uuid) -> Result<Option<LastReading>, &'static str> {
        let of = self.measurements.iter().filter(|(m, _)| m.meter == meter);
        let last = of.max_by_key(|(m, _)| m.measured_at);
        Ok(last.map(|(m, _)| LastReading { measured_at: m.measured_at, data: m.data.clone() }))
    }

    fn shows_another_meter(&mut self, meter: Uuid, id: &ServerId) -> Result<bool, &'static str> {
        Ok(self.numbers.entry(meter).or_insert_with(|| id.clone()) != id)
    }

    fn store(
        &mut self,
        measurement: &Measurement,
        slot: Slot,
        meter_seconds: Option<u32>,
    ) -> Result<bool, &'static str> {
        if self.is_full {
            return Err("full");
        }
        if self.has_slot(measurement.meter, slot)? {
            return Ok(false);
        }
        self.writes += 1;
        self.measurements.push((measurement.clone(), slot));
        self.seconds.push(meter_seconds);
        Ok(true)
    }

    fn has_unplaced(
        &mut self,
        meter: Uuid,
        at: Moment,
        cycle: Cycle,
    ) -> Result<bool, &'static str> {
        let slot = |at: Duration| at.as_micros() / cycle.duration().as_micros();
        Ok(self.unplaced.iter().any(|u| {
            u.meter == meter && u.at.boot == at.boot && slot(u.at.since_boot) == slot(at.since_boot)
        }))
    }

    fn store_unplaced(&mut self, unplaced: &Unplaced, cycle: Cycle) -> Result<bool, &'static str> {
        if self.has_unplaced(unplaced.meter, unplaced.at, cycle)? {
            return Ok(false);
        }
        self.writes += 1;
        self.unplaced.push(unplaced.clone());
        Ok(true)
    }

    fn place(&mut self, now: Moment, cycle: Cycle) -> Result<Placed, &'static str> {
        let mut placed = Placed::default();
        for unplaced in std::mem::take(&mut self.unplaced) {
            if unplaced.at.boot != now.boot {
                placed.waiting += 1;
                self.unplaced.push(unplaced);
                continue;
            }
            let measured_at = now.time_of(unplaced.at.since_boot).unwrap();
            let slot = cycle.slot(measured_at);
            let uuid = ebp_core::model::measurement_id(unplaced.meter, slot);
            let Unplaced { meter, data, flags, .. } = unplaced;
            let measurement = Measurement { uuid, meter, measured_at, data, flags };
            placed.placed += u64::from(self.store(&measurement, slot, None)?);
        }
        Ok(placed)
    }

    fn note_incident(
        &mut self,
        meter: Uuid,
        kind: IncidentType,
        is_present: bool,
        _: Timestamp,
        failures: Failures,
    ) -> Result<bool, &'static str> {
        let before = self.incidents.insert((meter, kind), is_present).unwrap_or(false);
        self.failures.insert((meter, kind), failures);
        Ok(before != is_present)
    }

    fn note_telegrams(&mut self, _: Uuid, heard: Heard) {
        self.heard.good += heard.good;
        self.heard.damaged += heard.damaged;
    }

    fn recall(&mut self, meter: Uuid) -> Result<Memory, &'static str> {
        Ok(self.memories.get(&meter).copied().unwrap_or_default())
    }

    fn remember(&mut self, meter: Uuid, memory: &Memory) -> Result<(), &'static str> {
        self.writes += 1;
        self.memories.insert(meter, *memory);
        Ok(())
    }
}
