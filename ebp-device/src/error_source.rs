//! Where a device finds the groups of its programs' errors, which it reports with its status.

use std::{fmt, sync::Arc};

use ebp_core::contract::{ReportedErrorGroup, limits};

/// What a program gives a [`Reporting`](crate::daemon::Reporting) daemon, so that it can tell of errors
/// without knowing where they are counted.
#[derive(Clone)]
pub struct ErrorSource(Arc<dyn Fn() -> Vec<ReportedErrorGroup> + Send + Sync>);

impl ErrorSource {
    /// A source that looks anew for each report. `groups` gives those that occurred last, these first.
    #[must_use]
    pub fn new(groups: impl Fn() -> Vec<ReportedErrorGroup> + Send + Sync + 'static) -> Self {
        Self(Arc::new(groups))
    }

    /// The groups of now, as many as a status may have.
    #[must_use]
    pub fn groups(&self) -> Vec<ReportedErrorGroup> {
        let mut groups = (self.0)();
        groups.truncate(limits::STATUS_ERRORS);
        groups
    }
}

impl fmt::Debug for ErrorSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorSource").finish_non_exhaustive()
    }
}
