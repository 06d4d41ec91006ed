//! A repository as people make it: keys, drafts, signatures, publication, rotation, recall.

use std::fs;

use super::*;
use crate::author::{AuthorError, FirstKeys, NewRelease, ReleaseFolder, Rotated, Rotation, Stage};

/// A group of people with a folder of releases, and a device that follows it.
pub struct Group {
    pub folder: tempfile::TempDir,
    root: Vec<Key>,
    pub targets: Vec<Key>,
    pub online: Key,
    device: tempfile::TempDir,
}

impl Group {
    /// A group that has published its first release.
    pub fn new() -> Self {
        let three = || vec![key(), key(), key()];
        let group = Self {
            folder: tempfile::tempdir().unwrap(),
            root: three(),
            targets: three(),
            online: key(),
            device: tempfile::tempdir().unwrap(),
        };
        group.releases().init(&group.first(), start()).unwrap();
        group
    }

    fn first(&self) -> FirstKeys {
        FirstKeys {
            root: (public(&self.root), 2),
            targets: (public(&self.targets), 2),
            online: self.online.public(Some("server")).unwrap(),
        }
    }

    pub fn releases(&self) -> ReleaseFolder {
        ReleaseFolder::new(self.folder.path())
    }

    pub fn add(&self, version: &str) -> Result<Target, AuthorError> {
        let version = Version::parse(version).unwrap();
        let path = self.folder.path().join("program");
        fs::write(&path, program(&version)).unwrap();
        let architecture = "aarch64".to_owned();
        let release = NewRelease { version, architecture, needs: None, program: &path };
        self.releases().add(&release, start())
    }

    pub fn sign(&self, keys: &[&Key]) {
        for key in keys {
            self.releases().sign(key, None).unwrap();
        }
    }

    pub fn publish(&self) -> Result<(), AuthorError> {
        self.releases().publish(&self.online, start()).map(drop)
    }

    /// A device that refreshes.
    pub fn refresh(&self) -> Result<Targets, TrustError> {
        let first = self.releases().first_root().unwrap();
        let mut client = Client::open(self.device.path(), &first)?;
        client.refresh(&self.releases().repository(), usual())
    }

    pub fn begin(&self) {
        self.add("1.0.0").unwrap();
        self.sign(&[&self.root[0], &self.root[2], &self.targets[0], &self.targets[1]]);
        self.publish().unwrap();
    }

    pub fn has(&self, path: &str) -> bool {
        self.folder.path().join(path).exists()
    }
}

#[test]
fn two_people_sign_one_after_the_other() {
    let group = Group::new();
    group.add("1.0.0").unwrap();
    let releases = group.releases();
    assert!(matches!(group.publish(), Err(AuthorError::Unsigned { valid: 0, needed: 2, .. })));
    group.sign(&[&group.root[0], &group.root[2], &group.targets[0]]);
    let error = group.publish().unwrap_err();
    let waiting = group.targets[1].id().short().to_owned();
    assert!(error.to_string().contains(&waiting), "{error}");
    assert!(!group.has("metadata"), "nothing is written before everything is there");
    let signed = releases.sign(&group.targets[1], None).unwrap();
    assert_eq!(signed.len(), 1, "the root role is not this key's");
    assert!(signed[0].changes[0].starts_with("ebp/1.0.0/aarch64 is added"), "{:?}", signed[0]);
    assert_eq!((signed[0].requirements[0].valid, signed[0].requirements[0].needed), (2, 2));
    let error = releases.publish(&group.targets[0], start()).unwrap_err();
    assert!(matches!(error, AuthorError::NotOnline(_)), "{error}");
    group.publish().unwrap();
    let targets = group.refresh().unwrap();
    let target = targets.get(&Version::new(1, 0, 0), "aarch64").unwrap();
    let repository = releases.repository();
    let file = repository.fetch(&target.path(), 1 << 20).unwrap().unwrap();
    target.copy_verified(file, io::sink()).unwrap();
    assert!(matches!(releases.sign(&group.root[0], None), Err(AuthorError::NoDraft)));
    let status = releases.status().unwrap();
    assert_eq!(status.len(), 4);
    assert!(status.iter().all(|role| role.stage == Stage::Published));
}

#[test]
fn a_change_takes_signatures_away() {
    let group = Group::new();
    group.begin();
    group.add("1.1.0").unwrap();
    group.sign(&[&group.targets[0], &group.targets[1]]);
    group.add("1.2.0").unwrap();
    let error = group.publish().unwrap_err();
    assert!(matches!(error, AuthorError::Unsigned { valid: 0, .. }), "{error}");
    group.sign(&[&group.targets[1], &group.targets[2]]);
    group.publish().unwrap();
    assert_eq!(group.refresh().unwrap().iter().count(), 3);
}

