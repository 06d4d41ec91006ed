//! What pages ask of the server that serves them, and not of the survey.

use ebp_core::contract::AlertRules;
use jiff::Timestamp;

/// What is known of backups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupState {
    /// Where they are is not configured.
    Unknown,
    /// There is none where they should be.
    Missing,
    /// The newest one is of then.
    Newest(Timestamp),
}

/// The server that serves pages.
pub trait ServerState: Send + Sync {
    /// The rules of alerts by its configuration, and its ways of sending.
    fn configured_rules(&self) -> AlertRules;
    /// Sends what is due at once, if it is the server that watches.
    fn wake_alerts(&self);
    /// Begins a job that is due at once.
    fn wake_jobs(&self);
    /// Why it answers no requests though the database does: the clocks disagree.
    fn fault(&self) -> Option<String>;
    /// The newest backup. Reads a folder, so that it may block.
    fn backup(&self) -> BackupState;
}
