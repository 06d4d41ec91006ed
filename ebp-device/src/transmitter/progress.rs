//! What the report cycle has to know after a restart: it is stored in the spool.

use std::time::Duration;

use ebp_core::clock::Moment;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::status::ReportedStatus;
use crate::spool::{Spool, SpoolError};

/// The engine's memory in the spool.
const MEMORY: &str = "report";

/// What the engine has to know after a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Progress {
    /// When the last report was complete.
    pub(super) reported_at: Option<Timestamp>,
    /// How many attempts have failed since.
    pub(super) failures: u32,
    /// When the last one failed, and how long to wait from then on.
    pub(super) failed: Option<Failed>,
    pub(super) wait: Duration,
    /// Whether it was the server that asked for that.
    pub(super) asked_for: bool,
    /// In which run of the machine the server's incidents were learnt.
    pub(super) learnt_in: Option<Uuid>,
    /// The status that was last reported, and when.
    pub(super) status: Option<ReportedStatus>,
    /// The version of the program that completed the last report.
    pub(super) version: Option<String>,
    /// The version of the program in the last status that the server took.
    pub(super) status_version: Option<String>,
    /// When the last report behind that was complete.
    pub(super) acknowledged_at: Option<Timestamp>,
}

impl Progress {
    /// What was remembered. A value that cannot be parsed is from another version, and is ignored.
    pub(super) fn recall(spool: &Spool) -> Result<Self, SpoolError> {
        let text = spool.recall(MEMORY)?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    pub(super) fn remember(&self, spool: &Spool) -> Result<(), SpoolError> {
        let text = serde_json::to_string(self).unwrap_or_default();
        spool.remember(MEMORY, &text)
    }
}

/// The last report that the server acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// When it was complete.
    pub at: Timestamp,
    /// The version of the program that reports, as the server knows it.
    pub version: String,
}

/// The last report of a device that the server acknowledged, if it has taken a status of it.
///
/// # Errors
/// Returns [`SpoolError`] if the spool cannot be read.
pub fn acknowledged(spool: &Spool) -> Result<Option<Acknowledged>, SpoolError> {
    let Progress { acknowledged_at, status_version, .. } = Progress::recall(spool)?;
    Ok(acknowledged_at.zip(status_version).map(|(at, version)| Acknowledged { at, version }))
}

/// An instant by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failed {
    pub(super) at: Timestamp,
    pub(super) boot: Uuid,
    pub(super) since_boot: Duration,
}

impl Failed {
    /// How long ago it was. In the same run of the machine no clock that was set can deceive; after
    /// it, the time of day has to do.
    pub(super) fn ago(&self, now: &Moment) -> Option<Duration> {
        if self.boot == now.boot.0 && !self.boot.is_nil() {
            return Some(now.since_boot.saturating_sub(self.since_boot));
        }
        Duration::try_from(now.at.duration_since(self.at)).ok()
    }
}
