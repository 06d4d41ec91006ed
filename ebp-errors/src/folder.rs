//! The private folder of ledger and queue, which all processes of a device share.
//!
//! ```text
//! ledger.json                           the groups, and what was dropped
//! queue/000000000007-EVENT.json         an event that waits, in the order of its number
//! lock                                  held while either is changed
//! sending                               held by the process that sends
//! ```
//!
//! Each change is a file that replaces another: after a crash at any instant there is the old or the
//! new one. The queue holds 64 events or 1 MiB; the oldest one leaves first, and is counted.
//!
//! Enters: reports. Leaves: events in their order, the ledger. Absent: sending, and a clock.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use ebp_core::{contract::ReportedErrorGroup, private_file};
use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};
use uuid::Uuid;

use crate::{
    event::{Counts, Release, encode},
    ledger::{Decision, Ledger},
    report::Report,
};

/// How many events wait at most.
pub const MOST_FILES: usize = 64;
/// How large all events that wait are at most, bytes.
pub const MOST_BYTES: u64 = 1024 * 1024;

/// How often the lock is asked for, and how long is waited in between. A panic may come while its own
/// thread holds it.
const TRIES: u32 = 100;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// The folder of ledger and queue.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct FolderError {
    /// The file or folder.
    path: PathBuf,
    /// The cause.
    source: io::Error,
}

/// What was done with a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is queued.
    Queued,
    /// It is in the ledger alone: there is no service.
    Listed,
    /// It is in the ledger alone, as are all of its group until then.
    Counted {
        /// When the group's next event is sent.
        until: Timestamp,
    },
}

/// An event that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    path: PathBuf,
    /// Its identifier at the service.
    pub id: String,
    bytes: u64,
}

impl Waiting {
    /// The event as JSON; none if it is gone or is no file of ours.
    pub fn read(&self) -> Option<Vec<u8>> {
        fs::read(&self.path).ok().filter(|text| !text.is_empty())
    }
}

impl Folder {
    /// That folder, which is made when something is written.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The groups so far. A ledger that is damaged counts as empty.
    ///
    /// # Errors
    /// Returns [`FolderError`] when the file is there and cannot be read.
    pub fn ledger(&self) -> Result<Ledger, FolderError> {
        let path = self.path.join("ledger.json");
        match fs::read(&path) {
            Ok(text) => Ok(serde_json::from_slice(&text).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Ledger::default()),
            Err(source) => Err(FolderError { path, source }),
        }
    }

