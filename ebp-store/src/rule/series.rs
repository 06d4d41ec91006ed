//! The rules of kept days: which measurements are late, and which days may be kept.
//!
//! PostgreSQL's schema applies the first rule itself (`measurement_is_within_consent`).

use jiff::{SignedDuration, Timestamp};

/// A measurement that is older than this when it arrives is late, and removes the days it changes.
const LATE: SignedDuration = SignedDuration::from_hours(48);

/// Days are kept that no measurement younger than this changes. The hour beyond [`LATE`] is for
/// uploads under way, and for clocks of several servers that differ.
const SETTLED: SignedDuration = SignedDuration::from_hours(49);

/// Whether the measurement arrives so late that kept days may have to be removed.
pub fn is_late(measured_at: Timestamp, received_at: Timestamp) -> bool {
    received_at.duration_since(measured_at) > LATE
}

/// Whether a day may be kept that no measurement at `reach` or later changes, in microseconds since
/// the Unix epoch.
#[must_use]
pub fn is_settled(reach: i64, now: Timestamp) -> bool {
    let micros = i64::try_from(SETTLED.as_micros()).unwrap_or(i64::MAX);
    reach <= now.as_microsecond().saturating_sub(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_settled_is_changed_by_late_measurements_alone() {
        let now: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        let before = |hours| now - SignedDuration::from_hours(hours);
        assert!(!is_late(before(48), now) && is_late(before(49), now));
        // Its clock is ahead.
        assert!(!is_late(before(-1), now));
        assert!(is_settled(before(49).as_microsecond(), now));
        assert!(!is_settled(before(49).as_microsecond() + 1, now));
    }
}
