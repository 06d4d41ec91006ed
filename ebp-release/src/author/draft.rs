//! Drafts of the next root and targets roles. A change to a draft takes its signatures away.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io,
    path::Path,
};

use jiff::Timestamp;
use ring::digest::{Context, SHA256};
use semver::Version;

use super::{
    AuthorError, ReleaseFolder,
    files::RoleFile,
    write::{self, header_at},
};
use crate::{
    envelope::Envelope,
    json::Json,
    key::PublicKey,
    role::{RoleKeys, RoleName, Root, TargetsRole},
    target::{Target, is_architecture},
};

/// The keys of a new repository.
#[derive(Debug, Clone)]
pub struct FirstKeys {
    /// Those that sign the root role, and how many of them must.
    pub root: (Vec<PublicKey>, usize),
    /// Those that sign the targets role, and how many of them must.
    pub targets: (Vec<PublicKey>, usize),
    /// The key of the server that publishes.
    pub online: PublicKey,
}

/// A program to be released.
#[derive(Debug, Clone)]
pub struct NewRelease<'a> {
    /// Its version.
    pub version: Version,
    /// What it is built for, such as `aarch64`.
    pub architecture: String,
    /// The oldest version that may go over to it directly.
    pub needs: Option<Version>,
    /// Its file.
    pub program: &'a Path,
}

/// Whose keys change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotated {
    /// Those of the root role.
    Root,
    /// Those of the targets role.
    Targets,
    /// The server's.
    Online,
}

/// A change of keys.
#[derive(Debug, Clone)]
pub struct Rotation {
    /// Whose.
    pub role: Rotated,
    /// Keys that come.
    pub add: Vec<PublicKey>,
    /// Keys that go, by the first digits of their identifiers or their whole names.
    pub remove: Vec<String>,
    /// How many must sign from now on, if that changes.
    pub threshold: Option<usize>,
}

impl ReleaseFolder {
    /// Drafts the first root and targets roles.
    ///
    /// # Errors
    /// Returns [`AuthorError::Exists`] if the folder has a repository or drafts; and an error if fewer
    /// keys are named than must sign, a key is named twice, the online key is among those of people, or
    /// the drafts cannot be written.
    pub fn init(&self, keys: &FirstKeys, now: Timestamp) -> Result<(), AuthorError> {
        let _lock = self.lock_new()?;
        if self.published_root()?.is_some() || self.draft::<Root>()?.is_some() {
            return Err(AuthorError::Exists(self.path.clone()));
        }
        let role = |(keys, threshold): &(Vec<PublicKey>, usize)| RoleKeys {
            keys: keys.clone(),
            threshold: *threshold,
        };
        let online = RoleKeys { keys: vec![keys.online.clone()], threshold: 1 };
        let roles = BTreeMap::from([
            (RoleName::Root, role(&keys.root)),
            (RoleName::Targets, role(&keys.targets)),
            (RoleName::Snapshot, online.clone()),
            (RoleName::Timestamp, online),
        ]);
        self.draft_root(1, &roles, now)?;
        self.draft_targets(1, BTreeMap::new(), now)
    }

    /// Copies a program into the folder and drafts a targets role with it.
    ///
    /// # Errors
    /// Returns [`AuthorError::OtherBytes`] if that version was published for that architecture with
    /// other bytes, [`AuthorError::Recalled`] if it is recalled, [`AuthorError::Architecture`] if that
    /// is no name of one, [`AuthorError::Needs`] if it needs a version that is not before it,
    /// [`AuthorError::Empty`] if the program is empty, and an error if the folder has no repository or
    /// files cannot be read or written.
    pub fn add(&self, release: &NewRelease<'_>, now: Timestamp) -> Result<Target, AuthorError> {
        if !is_architecture(&release.architecture) {
            return Err(AuthorError::Architecture(release.architecture.clone()));
        }
        if let Some(needs) = release.needs.as_ref().filter(|needs| **needs >= release.version) {
            let (version, needs) = (release.version.clone(), needs.clone());
            return Err(AuthorError::Needs { version, needs });
        }
        let _lock = self.lock()?;
        let failed = |source| AuthorError::File { path: release.program.to_owned(), source };
        let (length, sha256) = measure(release.program).map_err(failed)?;
        if length == 0 {
            return Err(AuthorError::Empty(release.program.to_owned()));
        }
        let target = Target {
            version: release.version.clone(),
            architecture: release.architecture.clone(),
            length,
            sha256,
            recalled: BTreeSet::new(),
            needs: release.needs.clone(),
        };
        let (version, mut targets, published) = self.next_targets()?;
        let drafted = self.draft::<TargetsRole>()?;
        let known = [published.as_ref(), drafted.as_ref()];
        for role in known.into_iter().flatten().map(|file| &file.role) {
            if role.releases.values().any(|other| other.recalled.contains(&target.version)) {
                return Err(AuthorError::Recalled(target.version));
            }
        }
        // A draft may still change; what was published may not.
        let known = published.as_ref().and_then(|file| file.role.releases.get(&target.name()));
        if known.is_some_and(|known| (known.length, known.sha256) != (length, sha256)) {
            return Err(AuthorError::OtherBytes(target.name()));
        }
        self.copy(&target.path(), File::open(release.program).map_err(failed)?)?;
        self.check_program(&target)?;
        targets.insert(target.name(), target.to_json());
        self.draft_targets(version, targets, now)?;
        Ok(target)
    }

