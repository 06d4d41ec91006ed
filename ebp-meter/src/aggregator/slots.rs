//! Determines the slot, with a clock that may not know the time.
//!
//! Enters: the device's clocks, the cycle. Leaves: the present slot and the next, in time since the
//! machine's start. Absent: waiting.
//!
//! Without the time of day the boundaries of slots are unknown. To measure each slot nevertheless,
//! in whatever part of it the device had power, it measures more often then: every fifteenth part
//! of a cycle in the first half hour, in which nearly every clock is set, and every third part
//! after that. When the time is known, each slot keeps its first.

use std::time::Duration;

use ebp_core::{
    clock::Moment,
    cycle::{Cycle, Slot},
};

/// The time after the machine's start within which a clock is usually set.
const SETTLING: Duration = Duration::from_secs(1800);

/// A slot's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// By the time of day.
    Placed(Slot),
    /// By the time since the machine's start: its number, of slots of that length.
    Unplaced(i64, Cycle),
}

impl Key {
    /// A distinct number for each slot.
    pub const fn number(self) -> i64 {
        match self {
            Self::Placed(slot) => slot.key(),
            Self::Unplaced(index, _) => -1 - index,
        }
    }
}

/// Now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Present {
    /// By every clock.
    pub moment: Moment,
    /// The present slot.
    pub slot: Key,
    /// The next one.
    pub following: Key,
    /// When that begins, by the time since the machine's start.
    pub next: Duration,
}

impl Present {
    pub fn from_moment(moment: Moment, knows_the_time: bool, cycle: Cycle) -> Self {
        if knows_the_time {
            let left = cycle.until_next(moment.at);
            let slot = cycle.slot(moment.at);
            let following = moment.at.saturating_add(left).unwrap_or(moment.at);
            return Self {
                moment,
                slot: Key::Placed(slot),
                following: Key::Placed(cycle.slot(following)),
                next: moment.since_boot.saturating_add(left),
            };
        }
        let part = if moment.since_boot < SETTLING { 15 } else { 3 };
        let (length, cycle) = part_of(cycle, part);
        let index = moment.since_boot.as_secs() / length;
        let number = i64::try_from(index).unwrap_or(i64::MAX - 2);
        Self {
            moment,
            slot: Key::Unplaced(number, cycle),
            following: Key::Unplaced(number + 1, cycle),
            next: Duration::from_secs(index.saturating_add(1).saturating_mul(length)),
        }
    }

    /// Whether the time of day is known.
    pub const fn knows_the_time(&self) -> bool {
        matches!(self.slot, Key::Placed(_))
    }

    /// By the time since the machine's start.
    pub const fn now(&self) -> Duration {
        self.moment.since_boot
    }

    /// How long the present slot still lasts.
    pub const fn left(&self) -> Duration {
        self.next.saturating_sub(self.moment.since_boot)
    }
}

/// That part of a cycle, in whole seconds as all cycles are.
fn part_of(cycle: Cycle, part: u64) -> (u64, Cycle) {
    let seconds = (cycle.duration().as_secs() / part).max(1);
    match format!("{seconds}s").parse() {
        Ok(shorter) => (seconds, shorter),
        Err(_) => (cycle.duration().as_secs().max(1), cycle),
    }
}

#[cfg(test)]
mod tests {
    use ebp_core::clock::{DeviceClock, SimulatedClock};

    use super::*;

    #[test]
    fn with_the_time_of_day_and_without() {
        let clock = SimulatedClock::new("2026-01-31T12:14:00Z".parse().unwrap());
        clock.advance(Duration::from_secs(30));
        let present =
            Present::from_moment(clock.moment(), clock.synchronised(), Cycle::QUARTER_HOUR);
        assert_eq!(
            (present.now(), present.left()),
            (Duration::from_secs(30), Duration::from_secs(30))
        );
        let (Key::Placed(slot), Key::Placed(next)) = (present.slot, present.following) else {
            panic!()
        };
        assert_eq!(slot.start().to_string(), "2026-01-31T12:00:00Z");
        assert_eq!(next.start().to_string(), "2026-01-31T12:15:00Z");

        clock.restart(Duration::from_secs(5), "1970-01-01T00:00:00Z".parse().unwrap());
        clock.advance(Duration::from_secs(61));
        let present =
            Present::from_moment(clock.moment(), clock.synchronised(), Cycle::QUARTER_HOUR);
        assert_eq!((present.slot.number(), present.following.number()), (-2, -3));
        assert_eq!(present.next, Duration::from_secs(120));
        clock.advance(SETTLING);
        let present =
            Present::from_moment(clock.moment(), clock.synchronised(), Cycle::QUARTER_HOUR);
        assert_eq!((present.slot.number(), present.next), (-7, Duration::from_secs(2100)));
        let Key::Unplaced(6, part) = present.slot else { panic!() };
        assert_eq!(part.to_string(), "5m");
        assert!(!present.knows_the_time());
    }
}
