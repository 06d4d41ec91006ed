//! Time that passes: the machine's, or a simulation's.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crate::unlock;

/// Time that passes.
pub(super) trait Pace: Send {
    /// Since any beginning.
    fn now(&self) -> Duration;

    /// Lets time pass.
    fn pause(&self, time: Duration);
}

/// The time of a simulation.
pub(super) struct SimulatedTime(pub Arc<dyn unlock::Pace + Send + Sync>);

impl Pace for SimulatedTime {
    fn now(&self) -> Duration {
        self.0.now()
    }

    fn pause(&self, time: Duration) {
        self.0.sleep_until(self.0.now().saturating_add(time));
    }
}

/// The machine's time, from now on.
pub(super) struct RealTime(pub Instant);

impl Pace for RealTime {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn pause(&self, time: Duration) {
        thread::sleep(time);
    }
}
