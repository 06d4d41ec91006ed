//! How the measurement cycle goes: its slots, and after how much trouble something is done.

use std::time::Duration;

use ebp_core::cycle::Cycle;

/// How the cycle goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How long a slot is.
    pub cycle: Cycle,
    /// How long a meter is waited for.
    pub timeout: Duration,
    /// In so many slots in a row the survey's codes must be missing before unlocking is tried, or
    /// the incident reported where it cannot be.
    pub unlock_after: u32,
    /// In so many slots in a row nothing must come from a port before the incident is reported.
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
