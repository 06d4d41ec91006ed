//! The demo's cycle and polling interval.

use std::time::Duration;

/// The demo's measurement cycle represents a quarter of an hour.
pub const CYCLE_STANDS_FOR: Duration = Duration::from_secs(900);
/// Measurement cycles in a report cycle, as in the survey: an hour's four quarters.
pub const CYCLES_PER_REPORT: u32 = 4;
/// How often a waiting demo looks at the clock and for a signal.
pub const LOOK: Duration = Duration::from_millis(500);
