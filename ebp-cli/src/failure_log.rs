//! A daemon's log of failures: each is logged once, not in every attempt, and again when it has
//! ended.
//!
//! Enters: failures, successes. Leaves: lines on standard error. Absent: what is done about them.

use crate::{error_report, exit::Failure, tell::tell};

/// Logs a persistent failure once.
#[derive(Debug, Default)]
pub struct FailureLog {
    last: Option<String>,
}

impl FailureLog {
    /// Logs a failure unless it is the one logged last.
    pub fn failed(&mut self, failure: &Failure) {
        let text = failure.to_string();
        if self.last.as_ref() != Some(&text) {
            tell!("ebp: {text}");
            error_report::failed(failure);
            self.last = Some(text);
        }
    }

    /// Tells that it works again, if it did not.
    pub fn worked(&mut self) {
        if self.last.take().is_some() {
            tell!("ebp: it works again");
        }
    }
}
