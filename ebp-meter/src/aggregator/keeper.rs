//! Where measurements and what is known of the meters are kept, as the cycle sees it.
//!
//! Enters: nothing. Leaves: [`Keeper`]. Absent: databases: the device's spool is
//! one, in `ebp-device`.

use ebp_core::{
    clock::{DeviceClock, Moment},
    cycle::{Cycle, Slot},
    model::{Failures, Flag, IncidentType, Measurement, MeasurementData},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Heard, Memory};

/// What a meter showed last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastReading {
    /// When.
    pub measured_at: Timestamp,
    /// What.
    pub data: MeasurementData,
}

/// What a meter showed while the device did not know the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unplaced {
    /// The meter's identifier in the survey.
    pub meter: Uuid,
    /// When, by clocks of which the time of day is not to be trusted.
    pub at: Moment,
    /// The meter's own counter of seconds, where it sends one.
    pub meter_seconds: Option<u32>,
    /// The data points.
    pub data: MeasurementData,
    /// What is doubtful about it.
    pub flags: Vec<Flag>,
}

/// What became of measurements of a time without a clock.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// So many have got their slots.
    pub placed: u64,
    /// So many may get theirs once their meters were measured again.
    pub waiting: u64,
}

/// Keeps measurements; what it has returned from stays, whatever happens to process and power.
pub trait Keeper {
    /// Why something could not be kept.
    type Error;

    /// Whether the time of day can be relied on: the clock is synchronised, or has been since the
    /// machine's start.
    ///
    /// # Errors
    /// The keeping's.
    fn knows_the_time(&mut self, clock: &dyn DeviceClock) -> Result<bool, Self::Error>;

    /// Whether the meter has been measured in the slot.
    ///
    /// # Errors
    /// The keeping's.
    fn has_slot(&mut self, meter: Uuid, slot: Slot) -> Result<bool, Self::Error>;

    /// The meter's last reading, sent or not.
    ///
    /// # Errors
    /// The keeping's.
    fn last_reading(&mut self, meter: Uuid) -> Result<Option<LastReading>, Self::Error>;

    /// Keeps a measurement under its slot, with the meter's own counter of seconds where it sends
    /// one; `false` where there is a measurement of that slot already.
    ///
    /// # Errors
    /// The keeping's; after a revocation always.
    fn store(
        &mut self,
        measurement: &Measurement,
        slot: Slot,
        meter_seconds: Option<u32>,
    ) -> Result<bool, Self::Error>;

    /// Whether the meter has been measured in that slot of the time since the machine's start.
    ///
    /// # Errors
    /// The keeping's.
    fn has_unplaced(&mut self, meter: Uuid, at: Moment, cycle: Cycle) -> Result<bool, Self::Error>;

    /// Keeps what was measured while the time was not known, once in each slot of the time since the
    /// machine's start; `false` where there is a measurement of that slot already.
    ///
    /// # Errors
    /// The keeping's; after a revocation always.
    fn store_unplaced(&mut self, unplaced: &Unplaced, cycle: Cycle) -> Result<bool, Self::Error>;

    /// The time is known, now: gives those measurements their slots.
    ///
    /// # Errors
    /// The keeping's.
    fn place(&mut self, now: Moment, cycle: Cycle) -> Result<Placed, Self::Error>;

    /// Says that something is wrong with a meter, or no longer, and of what failures so far; `true`
    /// where that is news. What is known already costs nothing.
    ///
    /// # Errors
    /// The keeping's.
    fn note_incident(
        &mut self,
        meter: Uuid,
        kind: IncidentType,
        is_present: bool,
        at: Timestamp,
        failures: Failures,
    ) -> Result<bool, Self::Error>;

    /// Adds to the counts of telegrams. They are figures of quality, and need not outlast a crash.
    fn note_telegrams(&mut self, meter: Uuid, heard: Heard);

    /// What was remembered of the meter's troubles; nothing at first.
    ///
    /// # Errors
    /// The keeping's.
    fn recall(&mut self, meter: Uuid) -> Result<Memory, Self::Error>;

    /// Remembers that.
    ///
    /// # Errors
    /// The keeping's.
    fn remember(&mut self, meter: Uuid, memory: &Memory) -> Result<(), Self::Error>;
}