#[test]
fn what_is_refused() {
    let group = Group::new();
    group.begin();
    let releases = group.releases();
    let error = releases.init(&group.first(), start()).unwrap_err();
    assert!(matches!(error, AuthorError::Exists(_)), "{error}");
    let other = tempfile::tempdir().unwrap();
    let elsewhere = ReleaseFolder::new(other.path());
    let refuse = |change: &dyn Fn(&mut FirstKeys)| {
        let mut keys = group.first();
        change(&mut keys);
        elsewhere.init(&keys, start()).unwrap_err()
    };
    let error = refuse(&|keys| keys.root.1 = 4);
    assert!(matches!(error, AuthorError::Threshold { threshold: 4, keys: 3, .. }), "{error}");
    assert!(matches!(refuse(&|keys| keys.targets.1 = 0), AuthorError::Threshold { .. }));
    let error = refuse(&|keys| keys.targets.0[1] = keys.targets.0[0].clone());
    assert!(matches!(error, AuthorError::SameKey(_)), "{error}");
    let error = refuse(&|keys| keys.root.0[1] = keys.online.clone());
    assert!(matches!(error, AuthorError::OnlineKey(_)), "{error}");
    assert!(matches!(elsewhere.status(), Err(AuthorError::NoRepository(_))));
    assert!(matches!(elsewhere.renew_root(start()), Err(AuthorError::NoRepository(_))));
    // The same version with other bytes.
    let path = group.folder.path().join("program");
    fs::write(&path, b"another").unwrap();
    let release = NewRelease {
        version: Version::new(1, 0, 0),
        architecture: "aarch64".to_owned(),
        needs: None,
        program: &path,
    };
    let error = releases.add(&release, start()).unwrap_err();
    assert!(matches!(error, AuthorError::OtherBytes(_)), "{error}");
    // Nothing can go over to a version that needs a later one.
    for needs in [Version::new(1, 2, 0), Version::new(1, 1, 9)] {
        let version = Version::new(1, 1, 9);
        let late = NewRelease { version, needs: Some(needs), ..release.clone() };
        let error = releases.add(&late, start()).unwrap_err();
        assert!(matches!(error, AuthorError::Needs { .. }), "{error}");
    }
    fs::write(&path, "").unwrap();
    assert!(matches!(releases.add(&release, start()), Err(AuthorError::Empty(_))));
    let sideways = NewRelease { architecture: "../x".to_owned(), ..release };
    assert!(matches!(releases.add(&sideways, start()), Err(AuthorError::Architecture(_))));
    assert!(matches!(
        releases.recall(&Version::new(9, 0, 0), start()),
        Err(AuthorError::NoRelease(_))
    ));
    // A program that is lost before its signatures are there.
    let target = group.add("1.1.0").unwrap();
    group.sign(&[&group.targets[0], &group.targets[1]]);
    let program = group.folder.path().join(target.path());
    fs::write(&program, b"the program 1.1.1").unwrap();
    assert!(matches!(group.publish(), Err(AuthorError::Program { .. })));
    let stranger = key();
    assert!(matches!(releases.sign(&stranger, None), Err(AuthorError::NotASigner(_))));
}

#[test]
fn only_what_was_read_is_signed() {
    let group = Group::new();
    group.begin();
    group.add("1.1.0").unwrap();
    let (releases, signer) = (group.releases(), &group.targets[0]);
    let read = releases.preview(signer, None).unwrap();
    // Somebody else adds a release while the first is being read.
    group.add("1.2.0").unwrap();
    let refused = releases.sign_read(signer, None, &read);
    assert!(matches!(refused, Err(AuthorError::DraftChanged(RoleName::Targets))), "{refused:?}");
    let read = releases.preview(signer, None).unwrap();
    let [requirement] = &read[0].requirements[..] else { panic!("{read:?}") };
    assert_eq!(requirement.valid, 1, "nothing was signed before");
    assert_eq!(releases.sign_read(signer, None, &read).unwrap(), read);
    // Another person's signature changes nothing that was read.
    let other = &group.targets[1];
    let read = releases.preview(other, None).unwrap();
    group.sign(&[&group.targets[2]]);
    let signed = releases.sign_read(other, None, &read).unwrap();
    assert_eq!((signed[0].sha256, signed[0].requirements[0].valid), (read[0].sha256, 3));
}

