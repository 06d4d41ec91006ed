//! Publishing: drafts that are signed become the repository's state, with a new snapshot and timestamp.

use std::{collections::BTreeMap, io};

use jiff::{SignedDuration, Timestamp};

use super::{
    AuthorError, ReleaseFolder, SigningKey,
    files::RoleFile,
    sign::requirements,
    write::{self, header_at},
};
use crate::{
    dates::KnownTime,
    envelope::Envelope,
    json::Json,
    repository::{Folder, Repository},
    role::{Role, RoleName, Root, Snapshot, TargetsRole},
    trusted::Trusted,
};

/// A snapshot that expires sooner is made anew with the timestamp.
const SNAPSHOT_LEFT: SignedDuration = SignedDuration::from_hours(15 * 24);

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedState {
    /// The version of each role, and whether it is new.
    pub roles: Vec<(RoleName, u64, bool)>,
    /// Until when the timestamp is valid: it has to be renewed before.
    pub expires: Timestamp,
}

/// Files that are about to be written, before those in the folder.
struct Pending {
    folder: Folder,
    files: BTreeMap<String, Vec<u8>>,
}

impl Repository for Pending {
    fn fetch(&self, path: &str, limit: u64) -> io::Result<Option<Box<dyn io::Read + '_>>> {
        match self.files.get(path) {
            Some(bytes) => Ok(Some(Box::new(bytes.as_slice()))),
            None => self.folder.fetch(path, limit),
        }
    }
}

impl ReleaseFolder {
    /// Publishes the drafts, which must have their signatures, and has the online key sign a new
    /// snapshot and timestamp. The new state is tried as a client that knew the old one before anything
    /// is written.
    ///
    /// # Errors
    /// Returns [`AuthorError::Unsigned`] if signatures are missing, [`AuthorError::NotOnline`] if the
    /// key is another one, [`AuthorError::Program`] if a new release's program is not in the folder,
    /// [`AuthorError::Trust`] if a client would refuse the state, and an error if files cannot be read
    /// or written.
    pub fn publish(
        &self,
        online: &SigningKey,
        now: Timestamp,
    ) -> Result<PublishedState, AuthorError> {
        let _lock = self.lock()?;
        self.publish_with(online, self.draft::<Root>()?, self.draft::<TargetsRole>()?, now)
    }

    /// Renews snapshot and timestamp, whatever drafts there are.
    ///
    /// # Errors
    /// Returns the same errors as [`publish`](Self::publish), and [`AuthorError::NotPublished`] before
    /// the first publication.
    pub fn renew_online(
        &self,
        online: &SigningKey,
        now: Timestamp,
    ) -> Result<PublishedState, AuthorError> {
        let _lock = self.lock()?;
        self.publish_with(online, None, None, now)
    }

    fn publish_with(
        &self,
        online: &SigningKey,
        root_draft: Option<RoleFile<Root>>,
        targets_draft: Option<RoleFile<TargetsRole>>,
        now: Timestamp,
    ) -> Result<PublishedState, AuthorError> {
        let published = self.published_root()?;
        let known_targets = self.published_targets()?;
        let (new_root, new_targets) = (root_draft.is_some(), targets_draft.is_some());
        let root = root_draft.or_else(|| published.clone());
        let root = root.ok_or(AuthorError::NotPublished(RoleName::Root))?;
        let targets = targets_draft.or_else(|| known_targets.clone());
        let targets = targets.ok_or(AuthorError::NotPublished(RoleName::Targets))?;
        let old = published.as_ref().filter(|_| new_root).map(|old| &old.role);
        require_signatures(&root, old, &root.role)?;
        require_signatures(&targets, None, &root.role)?;
        let is_online = |role| root.role.keys(role).keys.iter().any(|key| key.id() == online.id());
        if !is_online(RoleName::Snapshot) || !is_online(RoleName::Timestamp) {
            return Err(AuthorError::NotOnline(online.id()));
        }
        if new_targets {
            let known = |name| known_targets.as_ref().and_then(|file| file.role.releases.get(name));
            let new = targets.role.releases.iter().filter(|(name, target)| {
                known(name.as_str()).is_none_or(|known| known.sha256 != target.sha256)
            });
            new.map(|(_, target)| target).try_for_each(|target| self.check_program(target))?;
        }
        let (snapshot, new_snapshot) = self.next_snapshot(online, &root.role, &targets, now)?;
        let timestamp = self.next_timestamp(online, &snapshot, now)?;
        let files = [
            (RoleName::Root, root.version(), new_root, root.bytes),
            (RoleName::Targets, targets.version(), new_targets, targets.bytes),
            (RoleName::Snapshot, snapshot.version(), new_snapshot, snapshot.bytes),
            (RoleName::Timestamp, timestamp.version(), true, timestamp.bytes),
        ];
        let roles = files.iter().map(|(role, version, is_new, _)| (*role, *version, *is_new));
        let roles = roles.collect();
        let new = files.into_iter().filter(|(.., is_new, _)| *is_new);
        let new: Vec<_> =
            new.map(|(role, version, _, bytes)| (role.path(version), bytes)).collect();
        self.try_as_client(&new, now)?;
        for (path, bytes) in &new {
            self.write(path, bytes)?;
        }
        for (role, is_new) in [(RoleName::Root, new_root), (RoleName::Targets, new_targets)] {
            if is_new {
                self.remove_draft(role)?;
            }
        }
        Ok(PublishedState { roles, expires: timestamp.role.header().expires })
    }

