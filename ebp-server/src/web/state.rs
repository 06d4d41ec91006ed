//! What pages ask of the server that serves them.

use std::{cmp::Reverse, sync::Arc};

use ebp_core::contract::AlertRules;
use ebp_errors::Group;
use ebp_survey::{BackupState, ErrorGroup, ServerState};

use crate::{
    alert::AlertWatch,
    database_clock::DatabaseClock,
    job::JobAdded,
    machine::{Machine, newest_backup},
};

/// The parts of a server that pages need.
pub struct PageServer {
    /// The rules of alerts, and what wakes the loop that watches.
    pub alert_watch: Arc<AlertWatch>,
    /// What wakes a worker.
    pub job_added: Arc<JobAdded>,
    /// The clock on which the servers of a database agree.
    pub clock: Arc<DatabaseClock>,
    /// The machine, backups and what has failed.
    pub machine: Arc<Machine>,
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
        match &self.machine.backups {
            None => BackupState::Unknown,
            Some(folder) => newest_backup(folder).map_or(BackupState::Missing, BackupState::Newest),
        }
    }

    fn errors(&self) -> Vec<ErrorGroup> {
        let mut groups: Vec<ErrorGroup> = self.machine.error_groups().iter().map(shown).collect();
        groups.sort_by_key(|group| Reverse(group.last_seen));
        groups
    }
}

fn shown(group: &Group) -> ErrorGroup {
    ErrorGroup {
        id: group.id.clone(),
        types: group.types.join(" < "),
        place: group.place.to_string(),
        component: group.component.name(),
        count: group.count,
        first_seen: group.first_seen,
        last_seen: group.last_seen,
    }
}
