//! The folder of a repository with its drafts.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process,
};

use super::error::AuthorError;
use crate::{
    envelope::Envelope,
    repository::Folder,
    role::{Role, RoleName, Root, Snapshot, TargetsRole, TimestampRole},
    trusted::Trusted,
};

/// A folder with a repository, and with drafts of its next state.
#[derive(Debug, Clone)]
pub struct ReleaseFolder {
    pub(super) path: PathBuf,
}

/// A role's file as it is in the folder; its signatures are not checked.
#[derive(Debug, Clone)]
pub struct RoleFile<R> {
    pub bytes: Vec<u8>,
    pub envelope: Envelope,
    pub role: R,
}

impl<R: Role> RoleFile<R> {
    pub fn read(bytes: Vec<u8>) -> Result<Self, AuthorError> {
        let envelope = Envelope::parse(R::NAME, &bytes)?;
        let role = R::parse(&envelope.signed)?;
        Ok(Self { bytes, envelope, role })
    }

    pub fn version(&self) -> u64 {
        self.role.header().version
    }
}

impl ReleaseFolder {
    /// Works on that folder, whether it is there or not.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The repository, as a client reads it.
    #[must_use]
    pub fn repository(&self) -> Folder {
        Folder(self.path.clone())
    }

    /// The first root role, which programs carry.
    ///
    /// # Errors
    /// Returns [`AuthorError::NoRepository`] if none is published.
    pub fn first_root(&self) -> Result<Vec<u8>, AuthorError> {
        let first = self.read(&RoleName::Root.path(1), RoleName::Root)?;
        first.ok_or_else(|| AuthorError::NoRepository(self.path.clone()))
    }

    /// The newest root role that is published, reached from the first one; `None` before the first.
    pub(super) fn published_root(&self) -> Result<Option<RoleFile<Root>>, AuthorError> {
        let Some(first) = self.read(&RoleName::Root.path(1), RoleName::Root)? else {
            return Ok(None);
        };
        let mut trusted = Trusted::new(first)?;
        trusted.follow_roots(&self.repository())?;
        RoleFile::read(trusted.root.bytes).map(Some)
    }

    pub(super) fn published_timestamp(
        &self,
    ) -> Result<Option<RoleFile<TimestampRole>>, AuthorError> {
        self.read_role(&RoleName::Timestamp.path(0))
    }

    /// The snapshot that the published timestamp names.
    pub(super) fn published_snapshot(&self) -> Result<Option<RoleFile<Snapshot>>, AuthorError> {
        let Some(timestamp) = self.published_timestamp()? else { return Ok(None) };
        self.read_role(&RoleName::Snapshot.path(timestamp.role.snapshot.version))
    }

    /// The targets that the published snapshot names.
    pub(super) fn published_targets(&self) -> Result<Option<RoleFile<TargetsRole>>, AuthorError> {
        let Some(snapshot) = self.published_snapshot()? else { return Ok(None) };
        self.read_role(&RoleName::Targets.path(snapshot.role.targets.version))
    }

    pub(super) fn draft<R: Role>(&self) -> Result<Option<RoleFile<R>>, AuthorError> {
        self.read_role(&draft_path(R::NAME))
    }

    pub(super) fn write_draft(
        &self,
        role: RoleName,
        envelope: &Envelope,
    ) -> Result<(), AuthorError> {
        self.write(&draft_path(role), &envelope.to_bytes())
    }

    pub(super) fn remove_draft(&self, role: RoleName) -> Result<(), AuthorError> {
        let path = self.path.join(draft_path(role));
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(AuthorError::File { path, source })
            }
            _ => Ok(()),
        }
    }

    fn read_role<R: Role>(&self, path: &str) -> Result<Option<RoleFile<R>>, AuthorError> {
        self.read(path, R::NAME)?.map(RoleFile::read).transpose()
    }

    fn read(&self, path: &str, role: RoleName) -> Result<Option<Vec<u8>>, AuthorError> {
        let limit = role.longest();
        Ok(crate::repository::fetch(&self.repository(), path, limit)?)
    }

    /// Writes a file whole or not at all.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), AuthorError> {
        self.write_from(name, |file| file.write_all(bytes))
    }

    /// Copies a file into the folder, whole or not at all.
    pub(super) fn copy(&self, name: &str, from: impl Read) -> Result<(), AuthorError> {
        let mut from = from;
        self.write_from(name, |file| io::copy(&mut from, file).map(drop))
    }

    fn write_from(
        &self,
        name: &str,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), AuthorError> {
        let path = self.path.join(name);
        // A name of this process alone: the lock keeps others away, but not on every file system.
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}.new", process::id()));
        let write = || {
            let folder = path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder)?;
            let mut file = File::create(&beside)?;
            fill(&mut file)?;
            file.sync_all()?;
            fs::rename(&beside, &path)?;
            File::open(folder)?.sync_all()
        };
        write().map_err(|source| {
            // A part of a program may be long.
            drop(fs::remove_file(&beside));
            AuthorError::File { path: path.clone(), source }
        })
    }
}

fn draft_path(role: RoleName) -> String {
    format!("draft/{role}.json")
}