    /// Goes over to the new state as a client that knows the published one.
    fn try_as_client(&self, new: &[(String, Vec<u8>)], now: Timestamp) -> Result<(), AuthorError> {
        let time = KnownTime { now: Some(now), built: now };
        let pending = Pending { folder: self.repository(), files: new.iter().cloned().collect() };
        let first =
            crate::repository::fetch(&pending, &RoleName::Root.path(1), RoleName::Root.longest())?;
        let first = first.ok_or_else(|| AuthorError::NoRepository(self.path.clone()))?;
        let mut trusted = Trusted::new(first)?;
        let below = (
            self.published_timestamp()?.map(|file| file.bytes),
            self.published_snapshot()?.map(|file| file.bytes),
            self.published_targets()?.map(|file| file.bytes),
        );
        if let (Some(timestamp), Some(snapshot), Some(targets)) = below {
            trusted.follow_roots(&self.repository())?;
            trusted.restore(timestamp, snapshot, targets);
        }
        trusted.follow_roots(&pending)?;
        trusted.update(&pending, time)?;
        Ok(())
    }

    /// The published snapshot, or a new one where that is not right or not right for long.
    fn next_snapshot(
        &self,
        online: &SigningKey,
        root: &Root,
        targets: &RoleFile<TargetsRole>,
        now: Timestamp,
    ) -> Result<(RoleFile<Snapshot>, bool), AuthorError> {
        let known = self.published_snapshot()?;
        let keys = root.keys(RoleName::Snapshot);
        let lasts = now.checked_add(SNAPSHOT_LEFT).unwrap_or(Timestamp::MAX);
        let is_right = |known: &RoleFile<Snapshot>| {
            let named = &known.role.targets;
            known.role.header().expires > lasts
                && known.envelope.verify(RoleName::Snapshot, keys).is_ok()
                && named.version == targets.version()
                && named.check(RoleName::Targets, &targets.bytes).is_ok()
        };
        if let Some(known) = known.as_ref().filter(|known| is_right(known)) {
            return Ok((known.clone(), false));
        }
        let version = known.map_or(1, |known| known.version().saturating_add(1));
        let meta = write::file_meta(targets.version(), &targets.bytes);
        let signed = write::snapshot(&header_at(RoleName::Snapshot, version, now), meta);
        Ok((sign_alone(online, signed)?, true))
    }

    fn next_timestamp(
        &self,
        online: &SigningKey,
        snapshot: &RoleFile<Snapshot>,
        now: Timestamp,
    ) -> Result<RoleFile<crate::role::TimestampRole>, AuthorError> {
        let known = self.published_timestamp()?;
        let version = known.map_or(1, |known| known.version().saturating_add(1));
        let meta = write::file_meta(snapshot.version(), &snapshot.bytes);
        let header = header_at(RoleName::Timestamp, version, now);
        let seconds = SignedDuration::from_secs(now.as_second());
        let signed_at = Timestamp::from_duration(seconds).unwrap_or(now);
        sign_alone(online, write::timestamp(&header, meta, signed_at))
    }
}

fn sign_alone<R: Role>(key: &SigningKey, signed: Json) -> Result<RoleFile<R>, AuthorError> {
    let signatures = [(key.id(), key.sign(&signed))].into();
    RoleFile::read(Envelope { signed, signatures }.to_bytes())
}

fn require_signatures<R: Role>(
    file: &RoleFile<R>,
    old: Option<&Root>,
    root: &Root,
) -> Result<(), AuthorError> {
    let lacking = requirements(R::NAME, &file.envelope, old, root)
        .into_iter()
        .find(|requirement| requirement.valid < requirement.needed);
    match lacking {
        None => Ok(()),
        Some(requirement) => Err(AuthorError::Unsigned {
            role: R::NAME,
            version: file.version(),
            valid: requirement.valid,
            needed: requirement.needed,
            waiting: requirement.waiting.join(", "),
        }),
    }
}
