//! The rules for when a job is tried again and when it is given up: pure functions for both
//! databases.

use std::time::Duration;

/// How leases last and how often a job is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobPolicy {
    /// How long a worker may go without renewing its lease.
    pub lease: Duration,
    /// How long after a lease's end another worker waits before it takes the job over. The holder
    /// measures its lease by its own clock: this covers the difference between the rates of that
    /// clock and the database's, and the time that the answer which granted the lease was under
    /// way.
    pub allowance: Duration,
    /// The wait after the first failure; it doubles with each further one.
    pub first_delay: Duration,
    /// The longest wait between two attempts.
    pub longest_delay: Duration,
    /// The number of failures at which a job is given up.
    pub failures: u32,
    /// After how many losses of its worker a job is still begun again at once. After further ones
    /// it waits as after failures, since the job itself may be what ends its workers.
    pub losses_at_once: u32,
    /// The number of losses at which a job is given up.
    pub losses: u32,
}

impl Default for JobPolicy {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(60),
            allowance: Duration::from_secs(10),
            first_delay: Duration::from_secs(30),
            longest_delay: Duration::from_secs(3600),
            failures: 5,
            losses_at_once: 5,
            losses: 128,
        }
    }
}

impl JobPolicy {
    /// How long a job waits after its `failures`th failure; none if it is given up.
    #[must_use]
    pub fn after_failure(&self, failures: u32) -> Option<Duration> {
        (failures < self.failures).then(|| self.delay(failures))
    }

    /// How long a job waits after it has lost its worker for the `losses`th time; none if it is
    /// given up.
    #[must_use]
    pub fn after_loss(&self, losses: u32) -> Option<Duration> {
        if losses >= self.losses {
            return None;
        }
        Some(losses.checked_sub(self.losses_at_once).map_or(Duration::ZERO, |n| self.delay(n)))
    }

    /// The wait after `failures` failures: it doubles with each one from the second on.
    fn delay(&self, failures: u32) -> Duration {
        match failures {
            0 => Duration::ZERO,
            n => {
                let doubled = 2_u32.saturating_pow(n - 1);
                self.first_delay.saturating_mul(doubled).min(self.longest_delay)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour_and_end() {
        let policy = JobPolicy::default();
        let seconds = |wait: Option<Duration>| wait.map(|wait| wait.as_secs());
        let waits: Vec<_> = (1..=5).map(|n| seconds(policy.after_failure(n))).collect();
        assert_eq!(waits, [Some(30), Some(60), Some(120), Some(240), None]);
        let long = JobPolicy { failures: 100, ..policy };
        assert_eq!(seconds(long.after_failure(99)), Some(3600));
    }

    #[test]
    fn a_few_lost_workers_cost_no_wait_and_many_end_the_job() {
        let policy = JobPolicy::default();
        let waits: Vec<_> = [1, 5, 6, 7, 20, 127, 128].map(|n| policy.after_loss(n)).to_vec();
        let expected = [Some(0), Some(0), Some(30), Some(60), Some(3600), Some(3600), None];
        assert_eq!(waits, expected.map(|wait| wait.map(Duration::from_secs)));
    }
}
