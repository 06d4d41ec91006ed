//! What the workers of a server share.

use std::{path::PathBuf, sync::Arc, time::Duration};

use ebp_store::JobPolicy;
use ebp_survey::Survey;

use super::kind::AnyKind;
use crate::{database_clock::DatabaseClock, telemetry::Telemetry};

/// How jobs are done.
#[derive(Debug, Clone)]
pub struct JobSettings {
    /// Jobs that this server does at the same time; none at all with 0.
    pub workers: usize,
    /// How leases last and how often a job is tried.
    pub policy: JobPolicy,
    /// How often a worker without a job looks for one.
    pub poll: Duration,
    /// How often a worker looks whether its job was cancelled.
    pub look: Duration,
    /// The folder in which attempts may keep files; only this server's jobs may use it.
    pub folder: PathBuf,
}

impl Default for JobSettings {
    fn default() -> Self {
        Self {
            workers: 2,
            policy: JobPolicy::default(),
            poll: Duration::from_millis(500),
            look: Duration::from_secs(1),
            folder: std::env::temp_dir().join("ebp-jobs"),
        }
    }
}

/// What workers share.
pub(super) struct Shared {
    pub survey: Arc<Survey>,
    pub telemetry: Arc<Telemetry>,
    pub clock: Arc<DatabaseClock>,
    pub settings: JobSettings,
    pub kinds: Vec<AnyKind>,
}
