//! A device's clocks as a simulation sets them: steps, restarts, drift, hours without a network.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    device::{BootId, DeviceClock},
    wall::Clock,
};

/// Clocks that only advance when a method is called.
#[derive(Debug)]
pub struct SimulatedClock {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    truth: Timestamp,
    /// How far the time of day is off.
    error: SignedDuration,
    boot: u128,
    since_boot: Duration,
    synchronised: bool,
    /// How much too fast the machine's quartz is, in parts per million; synchronisation corrects
    /// it.
    drift: i32,
}

impl SimulatedClock {
    /// A synchronised clock at the true time `at`, at the start of its first run.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        Self {
            state: Mutex::new(State {
                truth: at,
                error: SignedDuration::ZERO,
                boot: 1,
                since_boot: Duration::ZERO,
                synchronised: true,
                drift: 0,
            }),
        }
    }

    /// The true time, which the device may not know.
    #[must_use]
    pub fn truth(&self) -> Timestamp {
        self.state().truth
    }

    /// Lets that much true time pass.
    pub fn advance(&self, time: Duration) {
        let mut state = self.state();
        let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
        let gained = if state.synchronised {
            SignedDuration::ZERO
        } else {
            let nanos = time.as_nanos() * i128::from(state.drift) / 1_000_000;
            SignedDuration::from_nanos_i128(nanos)
        };
        state.truth = state.truth.saturating_add(time).unwrap_or(Timestamp::MAX);
        state.error += gained;
        state.since_boot += (time + gained).unsigned_abs();
    }

    /// Sets the time of day forwards or backwards, as a person or a program does.
    pub fn step(&self, by: SignedDuration) {
        self.state().error += by;
    }

    /// How much too fast the machine's quartz is from now on, in parts per million.
    pub fn set_drift(&self, parts_per_million: i32) {
        self.state().drift = parts_per_million;
    }

    /// The power is gone for that long; then the machine starts with the time of day `shown`, as
    /// one without a battery does, and not synchronised.
    pub fn restart(&self, without_power: Duration, shown: Timestamp) {
        let mut state = self.state();
        let off = SignedDuration::try_from(without_power).unwrap_or(SignedDuration::MAX);
        state.truth = state.truth.saturating_add(off).unwrap_or(Timestamp::MAX);
        state.error = state.truth.duration_until(shown);
        state.boot += 1;
        state.since_boot = Duration::ZERO;
        state.synchronised = false;
    }

    /// Synchronises the clock: the time of day is right from now on.
    pub fn synchronise(&self) {
        let mut state = self.state();
        state.error = SignedDuration::ZERO;
        state.synchronised = true;
    }

    /// Loses synchronisation: the time of day drifts from now on.
    pub fn lose_synchronisation(&self) {
        self.state().synchronised = false;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        let state = self.state();
        state.truth.saturating_add(state.error).unwrap_or(state.truth)
    }
}

impl DeviceClock for SimulatedClock {
    fn boot(&self) -> BootId {
        BootId(Uuid::from_u128(self.state().boot))
    }

    fn since_boot(&self) -> Duration {
        self.state().since_boot
    }

    fn synchronised(&self) -> bool {
        self.state().synchronised
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_time_since_the_start_is_not_touched_when_the_clock_is_set() {
        let clock = SimulatedClock::new(at("2026-01-31T12:00:00Z"));
        clock.advance(Duration::from_secs(60));
        clock.step(SignedDuration::from_hours(-3));
        assert_eq!(clock.now(), at("2026-01-31T09:01:00Z"));
        assert_eq!(clock.since_boot(), Duration::from_secs(60));
        let boot = clock.boot();
        clock.restart(Duration::from_secs(600), at("1970-01-01T00:00:00Z"));
        assert_eq!((clock.now(), clock.since_boot()), (Timestamp::UNIX_EPOCH, Duration::ZERO));
        assert!(clock.boot() != boot && !clock.synchronised());
        clock.set_drift(100);
        clock.advance(Duration::from_secs(10_000));
        assert_eq!(clock.now(), at("1970-01-01T02:46:41Z"));
        clock.synchronise();
        assert_eq!(clock.now(), at("2026-01-31T14:57:40Z"));
        assert_eq!(clock.now(), clock.truth());
    }
}
