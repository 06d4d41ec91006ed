//! The reading heads of a device in simulated time.
//!
//! Enters: jobs. Leaves: their reports, at the instants at which they are done. Absent: the work,
//! which is the program's own ([`JobRunner`]).

use std::{sync::Arc, time::Duration};

use ebp_core::clock::SimulatedClock;
use ebp_meter::{
    aggregator::{ConfiguredMeter, Done, Heads, Job, JobRunner},
    unlock::Tries,
};
use jiff::Timestamp;

use crate::{
    chance::after,
    port::{JobTime, Shared, environment},
};

/// Heads on meters on the wall.
pub struct WallHeads {
    meters: Vec<(ConfiguredMeter, Shared)>,
    clock: Arc<SimulatedClock>,
    tries: Tries,
    /// The device or the process ends then: no light falls after it.
    pub end: Timestamp,
    due: Vec<(Timestamp, usize, Done)>,
}

impl WallHeads {
    /// The heads of those meters.
    #[must_use]
    pub fn new(
        meters: Vec<(ConfiguredMeter, Shared)>,
        clock: Arc<SimulatedClock>,
        tries: Tries,
    ) -> Self {
        Self { meters, clock, tries, end: Timestamp::MAX, due: Vec::new() }
    }

    /// When the next job is done.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        self.due.iter().map(|(at, ..)| *at).min()
    }
}

impl Heads for WallHeads {
    fn begin(&mut self, meter: usize, job: Job) {
        let Some((configured, wall)) = self.meters.get(meter) else { return };
        let now = self.clock.truth();
        if job == Job::Reset {
            self.due.push((after(now, Duration::from_secs(1)), meter, Done::Reset(Ok(()))));
            return;
        }
        let time = Arc::new(JobTime::new(now, &*self.clock));
        let environment = environment(wall, &time, &self.tries, self.end);
        let runner = JobRunner { environment: &environment, clock: &*time, goes_on: &|_| {} };
        let done = runner.run(configured, job);
        // A thread takes a moment to begin and to be heard.
        let at = after(now, time.passed() + Duration::from_millis(1));
        self.due.push((at, meter, done));
    }

    fn leave(&mut self, meter: usize) {
        self.due.retain(|(_, of, _)| *of != meter);
    }

    fn report(&mut self) -> Option<(usize, Done)> {
        let now = self.clock.truth();
        let index = self.due.iter().position(|(at, ..)| *at <= now)?;
        let (_, meter, done) = self.due.swap_remove(index);
        Some((meter, done))
    }
}
