//! How long and how often a release is tried.

use std::time::Duration;

/// How long and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Within this running time of the machine a release has to prove itself.
    pub trial: Duration,
    /// After this running time without a server a release is kept that proved what needs none.
    pub offline: Duration,
    /// For so long the judge has to reach the server before a missing report is the release's fault.
    pub grace: Duration,
    /// For this running time at most it is seen after going back whether that works better: for
    /// longer than a trial, since what runs again has nothing new to report.
    pub back: Duration,
    /// For this running time at least a release is tried, also if nothing is demanded of it.
    pub settle: Duration,
    /// How long until the next look at a release on trial.
    pub look: Duration,
    /// In so many runs of the machine a release may be tried.
    pub boots: usize,
    /// So often a service may be restarted by itself.
    pub restarts: u32,
    /// How often what is fetched may not be the release.
    pub damaged: u32,
    /// Bytes of the disk that are left to everything else.
    pub keep_free: u64,
    /// Bytes that are fetched in a step.
    pub chunk: usize,
    /// The state is written at least this often while a release is tried.
    pub save: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            trial: Duration::from_secs(40 * 60),
            offline: Duration::from_secs(24 * 3600),
            grace: Duration::from_secs(15 * 60),
            back: Duration::from_secs(90 * 60),
            settle: Duration::from_secs(60),
            look: Duration::from_secs(5),
            boots: 3,
            restarts: 2,
            damaged: 3,
            keep_free: 32 << 20,
            chunk: 256 << 10,
            save: Duration::from_secs(300),
        }
    }
}
