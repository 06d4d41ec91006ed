//! Time that passes while light is made and ports are read: the machine's, or a simulation's. The time
//! of day is [`ebp_core::clock`].

use std::time::{Duration, Instant};

/// Monotonic time and sleep, so that tests run a minute's plan in no time.
pub trait Pace {
    /// Time since any fixed start; never runs backward.
    fn now(&self) -> Duration;

    /// Returns at that time, not earlier.
    fn sleep_until(&self, at: Duration);

    /// Returns when that much time has passed, not earlier.
    fn pause(&self, time: Duration) {
        self.sleep_until(self.now().saturating_add(time));
    }
}

/// The machine's monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct RealPace {
    start: Instant,
}

impl Default for RealPace {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Pace for RealPace {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep_until(&self, at: Duration) {
        // Sleeping never ends early, unless the deadline has passed.
        std::thread::sleep(at.saturating_sub(self.now()));
    }

    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    struct Simulated(Mutex<Duration>);

    impl Pace for Simulated {
        fn now(&self) -> Duration {
            *self.0.lock().unwrap()
        }

        fn sleep_until(&self, at: Duration) {
            *self.0.lock().unwrap() = at;
        }
    }

    #[test]
    fn a_pause_lets_its_time_pass() {
        let simulated = Simulated(Mutex::new(Duration::from_secs(7)));
        simulated.pause(Duration::from_secs(3));
        assert_eq!(simulated.now(), Duration::from_secs(10));
        simulated.pause(Duration::MAX);
        assert_eq!(simulated.now(), Duration::MAX);
        let real = RealPace::default();
        let before = real.now();
        real.pause(Duration::from_millis(20));
        assert!(real.now() - before >= Duration::from_millis(20));
    }
}
