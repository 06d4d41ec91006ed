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

/// Errors of this server's program, of one type at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorGroup {
    /// What it is known by, also at an error tracking service.
    pub id: String,
    /// The type of the error, and of its causes.
    pub types: String,
    /// File and line in the sources.
    pub place: String,
    /// The part of the program.
    pub component: &'static str,
    /// How often it occurred.
    pub count: u64,
    /// When it occurred first.
    pub first_seen: Timestamp,
    /// When it occurred last.
    pub last_seen: Timestamp,
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
    /// The errors of its program, those that occurred last first. Reads a file, so that it may block.
    fn errors(&self) -> Vec<ErrorGroup>;
}
