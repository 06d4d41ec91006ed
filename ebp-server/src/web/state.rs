//! What pages ask of the server that serves them.

use std::{path::PathBuf, sync::Arc};

use ebp_core::contract::AlertRules;
use ebp_survey::{BackupState, ServerState};

use crate::{
    alert::AlertWatch, database_clock::DatabaseClock, job::JobAdded, machine::newest_file,
};

/// The parts of a server that pages need.
pub struct PageServer {
    /// The rules of alerts, and what wakes the loop that watches.
    pub alert_watch: Arc<AlertWatch>,
    /// What wakes a worker.
    pub job_added: Arc<JobAdded>,
    /// The clock on which the servers of a database agree.
    pub clock: Arc<DatabaseClock>,
    /// The folder of backups, if it is configured.
    pub backups: Option<PathBuf>,
}

impl ServerState for PageServer {
    fn configured_rules(&self) -> AlertRules {
        self.alert_watch.rules().clone()
    }

    fn wake_alerts(&self) {
        self.alert_watch.wake();
    }

    fn wake_jobs(&self) {
        self.job_added.tell();
    }

    fn fault(&self) -> Option<String> {
        self.clock.require().err().map(|error| error.to_string())
    }

    fn backup(&self) -> BackupState {
        match &self.backups {
            None => BackupState::Unknown,
            Some(folder) => newest_file(folder).map_or(BackupState::Missing, BackupState::Newest),
        }
    }
}
