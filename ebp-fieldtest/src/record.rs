//! A meter of the survey with what is known of it, and the cycle in which it is measured.

use ebp_core::cycle::Cycle;
use uuid::Uuid;

use crate::port::Shared;

/// The measurement cycle.
pub const CYCLE: Cycle = Cycle::QUARTER_HOUR;

/// A meter with what is known of it.
pub struct MeterRecord {
    /// In the survey.
    pub uuid: Uuid,
    /// Its household.
    pub household: Uuid,
    /// Its model's name.
    pub model: String,
    /// Which device reads it.
    pub device: usize,
    /// The meter.
    pub wall: Shared,
}
