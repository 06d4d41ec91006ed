//! When services may be restarted without harm to a reading.

use std::time::Duration;

use ebp_core::cycle::Cycle;
use jiff::Timestamp;

/// With shorter cycles no moment is better than another.
const SHORTEST_CYCLE: Duration = Duration::from_secs(300);

/// Whether no reading is cut off and none delayed by a restart at that instant: between a third and nine
/// tenths of a slot. Readings that take minutes are over by then, and a service has a tenth of the slot
/// to start in before the next one is due. With cycles below five minutes it is always so.
#[must_use]
pub fn is_between_readings(cycle: Cycle, now: Timestamp) -> bool {
    let whole = cycle.duration();
    let past = now.duration_since(cycle.slot(now).start()).unsigned_abs();
    whole < SHORTEST_CYCLE || (whole / 3..whole * 9 / 10).contains(&past)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_slot_is_a_good_moment() {
        let quarter: Cycle = "15m".parse().unwrap();
        for (instant, is_good) in [
            ("2026-12-01T12:00:00Z", false),
            ("2026-12-01T12:04:59Z", false),
            ("2026-12-01T12:05:00Z", true),
            ("2026-12-01T12:13:29Z", true),
            ("2026-12-01T12:13:30Z", false),
            ("2026-12-01T12:14:59Z", false),
        ] {
            let now = instant.parse().unwrap();
            assert_eq!(is_between_readings(quarter, now), is_good, "{instant}");
            assert!(is_between_readings("10s".parse().unwrap(), now), "{instant}");
        }
    }
}
