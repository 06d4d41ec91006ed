//! How far a job is, between the work and the worker that renews its lease.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// Of how many steps how many are done, and whether the work is to stop.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    done: AtomicU64,
    /// 0 as long as it is not known.
    total: AtomicU64,
    stopped: AtomicBool,
}

impl Progress {
    /// There are so many steps.
    pub fn expect(&self, total: u64) {
        self.0.total.store(total, Ordering::Relaxed);
    }

    /// One more step is done. False if the work is to stop: the job was cancelled, another worker
    /// has it, or the server ends.
    #[must_use]
    pub fn advance(&self) -> bool {
        self.0.done.fetch_add(1, Ordering::Relaxed);
        !self.0.stopped.load(Ordering::Relaxed)
    }

    /// So many steps are done by now. False if the work is to stop.
    #[cfg_attr(not(feature = "export"), allow(dead_code, reason = "for exports"))]
    #[must_use]
    pub fn reach(&self, done: u64) -> bool {
        self.0.done.store(done, Ordering::Relaxed);
        !self.0.stopped.load(Ordering::Relaxed)
    }

    /// Makes the work stop at its next step.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Relaxed);
    }

    /// How many steps are done, and how many there are.
    #[must_use]
    pub fn steps(&self) -> (u64, Option<u64>) {
        let total = self.0.total.load(Ordering::Relaxed);
        (self.0.done.load(Ordering::Relaxed), (total > 0).then_some(total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_counts_its_steps_until_it_is_stopped() {
        let progress = Progress::default();
        assert_eq!(progress.steps(), (0, None));
        progress.expect(2);
        assert!(progress.advance());
        progress.stop();
        assert!(!progress.advance());
        assert_eq!(progress.steps(), (2, Some(2)));
        assert!(!progress.reach(1));
        assert_eq!(progress.steps(), (1, Some(2)));
    }
}