    /// Drafts a targets role in which that version is recalled: devices leave it for the version that
    /// they are asked to run, even if that is older.
    ///
    /// # Errors
    /// Returns [`AuthorError::NoRelease`] if there is none, [`AuthorError::Recalled`] if it is recalled
    /// already, and an error if the folder has no repository or files cannot be read or written.
    pub fn recall(&self, recalled: &Version, now: Timestamp) -> Result<(), AuthorError> {
        let _lock = self.lock()?;
        let (version, mut targets, _) = self.next_targets()?;
        let mut found = false;
        for (name, json) in &mut targets {
            let target = Target::from_json(name, json).ok().flatten();
            let Some(mut target) = target.filter(|target| target.version == *recalled) else {
                continue;
            };
            found = true;
            if !target.recalled.insert(recalled.clone()) {
                return Err(AuthorError::Recalled(recalled.clone()));
            }
            *json = target.to_json();
        }
        if !found {
            return Err(AuthorError::NoRelease(recalled.clone()));
        }
        self.draft_targets(version, targets, now)
    }

    /// Drafts the next targets role with the same releases, which is valid for longer.
    ///
    /// # Errors
    /// Returns an error if the folder has no repository or files cannot be read or written.
    pub fn renew_targets(&self, now: Timestamp) -> Result<(), AuthorError> {
        let _lock = self.lock()?;
        self.draft_same_targets(now)
    }

    /// Drafts the next root role with the same keys, which is valid for longer.
    ///
    /// # Errors
    /// Returns an error if the folder has no repository or files cannot be read or written.
    pub fn renew_root(&self, now: Timestamp) -> Result<(), AuthorError> {
        let _lock = self.lock()?;
        let (version, roles) = self.next_root()?;
        self.draft_root(version, &roles, now)
    }

    /// Drafts the next root role with other keys. If those that sign targets change so that the
    /// published targets lack signatures, it drafts these, too.
    ///
    /// # Errors
    /// Returns [`AuthorError::WhichKey`] if a key that is to go cannot be told, the same errors as
    /// [`init`](Self::init) for the keys, and an error if the folder has no repository or files cannot
    /// be read or written.
    pub fn rotate(&self, rotation: &Rotation, now: Timestamp) -> Result<(), AuthorError> {
        let _lock = self.lock()?;
        let (version, mut roles) = self.next_root()?;
        let names: &[RoleName] = match rotation.role {
            Rotated::Root => &[RoleName::Root],
            Rotated::Targets => &[RoleName::Targets],
            Rotated::Online => &[RoleName::Snapshot, RoleName::Timestamp],
        };
        for role in names.iter().filter_map(|name| roles.remove_entry(name)).collect::<Vec<_>>() {
            let (name, mut role) = role;
            for digits in &rotation.remove {
                remove_key(&mut role.keys, digits)?;
            }
            role.keys.extend(rotation.add.iter().cloned());
            role.threshold = rotation.threshold.unwrap_or(role.threshold);
            roles.insert(name, role);
        }
        self.draft_root(version, &roles, now)?;
        let published = self.published_targets()?;
        let lacks = |targets: &RoleFile<TargetsRole>| {
            targets.envelope.verify(RoleName::Targets, &roles[&RoleName::Targets]).is_err()
        };
        if self.draft::<TargetsRole>()?.is_none() && published.as_ref().is_some_and(lacks) {
            self.draft_same_targets(now)?;
        }
        Ok(())
    }

