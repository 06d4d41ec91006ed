//! A measurement device's clocks: it has no battery-backed clock, so after a start without a
//! network its time of day is wrong until the clock is synchronised.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::wall::Clock;

/// One run of the machine, from its start to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootId(pub Uuid);

/// The readings of all clocks of a device at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The time of day, UTC; right only where the clock is synchronised.
    pub at: Timestamp,
    /// Which run of the machine.
    pub boot: BootId,
    /// How long that run has lasted, sleep included; it cannot be set and is never wrong.
    pub since_boot: Duration,
}

impl Moment {
    /// The time of day of another instant of the same run.
    ///
    /// `None` if it is outside the range of dates.
    #[must_use]
    pub fn time_of(&self, since_boot: Duration) -> Option<Timestamp> {
        self.started_at()?.checked_add(SignedDuration::try_from(since_boot).ok()?).ok()
    }

    /// When that run began.
    #[must_use]
    pub fn started_at(&self) -> Option<Timestamp> {
        self.at.checked_sub(SignedDuration::try_from(self.since_boot).ok()?).ok()
    }
}

/// The clocks of a measurement device.
///
/// Implementations guarantee: within one [`boot`](Self::boot), [`since_boot`](Self::since_boot)
/// never runs backwards and does not change when the time of day is set; each run has another
/// identifier.
pub trait DeviceClock: Clock {
    /// Which run of the machine this is.
    fn boot(&self) -> BootId;

    /// How long this run has lasted, sleep included (`CLOCK_BOOTTIME`).
    fn since_boot(&self) -> Duration;

    /// Whether the time of day is synchronised with another clock.
    fn synchronised(&self) -> bool;

    /// All clocks at once.
    fn moment(&self) -> Moment {
        Moment { at: self.now(), boot: self.boot(), since_boot: self.since_boot() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_an_earlier_instant_of_the_same_run() {
        let moment = Moment {
            at: "2026-01-31T12:00:00Z".parse().unwrap(),
            boot: BootId(Uuid::nil()),
            since_boot: Duration::from_secs(3600),
        };
        let earlier = moment.time_of(Duration::from_secs(60)).unwrap();
        assert_eq!(earlier.to_string(), "2026-01-31T11:01:00Z");
        assert_eq!(moment.started_at().unwrap().to_string(), "2026-01-31T11:00:00Z");
        assert_eq!(moment.time_of(Duration::MAX), None);
    }
}
