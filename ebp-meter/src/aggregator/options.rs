//! Options of the measurement cycle: its slots, and after how many failures it acts.

use std::time::Duration;

use ebp_core::cycle::Cycle;

/// Options of the cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The length of a slot.
    pub cycle: Cycle,
    /// The timeout for a meter.
    pub timeout: Duration,
    /// The number of slots in a row without the survey's codes after which unlocking is tried, or
    /// the incident is reported if it cannot be.
    pub unlock_after: u32,
    /// The number of slots in a row without a telegram after which the incident is reported.
    pub incident_after: u32,
    /// Only the present slot, and each meter once in it.
    pub once: bool,
}

impl Options {
    /// The survey's: 15 minutes, three slots without codes, two without a port.
    pub const SURVEY: Self = Self {
        cycle: Cycle::QUARTER_HOUR,
        timeout: Duration::from_secs(30),
        unlock_after: 3,
        incident_after: 2,
        once: false,
    };
}
