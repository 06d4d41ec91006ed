//! Real reading heads: each job on a thread of its own.
//!
//! Enters: jobs. Leaves: their reports. Absent: what follows from them.
//!
//! A thread for each job costs a few microseconds in a quarter of an hour, and none has anything to
//! share with another. One that hangs in the kernel cannot be ended; it is left behind, and a second
//! one may try its luck. When that hangs too, no third is begun before one of them has come back.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use ebp_core::clock::DeviceClock;

use super::{ConfiguredMeter, Done, Heads, Heard, Job, JobRunner, ReadError};
use crate::interface::Environment;

/// So many threads may hang at one meter.
const MOST_LEFT: usize = 2;
/// A press that was told to stop ends within this time.
const DARK_WITHIN: Duration = Duration::from_secs(3);

/// The heads of the configured meters.
pub struct Threads {
    meters: Vec<Arc<ConfiguredMeter>>,
    shared: Shared,
    at_work: Vec<AtWork>,
    sender: Sender<(usize, u64, Done)>,
    reports: Receiver<(usize, u64, Done)>,
}

/// What all threads share.
#[derive(Clone)]
struct Shared {
    environment: Environment,
    clock: Arc<dyn DeviceClock>,
    notify: Arc<dyn Fn() + Send + Sync>,
}

/// The threads of a meter.
#[derive(Default)]
struct AtWork {
    /// Which job is the present one.
    job: u64,
    /// Until when the present job has said that it goes on, milliseconds since the machine's start.
    until: Arc<AtomicU64>,
    /// Whether one of the threads may make light.
    shines: bool,
    thread: Option<JoinHandle<()>>,
    left: Vec<JoinHandle<()>>,
}

impl Threads {
    /// The heads of those meters, in that order, by the device's clocks. `notify` is called when there
    /// is a report.
    #[must_use]
    pub fn new(
        meters: &[ConfiguredMeter],
        environment: Environment,
        clock: Arc<dyn DeviceClock>,
        notify: Arc<dyn Fn() + Send + Sync>,
    ) -> Self {
        let (sender, reports) = mpsc::channel();
        let shared = Shared { environment, clock, notify };
        Self {
            meters: meters.iter().cloned().map(Arc::new).collect(),
            shared,
            at_work: meters.iter().map(|_| AtWork::default()).collect(),
            sender,
            reports,
        }
    }

    /// Waits until no head shines any more, once all were told to stop; but not for ever, since a
    /// thread that hangs cannot be waited for. Those that only listen end with the process.
    pub fn darken(&mut self) {
        let shining = self.at_work.drain(..).filter(|work| work.shines);
        let threads: Vec<_> =
            shining.flat_map(|work| work.thread.into_iter().chain(work.left)).collect();
        let deadline = Instant::now() + DARK_WITHIN;
        while threads.iter().any(|thread| !thread.is_finished()) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Heads for Threads {
    fn begin(&mut self, meter: usize, job: Job) {
        let (Some(configured), Some(work)) = (self.meters.get(meter), self.at_work.get_mut(meter))
        else {
            return;
        };
        work.left.retain(|thread| !thread.is_finished());
        work.job += 1;
        work.until = Arc::default();
        let until = Arc::clone(&work.until);
        work.shines =
            matches!(job, Job::Unlock { .. } | Job::Press) || work.shines && !work.left.is_empty();
        let (number, sender) = (work.job, self.sender.clone());
        if work.left.len() >= MOST_LEFT {
            let telegram = Err(ReadError::Hangs { waited: Duration::ZERO });
            let _ = sender.send((meter, number, Done::Read { telegram, heard: Heard::default() }));
            return;
        }
        let (configured, shared) = (Arc::clone(configured), self.shared.clone());
        let work_on = move || {
            // A decoder's fault in one meter's telegram must not cost the others theirs.
            let done =
                panic::catch_unwind(AssertUnwindSafe(|| shared.run(&configured, job, &until)));
            let _ = sender.send((meter, number, done.unwrap_or(Done::Crashed)));
            (shared.notify)();
        };
        match thread::Builder::new().name(format!("meter {meter}")).spawn(work_on) {
            Ok(thread) => work.thread = Some(thread),
            Err(error) => {
                tracing::error!(%error, "no thread");
                let _ = self.sender.send((meter, number, Done::Crashed));
            }
        }
    }

    fn leave(&mut self, meter: usize) {
        if let Some(work) = self.at_work.get_mut(meter) {
            work.job += 1;
            work.left.extend(work.thread.take());
        }
    }

    fn goes_on_until(&self, meter: usize) -> Option<Duration> {
        let until = self.at_work.get(meter)?.until.load(Ordering::Relaxed);
        (until > 0).then(|| Duration::from_millis(until))
    }

    fn report(&mut self) -> Option<(usize, Done)> {
        loop {
            let (meter, number, done) = self.reports.try_recv().ok()?;
            if self.at_work.get(meter).is_some_and(|work| work.job == number) {
                return Some((meter, done));
            }
        }
    }
}

impl Shared {
    fn run(&self, meter: &ConfiguredMeter, job: Job, until: &AtomicU64) -> Done {
        let goes_on = |at: Duration| {
            until.store(u64::try_from(at.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        };
        let runner =
            JobRunner { environment: &self.environment, clock: &*self.clock, goes_on: &goes_on };
        runner.run(meter, job)
    }
}