    /// Checks that the folder has the program that a role lists.
    pub(super) fn check_program(&self, target: &Target) -> Result<(), AuthorError> {
        let path = self.path.join(target.path());
        let file = File::open(&path).map_err(|source| AuthorError::File { path, source })?;
        target
            .copy_verified(file, io::sink())
            .map_err(|source| AuthorError::Program { name: target.name(), source })
    }

    /// The next version of the root role, and the keys to change.
    fn next_root(&self) -> Result<(u64, BTreeMap<RoleName, RoleKeys>), AuthorError> {
        let published = self.published_root()?;
        let published = published.ok_or_else(|| AuthorError::NoRepository(self.path.clone()))?;
        let version = published.version().saturating_add(1);
        let base = self.draft::<Root>()?.unwrap_or(published);
        let roles = RoleName::ALL.map(|name| (name, base.role.keys(name).clone()));
        Ok((version, roles.into()))
    }

    /// The next version of the targets role, the targets to change, and the role that is published.
    #[allow(clippy::type_complexity, reason = "three parts that its callers take apart")]
    fn next_targets(
        &self,
    ) -> Result<(u64, BTreeMap<String, Json>, Option<RoleFile<TargetsRole>>), AuthorError> {
        let published = self.published_targets()?;
        let draft = self.draft::<TargetsRole>()?;
        let Some(base) = draft.or_else(|| published.clone()) else {
            return Err(AuthorError::NoRepository(self.path.clone()));
        };
        let version = published.as_ref().map_or(1, |file| file.version().saturating_add(1));
        let targets = base.envelope.signed.get("targets").and_then(Json::members);
        Ok((version, targets.cloned().unwrap_or_default(), published))
    }

    fn draft_root(
        &self,
        version: u64,
        roles: &BTreeMap<RoleName, RoleKeys>,
        now: Timestamp,
    ) -> Result<(), AuthorError> {
        check_keys(roles)?;
        let signed = write::root(&header_at(RoleName::Root, version, now), roles);
        self.write_draft(RoleName::Root, &Envelope { signed, signatures: BTreeMap::new() })
    }

    fn draft_same_targets(&self, now: Timestamp) -> Result<(), AuthorError> {
        let (version, targets, _) = self.next_targets()?;
        self.draft_targets(version, targets, now)
    }

    fn draft_targets(
        &self,
        version: u64,
        targets: BTreeMap<String, Json>,
        now: Timestamp,
    ) -> Result<(), AuthorError> {
        let signed = write::targets(&header_at(RoleName::Targets, version, now), targets);
        self.write_draft(RoleName::Targets, &Envelope { signed, signatures: BTreeMap::new() })
    }
}

/// Length and SHA-256 of a file.
fn measure(path: &Path) -> io::Result<(u64, [u8; 32])> {
    /// Hashes what is written.
    struct Hashing(Context);

    impl io::Write for Hashing {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.update(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut hashing = Hashing(Context::new(&SHA256));
    let length = io::copy(&mut File::open(path)?, &mut hashing)?;
    // A SHA-256 has 32 octets.
    Ok((length, hashing.0.finish().as_ref().try_into().unwrap_or_default()))
}

fn check_keys(roles: &BTreeMap<RoleName, RoleKeys>) -> Result<(), AuthorError> {
    let online: BTreeSet<_> = roles[&RoleName::Timestamp].keys.iter().map(PublicKey::id).collect();
    for (name, role) in roles {
        let (role, keys, threshold) = (*name, role.keys.len(), role.threshold);
        if threshold == 0 || threshold > keys {
            return Err(AuthorError::Threshold { role, threshold, keys });
        }
        let mut ids = BTreeSet::new();
        for id in roles[name].keys.iter().map(PublicKey::id) {
            if matches!(name, RoleName::Root | RoleName::Targets) && online.contains(&id) {
                return Err(AuthorError::OnlineKey(id));
            }
            if let Some(id) = ids.replace(id) {
                return Err(AuthorError::SameKey(id));
            }
        }
    }
    Ok(())
}

fn remove_key(keys: &mut Vec<PublicKey>, digits: &str) -> Result<(), AuthorError> {
    let is_meant = |key: &PublicKey| {
        !digits.is_empty() && (key.name() == Some(digits) || key.id().as_str().starts_with(digits))
    };
    let count = keys.iter().filter(|key| is_meant(key)).count();
    if count != 1 {
        return Err(AuthorError::WhichKey { digits: digits.to_owned(), count });
    }
    keys.retain(|key| !is_meant(key));
    Ok(())
}
