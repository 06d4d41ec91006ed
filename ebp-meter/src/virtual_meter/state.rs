//! The state of a virtual meter, which can be saved between runs.

use serde::{Deserialize, Serialize};

use super::{energies::Energies, unit::LockMemory};

/// What a virtual meter must remember to go on where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterState {
    /// The simulated instant, milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    /// Nanoseconds beyond that millisecond.
    pub rest_ns: u32,
    /// Milliseconds of operation.
    pub operating_ms: u64,
    /// The registers.
    pub energies: Energies,
    /// The telegrams sent so far.
    pub telegrams: u32,
    /// Its lock, where it has one that opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockMemory>,
}
