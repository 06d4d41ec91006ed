//! Determines when an earlier run of the machine took place, from the seconds that its meters
//! count.
//!
//! Problem: a run whose clock was never right has measurements that follow each other exactly, by
//! the clock that counts from the machine's start, but the time of that start is unknown. A meter
//! that sends a seconds index was also read at instants that are known, before that run and after
//! it.
//!
//! Method: the index counts seconds of the meter's operation, cut off to whole ones. From the
//! instant before, a reading is at least as much later as the index has grown; from the instant
//! after, it is at least as much earlier. Time in which the meter had no power widens this
//! interval, whenever it was, so the start of the run always lies within. Each reading of each
//! meter gives such an interval for the start, which they share; it lies in their intersection.
//!
//! Guarantee: the start is the middle of that, and off by no more than half its length, provided
//! that a meter's quartz is right to 100 ppm. That half is 2 s and 100 ppm of the time between both
//! instants at most: where it is more, or the index differs by more from the true time, it was set
//! back or stopped for too long, and nothing is concluded.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Nanoseconds in a second.
const SECOND: i128 = 1_000_000_000;
/// How far the growth of an index may be from the time between two telegrams: it is cut off to whole
/// seconds, and a telegram is known to be over within a quarter of one.
const STEP: i128 = SECOND + SECOND / 4;
/// How far the index may differ from the true time between two known instants.
const SLACK: i128 = 2 * SECOND;

/// A meter's seconds index at an instant that is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Anchor {
    pub at: Timestamp,
    pub seconds: u32,
}

/// A reading of a run, by the clock that counts from the run's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sighting {
    pub monotonic: Duration,
    pub seconds: u32,
}

/// When a run started, or between which instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    earliest: i128,
    latest: i128,
}

impl Start {
    /// The interval from one meter's readings in a run, between its anchors before and after;
    /// `None` if its index did not agree with the true time.
    pub fn between(before: Anchor, sightings: &[Sighting], after: Anchor) -> Option<Self> {
        let elapsed = nanos(after.at) - nanos(before.at);
        let counted = growth(before.seconds, after.seconds)?;
        if (elapsed - counted).abs() > SLACK + drift(elapsed) {
            return None;
        }
        let mut start = Self { earliest: i128::MIN, latest: i128::MAX };
        for Sighting { monotonic, seconds } in sightings {
            let into = i128::try_from(monotonic.as_nanos()).ok()?;
            let since = growth(before.seconds, *seconds)?;
            let until = growth(*seconds, after.seconds)?;
            let earliest = nanos(before.at) + since - STEP - drift(since) - into;
            let latest = nanos(after.at) - until + STEP + drift(until) - into;
            start = start.and(Self { earliest, latest })?;
        }
        let most = SLACK + drift(elapsed);
        let is_close = start.latest.saturating_sub(start.earliest) <= 2 * most;
        (is_close && !sightings.is_empty()).then_some(start)
    }

    /// The intersection of both; `None` if it is empty.
    pub fn and(self, other: Self) -> Option<Self> {
        let both = Self {
            earliest: self.earliest.max(other.earliest),
            latest: self.latest.min(other.latest),
        };
        (both.earliest <= both.latest).then_some(both)
    }

    /// The time at which the run had lasted that long.
    pub fn time_of(self, monotonic: Duration) -> Option<Timestamp> {
        let middle =
            Timestamp::from_nanosecond((self.earliest + self.latest).div_euclid(2)).ok()?;
        middle.checked_add(SignedDuration::try_from(monotonic).ok()?).ok()
    }

    /// How far that may be off.
    pub fn within(self) -> Duration {
        let half = (self.latest - self.earliest).div_euclid(2) + 1;
        u64::try_from(half).map_or(Duration::MAX, Duration::from_nanos)
    }
}

/// How much an index has grown; `None` if it was set back, or overflowed.
fn growth(from: u32, to: u32) -> Option<i128> {
    to.checked_sub(from).map(|seconds| i128::from(seconds) * SECOND)
}

/// How far a meter's quartz may drift in that time.
const fn drift(nanos: i128) -> i128 {
    nanos.abs() / 10_000
}

fn nanos(at: Timestamp) -> i128 {
    at.as_nanosecond()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_790_000_000_000 + millis).unwrap()
    }

    proptest! {
        /// However long the meter had no power, and whenever that was: the start is as far off as said
        /// at most, and if it is said at all, that is 2 s and 100 ppm of the time between at most.
        #[test]
        fn the_start_is_within_its_bound(
            phase in 0..1000_i64,
            off in 0..20_000_i64,
            off_at in 0..100_000_000_i64,
            ppm in -90..90_i64,
            start in 10_000_i64..40_000_000,
            reads in prop::collection::vec(0..40_000_000_i64, 1..8),
            rest in 1000..20_000_000_i64,
        ) {
            let longest = reads.iter().max().copied().unwrap();
            let end = start + longest + rest;
            // What the meter counts at a true instant.
            let index = |millis: i64| {
                let run = if millis < off_at { millis } else { (millis - off).max(off_at.min(millis)) };
                u32::try_from((run + run * ppm / 1_000_000 + phase).div_euclid(1000) + 5000).unwrap()
            };
            let anchor = |millis: i64| Anchor { at: at(millis), seconds: index(millis) };
            let sightings: Vec<_> = reads
                .iter()
                .map(|read| Sighting {
                    monotonic: Duration::from_millis(read.unsigned_abs()),
                    seconds: index(start + read),
                })
                .collect();
            let found = Start::between(anchor(0), &sightings, anchor(end));
            let lost = if off_at < end { off.min(end - off_at) } else { 0 };
            if let Some(found) = found {
                let middle = found.time_of(Duration::ZERO).unwrap();
                let wrong = middle.duration_since(at(start)).unsigned_abs();
                prop_assert!(wrong <= found.within(), "{wrong:?} of {:?}", found.within());
                let most = Duration::from_millis(2001 + end.unsigned_abs() / 10_000);
                prop_assert!(found.within() <= most, "{:?} > {most:?}", found.within());
                prop_assert!(lost <= 3100 + end / 5_000, "{lost} ms without power went unnoticed");
            } else {
                prop_assert!(lost > 400, "all is well, and nothing is said");
            }
        }
    }
}
