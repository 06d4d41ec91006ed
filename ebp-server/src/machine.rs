//! The machine and the files that a server depends on: room on the disk, the newest backup, until when
//! certificates are valid. For metrics; the administrators' pages show the backup.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use ebp_client::Validity;
use ebp_errors::{Folder, Group};
use ebp_release::{
    RoleName,
    author::{ReleaseFolder, Stage},
};
use jiff::Timestamp;

/// Where to look.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The data folder.
    pub data: PathBuf,
    /// The folder in which the errors of this program are counted.
    pub errors: Folder,
    /// The folder of backups, if it is configured.
    pub backups: Option<PathBuf>,
    /// The authority's certificate.
    pub authority: PathBuf,
    /// The server's certificate.
    pub certificate: PathBuf,
    /// The folder of the repository of the program's releases, if it is configured.
    pub releases: Option<PathBuf>,
}

/// What was found. What cannot be read is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineState {
    /// Free and all bytes of the disk with the data folder.
    pub disk: Option<(u64, u64)>,
    /// When the newest backup was written, if their folder is configured; the year 1970 where it has none.
    pub backup: Option<Timestamp>,
    /// Until when certificates are valid, by their name.
    pub certificates: Vec<(&'static str, Timestamp)>,
    /// Until when the published roles of the releases' repository are valid, by their name. The year 1970
    /// for each where the repository is configured and cannot be read.
    pub releases: Vec<(&'static str, Timestamp)>,
    /// How many errors there were, by the part of the program.
    pub errors: Vec<(&'static str, u64)>,
    /// When an error occurred for the first time that had not occurred before.
    pub newest_error: Option<Timestamp>,
}

impl Machine {
    /// Looks. It reads files, so that it may block.
    #[must_use]
    pub fn look(&self) -> MachineState {
        let end = |(name, path): (&'static str, &PathBuf)| {
            Validity::from_file(path).ok().map(|validity| (name, validity.not_after))
        };
        let groups = self.error_groups();
        let mut errors = BTreeMap::new();
        for group in &groups {
            *errors.entry(group.component.name()).or_insert(0) += group.count;
        }
        let newest = |folder: &PathBuf| newest_backup(folder).unwrap_or(Timestamp::UNIX_EPOCH);
        MachineState {
            disk: room(&self.data),
            backup: self.backups.as_ref().map(newest),
            certificates: [("authority", &self.authority), ("server", &self.certificate)]
                .into_iter()
                .filter_map(end)
                .collect(),
            releases: self.releases.as_deref().map(release_roles).unwrap_or_default(),
            errors: errors.into_iter().collect(),
            newest_error: groups.iter().map(|group| group.first_seen).max(),
        }
    }

    /// The groups of errors of this program; none if they cannot be read.
    #[must_use]
    pub fn error_groups(&self) -> Vec<Group> {
        self.errors.ledger().map(|ledger| ledger.groups).unwrap_or_default()
    }
}

/// Until when the published roles of a repository are valid. One that is not there, or damaged, is as one
/// whose roles have expired: devices cannot use it.
fn release_roles(folder: &Path) -> Vec<(&'static str, Timestamp)> {
    let status = ReleaseFolder::new(folder).status().unwrap_or_default();
    let published: BTreeMap<&str, Timestamp> = status
        .into_iter()
        .filter(|role| role.stage == Stage::Published)
        .map(|role| (role.role.name(), role.expires))
        .collect();
    let until = |name: &str| published.get(name).copied().unwrap_or(Timestamp::UNIX_EPOCH);
    RoleName::ALL.map(|role| (role.name(), until(role.name()))).into()
}

/// Bytes that are free for this user, and all, of the disk with that folder.
fn room(folder: &Path) -> Option<(u64, u64)> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some((disk.f_bavail.checked_mul(disk.f_frsize)?, disk.f_blocks.checked_mul(disk.f_frsize)?))
}

/// When the newest backup of a folder was written.
///
/// Only what looks like a backup counts: the list of revocations lies beside it and is new each quarter
/// of an hour, and a file that is still being written has another name.
pub fn newest_backup(folder: &Path) -> Option<Timestamp> {
    let entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let written = entries.filter_map(|entry| {
        let path = entry.path();
        let about = if path.is_dir() {
            MANIFESTS.iter().find_map(|name| fs::metadata(path.join(name)).ok())?
        } else {
            entry.metadata().ok().filter(|_| has_name_of_backup(&path))?
        };
        // An empty file is one that just begins, or of a command that failed.
        let about = Some(about).filter(|about| about.is_file() && about.len() > 0)?;
        Timestamp::try_from(about.modified().ok()?).ok()
    });
    written.max()
}

/// A file that is in a folder which PostgreSQL's tools wrote, last of all: of `pg_basebackup`, and of
/// `pg_dump --format=directory`.
const MANIFESTS: [&str; 2] = ["backup_manifest", "toc.dat"];

/// How the files of backups end: of SQLite, of `pg_dump`, of `pg_basebackup --format=tar`.
const ENDS: [&str; 4] = ["sqlite", "dump", "sql", "tar"];

/// What packs or encrypts them puts its own end behind that.
const WRAPPED: [&str; 7] = ["gz", "zst", "xz", "bz2", "lz4", "gpg", "age"];

fn has_name_of_backup(path: &Path) -> bool {
    let mut name = path.to_owned();
    loop {
        let Some(end) = name.extension().and_then(OsStr::to_str) else { return false };
        if ENDS.contains(&end) {
            return true;
        }
        if !WRAPPED.contains(&end) {
            return false;
        }
        name.set_extension("");
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn put(folder: &Path, name: &str, hour: u64, bytes: &[u8]) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(hour * 3_600);
        fs::File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
    }

    #[test]
    fn only_backups_count() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let newest = || newest_backup(folder).map(|at| at.as_second().unsigned_abs() / 3_600);
        assert_eq!(newest_backup(&folder.join("nowhere")), None);
        assert_eq!(newest(), None);
        // What lies beside backups in the manual's set-up, and what is not whole yet.
        for name in [
            "revoked.jsonl",
            "revoked.jsonl.gz",
            "revoked.new",
            "ebp-2026-11-25.sqlite.part",
            "ebp-2026-11-25.sqlite.new",
            "ebp-2026-11-25.sqlite-journal",
            "SHA256SUMS",
            "backup.log",
            ".sqlite",
            "a folder/of something.sqlite",
        ] {
            put(folder, name, 90, b"x");
        }
        put(folder, "failed.dump", 91, b"");
        assert_eq!(newest(), None);
        for (name, hour) in [
            ("b.sqlite", 5),
            ("a.sqlite", 4),
            ("c.dump", 6),
            ("d.sql.zst", 7),
            ("e.sqlite.gz.age", 8),
            ("base/backup_manifest", 9),
            ("folder of pg_dump/toc.dat", 10),
            ("base.tar.gz", 11),
        ] {
            put(folder, name, hour, b"x");
            assert_eq!(newest(), Some(hour.max(5)), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_absent_and_a_missing_backup_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let machine = Machine {
            data: folder.path().to_owned(),
            errors: Folder::new(missing.clone()),
            backups: Some(folder.path().to_owned()),
            authority: missing.clone(),
            certificate: missing.clone(),
            releases: None,
        };
        let state = machine.look();
        let (free, all) = state.disk.unwrap();
        assert!(free <= all && all > 0);
        assert_eq!((state.backup, state.certificates), (Some(Timestamp::UNIX_EPOCH), vec![]));
        assert_eq!((state.errors, state.newest_error), (vec![], None));
        assert_eq!(state.releases, [], "none is configured");
        let releases = Some(missing.clone());
        let nowhere = Machine { data: missing, backups: None, releases, ..machine }.look();
        let expired = ["root", "targets", "snapshot", "timestamp"];
        assert_eq!(nowhere.releases, expired.map(|role| (role, Timestamp::UNIX_EPOCH)));
        assert_eq!((nowhere.disk, nowhere.backup), (None, None));
    }
}