    /// How many events wait to be sent.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue().len()
    }

    /// Writes a report down: in the ledger, and in the queue if it is to be sent.
    ///
    /// # Errors
    /// Returns [`FolderError`] when the folder cannot be made or written (disk full, read-only, another
    /// user's).
    pub fn admit(
        &self,
        report: &Report,
        release: &Release,
        to_send: bool,
        now: Timestamp,
    ) -> Result<Admission, FolderError> {
        let lock = self.lock()?;
        if lock.is_none() {
            // Better an event that nobody has counted than none.
            if to_send {
                self.queue_up(u64::MAX, report, release, now, Counts::default())?;
            }
            return Ok(if to_send { Admission::Queued } else { Admission::Listed });
        }
        let mut ledger = self.ledger()?;
        let decision = ledger.enter(report, release.component, now);
        let admission = match decision {
            Decision::Count { until } => Admission::Counted { until },
            Decision::Send { .. } if !to_send => Admission::Listed,
            Decision::Send { left_out } => {
                let number = ledger.next;
                ledger.next += 1;
                let counts = Counts { left_out, dropped: ledger.dropped };
                self.queue_up(number, report, release, now, counts)?;
                ledger.dropped += self.bound();
                Admission::Queued
            }
        };
        self.store(&ledger)?;
        Ok(admission)
    }

    /// Takes over what the device's page or its updater tell of a group of theirs: what their own ledgers
    /// know of it replaces what was known. Returns whether it was taken: not if it is of another part.
    ///
    /// # Errors
    /// Returns [`FolderError`] when the folder cannot be read or written (disk full, read-only).
    pub fn take_over(
        &self,
        told: &ReportedErrorGroup,
        now: Timestamp,
    ) -> Result<bool, FolderError> {
        let mut is_taken = false;
        self.change(|ledger| is_taken = ledger.take_over(told, now))?;
        Ok(is_taken)
    }

    /// Changes the ledger, if no other process holds the lock for long.
    ///
    /// # Errors
    /// As [`Self::admit`].
    pub(crate) fn change(&self, change: impl FnOnce(&mut Ledger)) -> Result<(), FolderError> {
        self.try_change(change).map(drop)
    }

    /// The same, and whether it was changed.
    ///
    /// # Errors
    /// As [`Self::admit`].
    pub(crate) fn try_change(&self, change: impl FnOnce(&mut Ledger)) -> Result<bool, FolderError> {
        let Some(_lock) = self.lock()? else { return Ok(false) };
        let mut ledger = self.ledger()?;
        let before = ledger.clone();
        change(&mut ledger);
        if ledger != before {
            self.store(&ledger)?;
        }
        Ok(true)
    }

    /// The right to send, which one process has at a time; none if another one has it.
    pub(crate) fn claim_sending(&self) -> Option<File> {
        let file = self.open("sending").ok()?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
        Some(file)
    }

    /// The event that waits longest.
    pub(crate) fn oldest(&self) -> Option<Waiting> {
        self.queue().into_iter().next()
    }

    /// Removes an event that was sent, or is refused.
    ///
    /// # Errors
    /// Returns [`FolderError`] when the file cannot be removed: then it must not be sent again and again.
    pub(crate) fn remove(&self, waiting: &Waiting) -> Result<(), FolderError> {
        match fs::remove_file(&waiting.path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(FolderError { path: waiting.path.clone(), source })
            }
            _ => Ok(()),
        }
    }

    /// What waits, the oldest first.
    fn queue(&self) -> Vec<Waiting> {
        let Ok(entries) = fs::read_dir(self.path.join("queue")) else { return Vec::new() };
        let waiting = |entry: io::Result<fs::DirEntry>| {
            let entry = entry.ok()?;
            let path = entry.path();
            let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
            let (_, id) = name.split_once('-')?;
            let id = id.to_owned();
            Some(Waiting { id, bytes: entry.metadata().ok()?.len(), path })
        };
        let mut queue: Vec<Waiting> = entries.filter_map(waiting).collect();
        queue.sort_by(|a, b| a.path.cmp(&b.path));
        queue
    }

    fn queue_up(
        &self,
        number: u64,
        report: &Report,
        release: &Release,
        now: Timestamp,
        counts: Counts,
    ) -> Result<(), FolderError> {
        let id = Uuid::new_v4();
        let text = encode(report, release, id, now, counts);
        let queue = self.path.join("queue");
        private_file::create_folder(&queue)
            .map_err(|source| FolderError { path: queue.clone(), source })?;
        let path = queue.join(format!("{number:020}-{}.json", id.simple()));
        let temporary = queue.join(format!("{}.part", id.simple()));
        let written = private_file::replace(&path, &temporary, &text);
        written.map_err(|source| {
            // A full disk leaves half of it.
            let _ = fs::remove_file(&temporary);
            FolderError { path, source }
        })
    }

    /// Removes the oldest events until the rest is within the bounds, and says how many.
    fn bound(&self) -> u64 {
        let queue = self.queue();
        let (mut files, mut bytes) = (queue.len(), queue.iter().map(|own| own.bytes).sum::<u64>());
        let mut dropped = 0;
        for oldest in &queue {
            if files <= MOST_FILES && bytes <= MOST_BYTES {
                break;
            }
            if self.remove(oldest).is_ok() {
                (files, bytes) = (files - 1, bytes - oldest.bytes);
                dropped += 1;
            }
        }
        dropped
    }

    fn store(&self, ledger: &Ledger) -> Result<(), FolderError> {
        let path = self.path.join("ledger.json");
        let text = serde_json::to_vec_pretty(ledger).unwrap_or_default();
        private_file::replace(&path, &self.path.join("ledger.part"), &text)
            .map_err(|source| FolderError { path, source })
    }

    /// The lock; none if it cannot be had in a second.
    fn lock(&self) -> Result<Option<File>, FolderError> {
        private_file::create_folder(&self.path)
            .map_err(|source| FolderError { path: self.path.clone(), source })?;
        let file = self.open("lock")?;
        for _ in 0..TRIES {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Some(file)),
                Err(_) => thread::sleep(BETWEEN_TRIES),
            }
        }
        Ok(None)
    }

    fn open(&self, name: &str) -> Result<File, FolderError> {
        let path = self.path.join(name);
        let file = private_file::options().write(true).create(true).truncate(false).open(&path);
        file.map_err(|source| FolderError { path, source })
    }
}

#[cfg(test)]
mod tests;
