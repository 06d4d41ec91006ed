//! When a device reports: a fixed instant in each cycle, with increasing waits after failures.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use ebp_core::cycle::Cycle;

/// The wait after a first failure; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(30);

/// The longest wait that a device chooses without `Retry-After`. After an outage of days a fleet is
/// back within this time, spread over its second half.
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);

/// The namespace of the offsets (UUID version 5).
const NAMESPACE: Uuid = Uuid::from_u128(0x3d0c_9a1b_52f7_4c68_8a75_1d55_2a0b_7e11);

/// A device's report cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    cycle: i128,
    offset: i128,
}

impl Schedule {
    /// Reports in each cycle, at an offset that follows from the device's identifier: always the same
    /// for one device, and evenly spread over a fleet, so that it does not arrive at once.
    #[must_use]
    pub fn for_device(device: Uuid, cycle: Cycle) -> Self {
        let cycle = i128::try_from(cycle.duration().as_nanos()).unwrap_or(i128::MAX);
        let (random, _) = Uuid::new_v5(&NAMESPACE, device.as_bytes()).as_u64_pair();
        // The lower 16 bits have the version's number among them.
        let offset = (i128::from(random >> 16) * cycle) >> 48;
        Self { cycle, offset }
    }

    /// How long after the start of each cycle the device reports.
    #[must_use]
    pub fn offset(&self) -> Duration {
        duration(self.offset)
    }

    /// Whether both instants lie in the same of this device's cycles.
    #[must_use]
    pub fn is_same_cycle(&self, one: Timestamp, other: Timestamp) -> bool {
        self.number(one) == self.number(other)
    }

    /// How long from `at` to the start of the device's next cycle.
    #[must_use]
    pub fn until_next(&self, at: Timestamp) -> Duration {
        let next = (self.number(at) + 1) * self.cycle + self.offset;
        duration(next - at.as_nanosecond())
    }

    fn number(&self, at: Timestamp) -> i128 {
        (at.as_nanosecond() - self.offset).div_euclid(self.cycle)
    }
}

/// How long to wait after so many failures in a row: exponential, with a random share, and never
/// shorter than the server asked for.
#[must_use]
pub fn patience(failures: u32, asked_for: Option<Duration>, random: u32) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    let wait = doubled.min(LONGEST_WAIT);
    let share = |of: Duration| of.mul_f64(f64::from(random) / f64::from(u32::MAX));
    let own = wait / 2 + share(wait / 2);
    // Those who were all asked to come back in a minute do not come back in the same instant.
    let asked_for = asked_for.map_or(Duration::ZERO, |wait| wait + share(wait / 10));
    own.max(asked_for)
}

fn duration(nanos: i128) -> Duration {
    u64::try_from(nanos).map_or(Duration::ZERO, Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_fleet_is_spread_evenly_over_the_cycle() {
        let mut tenths = [0; 10];
        for device in 0..10_000_u128 {
            // Identifiers that differ in one bit are as far apart as any.
            let offset = Schedule::for_device(Uuid::from_u128(device), Cycle::HOUR).offset();
            assert!(offset < Duration::from_secs(3600));
            tenths[(offset.as_secs() / 360) as usize] += 1;
        }
        assert!(tenths.iter().all(|count| (850..1150).contains(count)), "{tenths:?}");
        let device = Uuid::from_u128(7);
        assert_eq!(
            Schedule::for_device(device, Cycle::HOUR),
            Schedule::for_device(device, Cycle::HOUR)
        );
    }

    #[test]
    fn waits_grow_and_end_at_ten_minutes() {
        let seconds = |failures, random| patience(failures, None, random).as_secs_f64();
        assert_eq!(seconds(1, 0), 15.0);
        assert_eq!(seconds(1, u32::MAX), 30.0);
        assert_eq!(seconds(3, 0), 60.0);
        assert_eq!((seconds(60, 0), seconds(u32::MAX, u32::MAX)), (300.0, 600.0));
        let asked = Some(Duration::from_secs(3600));
        assert_eq!(patience(1, asked, 0), Duration::from_secs(3600));
        assert_eq!(patience(1, asked, u32::MAX), Duration::from_secs(3960));
        assert_eq!(patience(0, Some(Duration::ZERO), 0), FIRST_WAIT / 2);
    }

    proptest! {
        #[test]
        fn the_next_cycle_is_ahead_and_no_longer_away_than_one(
            device in any::<u128>(), second in -1_000_000_000..4_000_000_000_i64, nanos in 0..1_000_000_000
        ) {
            let schedule = Schedule::for_device(Uuid::from_u128(device), Cycle::HOUR);
            let at = Timestamp::new(second, nanos).unwrap();
            let wait = schedule.until_next(at);
            prop_assert!(wait > Duration::ZERO && wait <= Duration::from_secs(3600));
            let next = at + SignedDuration::try_from(wait).unwrap();
            prop_assert!(!schedule.is_same_cycle(at, next));
            prop_assert!(schedule.is_same_cycle(next, next + SignedDuration::from_secs(3599)));
            prop_assert_eq!(schedule.until_next(next), Duration::from_secs(3600));
        }
    }
}
