//! That consent was revoked: kept in a file of this process' own, so that the final page is shown
//! after a restart, without the server and without the spool.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use ebp_core::contract::SurveyContact;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the final page shows: nothing of the household.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When it was revoked, or when this process first heard of it.
    pub revoked_at: Timestamp,
    /// Whom to ask about the device.
    #[serde(default)]
    pub contacts: Vec<SurveyContact>,
}

/// Whether it is over.
#[derive(Debug)]
pub struct Ended {
    path: PathBuf,
    end: OnceLock<End>,
}

/// The longest file.
const LONGEST: u64 = 64 * 1024;

impl Ended {
    /// Reads the file in that folder, if there is one.
    ///
    /// # Errors
    /// Returns an error if it is there and cannot be read. A file that is damaged means that it is
    /// over: nothing but a revocation writes it.
    pub fn open(folder: &Path, now: Timestamp) -> io::Result<Self> {
        let path = folder.join("consent-revoked.json");
        let end = OnceLock::new();
        match fs::File::open(&path) {
            Ok(file) => {
                let read = serde_json::from_reader(io::Read::take(file, LONGEST));
                let _ = end.set(read.unwrap_or(End { revoked_at: now, contacts: Vec::new() }));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(Self { path, end })
    }

    /// The folder of the file: what else this process stores stands beside it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// What the final page shows, if it is over.
    #[must_use]
    pub fn get(&self) -> Option<&End> {
        self.end.get()
    }

    /// Notes that it is over, durably. If the file cannot be written it is noted until the process
    /// ends; the server says so again afterwards.
    pub fn set(&self, end: End) {
        if self.end.get().is_some() {
            return;
        }
        let write = || -> io::Result<()> {
            let beside = self.path.with_extension("new");
            let mut file = fs::File::create(&beside)?;
            serde_json::to_writer(&mut file, &end)?;
            file.sync_all()?;
            fs::rename(&beside, &self.path)?;
            fs::File::open(self.folder())?.sync_all()
        };
        if let Err(error) = write() {
            tracing::error!("{}: {error}", self.path.display());
        }
        let _ = self.end.set(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_survives_a_restart_and_damage() {
        let folder = tempfile::tempdir().unwrap();
        let at: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        let ended = Ended::open(folder.path(), at).unwrap();
        assert_eq!(ended.get(), None);
        ended.set(End { revoked_at: at, contacts: Vec::new() });
        ended.set(End { revoked_at: Timestamp::UNIX_EPOCH, contacts: Vec::new() });
        let again = Ended::open(folder.path(), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(again.get().map(|end| end.revoked_at), Some(at));
        fs::write(folder.path().join("consent-revoked.json"), "{").unwrap();
        let damaged = Ended::open(folder.path(), at).unwrap();
        assert!(damaged.get().is_some(), "it does not come back to life");
    }

    #[test]
    fn a_folder_that_is_read_only_does_not_hide_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        let ended = Ended::open(&gone, Timestamp::UNIX_EPOCH).unwrap();
        ended.set(End { revoked_at: Timestamp::UNIX_EPOCH, contacts: Vec::new() });
        assert!(ended.get().is_some());
    }
}
