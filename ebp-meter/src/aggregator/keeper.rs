//! The cycle's interface to the storage of measurements and of the meters' state.
//!
//! Enters: nothing. Leaves: [`Keeper`]. Absent: databases; the device's spool, in `ebp-device`,
//! implements it.

use ebp_core::{
    clock::{DeviceClock, Moment},
    cycle::{Cycle, Slot},
    model::{Failures, Flag, IncidentType, Measurement, MeasurementData},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Heard, Memory};
use crate::readout::ServerId;

/// A meter's last values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastReading {
    /// When.
    pub measured_at: Timestamp,
    /// What.
    pub data: MeasurementData,
}

/// A meter's values at a time when the device's clock was not right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unplaced {
    /// The meter's identifier in the survey.
    pub meter: Uuid,
    /// When, by clocks whose time of day must not be trusted.
    pub at: Moment,
    /// The meter's seconds index, if it sends one.
    pub meter_seconds: Option<u32>,
    /// The data points.
    pub data: MeasurementData,
    /// Its flags.
    pub flags: Vec<Flag>,
}

/// The result of assigning slots to measurements from before the clock was right.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The number that have got their slots.
    pub placed: u64,
    /// The number that may get them once their meters were measured again.
    pub waiting: u64,
}

/// Stores measurements. What a method has stored when it returns is durable, even if the process is
/// killed or the power fails.
pub trait Keeper {
    /// Why something could not be stored.
    type Error;

    /// Whether the time of day is trusted: the clock is synchronised, or has been since the
    /// machine's start.
    ///
    /// # Errors
    /// Returns [`Self::Error`] if the keeper cannot read or write.
    fn knows_the_time(&mut self, clock: &dyn DeviceClock) -> Result<bool, Self::Error>;

    /// Whether the meter has been measured in the slot.
    ///
    /// # Errors
    /// Returns [`Self::Error`] if the keeper cannot read or write.
    fn has_slot(&mut self, meter: Uuid, slot: Slot) -> Result<bool, Self::Error>;

    /// The meter's last reading, sent or not.
    ///
    /// # Errors
    /// Returns [`Self::Error`] if the keeper cannot read or write.
    fn last_reading(&mut self, meter: Uuid) -> Result<Option<LastReading>, Self::Error>;

    /// Whether the number that a telegram shows is another one than the first that was shown in the
    /// meter's place. The first one is learnt, in a form that does not hold it.
    ///
    /// # Errors
    /// Returns [`Self::Error`] if the keeper cannot read or write.
    fn shows_another_meter(&mut self, meter: Uuid, number: &ServerId) -> Result<bool, Self::Error>;

    /// Stores a measurement under its slot, with the meter's seconds index if it sends one; returns
    /// `false` if the slot has a measurement already.
    ///
    /// # Errors
    /// Returns [`Self::Error`] if the keeper cannot write, and always after a revocation.
    fn store(
        &mut self,
        measurement: &Measurement,
        slot: Slot,
        meter_seconds: Option<u32>,
    ) -> Result<bool, Self::Error>;

    /// Whether the meter has been measured in that slot of the time since the machine's start.
    ///
    /// # Errors
    /// Returns [`Self::Error`] if the keeper cannot read or write.
    fn has_unplaced(&mut self, meter: Uuid, at: Moment, cycle: Cycle) -> Result<bool, Self::Error>;

    /// Stores a measurement while the time is not known, once in each slot of the time since the
    /// machine's start; returns `false` if that slot has a measurement already.
    ///
    /// # Errors
    /// Returns [`Self::Error`] if the keeper cannot write, and always after a revocation.
    fn store_unplaced(&mut self, unplaced: &Unplaced, cycle: Cycle) -> Result<bool, Self::Error>;

    /// Assigns slots to those measurements, once the time is known.
    ///
    /// # Errors
    /// Returns [`Self::Error`] if the keeper cannot read or write.
    fn place(&mut self, now: Moment, cycle: Cycle) -> Result<Placed, Self::Error>;

    /// Records that an incident of a meter has begun or ended, with its failures so far; returns
    /// `true` if that is a change. An unchanged state costs nothing.
    ///
    /// # Errors
    /// Returns [`Self::Error`] if the keeper cannot read or write.
    fn note_incident(
        &mut self,
        meter: Uuid,
        kind: IncidentType,
        is_present: bool,
        at: Timestamp,
        failures: Failures,
    ) -> Result<bool, Self::Error>;

    /// Adds to the counts of telegrams. They are figures of quality, and may be lost in a crash.
    fn note_telegrams(&mut self, meter: Uuid, heard: Heard);

    /// The stored state of the meter's incidents; `None` at first.
    ///
    /// # Errors
    /// Returns [`Self::Error`] if the keeper cannot read or write.
    fn recall(&mut self, meter: Uuid) -> Result<Memory, Self::Error>;

    /// Stores that state.
    ///
    /// # Errors
    /// Returns [`Self::Error`] if the keeper cannot read or write.
    fn remember(&mut self, meter: Uuid, memory: &Memory) -> Result<(), Self::Error>;
}
