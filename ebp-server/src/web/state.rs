//! What pages ask of the server that serves them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use ebp_core::contract::AlertRules;
use ebp_survey::{BackupState, ServerState};
use jiff::Timestamp;

use crate::{alert::AlertWatch, database_clock::DatabaseClock, job::JobAdded};

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
            Some(folder) => newest(folder).map_or(BackupState::Missing, BackupState::Newest),
        }
    }
}

/// When the newest file of a folder was written.
fn newest(folder: &Path) -> Option<Timestamp> {
    let files = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let written = files.filter_map(|file| {
        let about = file.metadata().ok().filter(fs::Metadata::is_file)?;
        Timestamp::try_from(about.modified().ok()?).ok()
    });
    written.max()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn the_newest_file_is_the_backup() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(newest(&folder.path().join("nowhere")), None);
        assert_eq!(newest(folder.path()), None);
        fs::create_dir(folder.path().join("a folder is none")).unwrap();
        let hour = |hour: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(hour * 3_600);
        for (name, at) in [("b.sqlite", hour(5)), ("a.sqlite", hour(7)), ("c.dump", hour(6))] {
            let file = fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(at).unwrap();
        }
        assert_eq!(newest(folder.path()).unwrap().as_second(), 7 * 3_600);
    }
}