#[test]
fn recall() {
    let group = Group::new();
    group.begin();
    group.add("1.1.0").unwrap();
    group.sign(&[&group.targets[0], &group.targets[1]]);
    group.publish().unwrap();
    let (old, new) = (Version::new(1, 0, 0), Version::new(1, 1, 0));
    assert!(group.refresh().unwrap().choose(&old, &new, "aarch64").is_err());
    group.releases().recall(&new, start()).unwrap();
    let again = group.releases().recall(&new, start());
    assert!(matches!(again, Err(AuthorError::Recalled(_))));
    group.sign(&[&group.targets[0], &group.targets[2]]);
    group.publish().unwrap();
    assert!(group.refresh().unwrap().choose(&old, &new, "aarch64").is_ok());
    assert!(matches!(group.add("1.1.0"), Err(AuthorError::Recalled(_))));
    let published = group.releases().published_versions().unwrap();
    assert_eq!(Vec::from_iter(published), [(old, false), (new, true)]);
    let empty = ReleaseFolder::new(group.folder.path().join("nowhere"));
    assert!(matches!(empty.published_versions(), Err(AuthorError::NoRepository(_))));
}

/// A root key is lost, a target key stolen, the server broken into.
#[test]
fn every_key_is_rotated() {
    let mut group = Group::new();
    group.begin();
    group.refresh().unwrap();
    let rotate = |role, old: &Key, new: &Key| {
        let (add, remove) = (public(std::slice::from_ref(new)), vec![old.id().to_string()]);
        Rotation { role, add, remove, threshold: None }
    };
    let (lost, new) = (group.root[0].clone(), key());
    let releases = group.releases();
    let rotation = rotate(Rotated::Root, &lost, &new);
    releases.rotate(&rotation, start()).unwrap();
    let draft = releases.status().unwrap().pop().unwrap();
    assert_eq!(draft.requirements.len(), 2, "the old keys and the new ones");
    // One of the old keys, the new one: only one of the old ones has signed.
    group.sign(&[&group.root[1], &new]);
    let error = group.publish().unwrap_err();
    assert!(matches!(error, AuthorError::Unsigned { role: RoleName::Root, valid: 1, .. }));
    group.sign(&[&group.root[2]]);
    group.publish().unwrap();
    group.root[0] = new;
    group.refresh().unwrap();
    let again = releases.rotate(&rotation, start());
    assert!(matches!(again, Err(AuthorError::WhichKey { count: 0, .. })));
    // Target keys: the published targets were signed by the one that goes.
    let (stolen, new) = (group.targets[0].clone(), key());
    releases.rotate(&rotate(Rotated::Targets, &stolen, &new), start()).unwrap();
    group.sign(&[&group.root[0], &group.root[1]]);
    assert!(group.publish().is_err(), "the targets lack a signature");
    group.sign(&[&new, &group.targets[1]]);
    group.publish().unwrap();
    group.refresh().unwrap();
    // The server's key.
    let (stolen, new) = (group.online.clone(), key());
    releases.rotate(&rotate(Rotated::Online, &stolen, &new), start()).unwrap();
    group.sign(&[&group.root[0], &group.root[1]]);
    assert!(matches!(group.publish(), Err(AuthorError::NotOnline(_))));
    group.online = new;
    group.publish().unwrap();
    group.refresh().unwrap();
    // A drawer's device follows all of it.
    group.device = tempfile::tempdir().unwrap();
    group.refresh().unwrap();
    assert!(group.has("metadata/4.root.json"));
}

#[test]
fn renewal() {
    let group = Group::new();
    group.begin();
    let releases = group.releases();
    let later = at("2026-12-08T11:00:00Z");
    assert!(group.refresh().is_ok());
    // Every hour, with a draft in the folder that nobody has signed yet.
    group.add("1.1.0").unwrap();
    let state = releases.renew_online(&group.online, later).unwrap();
    assert_eq!(state.expires, at("2026-12-15T11:00:00Z"));
    let new: Vec<_> = state.roles.iter().filter(|(.., new)| *new).map(|role| role.0).collect();
    assert_eq!(new, [RoleName::Timestamp]);
    let state = releases.renew_online(&group.online, at("2026-12-20T00:00:00Z")).unwrap();
    assert!(state.roles.contains(&(RoleName::Snapshot, 2, true)), "{state:?}");
    fs::remove_dir_all(group.folder.path().join("draft")).unwrap();
    let later = at("2026-12-21T00:00:00Z");
    releases.renew_targets(later).unwrap();
    releases.renew_root(later).unwrap();
    group.sign(&[&group.targets[0], &group.targets[1], &group.root[0], &group.root[1]]);
    let state = releases.publish(&group.online, later).unwrap();
    assert!(state.roles.iter().all(|(.., new)| *new), "{state:?}");
    // What would be refused is not published.
    let error = releases.renew_online(&group.online, at("2028-01-01T00:00:00Z")).unwrap_err();
    assert!(matches!(error, AuthorError::Trust(TrustError::Expired { .. })), "{error}");
}
