//! A repository whose keys a test has, all of them: what an attacker could make with some of them.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

mod attacks;
mod authoring;
mod flips;
mod recovery;
mod time;
mod together;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
    rc::Rc,
};

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use semver::Version;

use crate::{
    Client, KnownTime, Repository, RoleName, Target, Targets, TrustError,
    author::{
        SigningKey,
        write::{self, header_at},
    },
    envelope::Envelope,
    json::Json,
    key::PublicKey,
    role::RoleKeys,
};

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// When everything is signed.
pub fn start() -> Timestamp {
    at("2026-12-01T12:00:00Z")
}

/// A clock that is right.
pub fn clock(now: &str) -> KnownTime {
    KnownTime { now: Some(at(now)), built: at("2026-01-01T00:00:00Z") }
}

pub fn usual() -> KnownTime {
    clock("2026-12-02T12:00:00Z")
}

/// A key; a copy of it is a stolen one.
pub type Key = Rc<SigningKey>;

pub fn key() -> Key {
    Rc::new(SigningKey::generate().unwrap().0)
}

pub fn public(keys: &[Key]) -> Vec<PublicKey> {
    keys.iter().map(|key| key.public(None).unwrap()).collect()
}

/// What is signed, by those keys.
pub fn signed(signed: Json, keys: &[&Key]) -> Vec<u8> {
    let signatures = keys.iter().map(|key| (key.id(), key.sign(&signed))).collect();
    Envelope { signed, signatures }.to_bytes()
}

pub fn program(version: &Version) -> Vec<u8> {
    format!("the program {version}").into_bytes()
}

/// A repository in memory.
#[derive(Default, Clone)]
pub struct Files(pub BTreeMap<String, Vec<u8>>);

impl Repository for Files {
    fn fetch(&self, path: &str, _: u64) -> io::Result<Option<Box<dyn Read + '_>>> {
        Ok(self.0.get(path).map(|bytes| Box::new(bytes.as_slice()) as Box<dyn Read>))
    }
}

/// A repository and its keys.
pub struct World {
    pub root_keys: Vec<Key>,
    pub target_keys: Vec<Key>,
    pub online: Key,
    pub files: Files,
    /// Versions of root, targets, snapshot and timestamp.
    pub versions: [u64; 4],
    pub releases: Vec<Version>,
    pub recalled: BTreeSet<Version>,
    pub now: Timestamp,
}

impl World {
    /// Two of three keys for root and targets, and a release.
    pub fn new() -> Self {
        let three = || vec![key(), key(), key()];
        let mut world = Self {
            root_keys: three(),
            target_keys: three(),
            online: key(),
            files: Files::default(),
            versions: [0; 4],
            releases: vec![Version::new(1, 4, 1)],
            recalled: BTreeSet::new(),
            now: start(),
        };
        world.next_root(&[]);
        world.next_all();
        world
    }

    pub fn roles(&self) -> BTreeMap<RoleName, RoleKeys> {
        let role = |keys: Vec<PublicKey>, threshold| RoleKeys { keys, threshold };
        let online = || role(vec![self.online.public(None).unwrap()], 1);
        BTreeMap::from([
            (RoleName::Root, role(public(&self.root_keys), 2)),
            (RoleName::Targets, role(public(&self.target_keys), 2)),
            (RoleName::Snapshot, online()),
            (RoleName::Timestamp, online()),
        ])
    }

    pub fn root_json(&self, version: u64) -> Json {
        write::root(&header_at(RoleName::Root, version, self.now), &self.roles())
    }

    /// The next root role, signed by two of its keys and by older ones.
    pub fn next_root(&mut self, old: &[&Key]) {
        self.versions[0] += 1;
        let json = self.root_json(self.versions[0]);
        let own = self.root_keys.iter().take(2);
        let keys: Vec<_> = own.chain(old.iter().copied()).collect();
        let bytes = signed(json, &keys);
        self.put(RoleName::Root, self.versions[0], bytes);
    }

    pub fn target(&self, version: &Version) -> Target {
        let bytes = program(version);
        Target {
            version: version.clone(),
            architecture: "aarch64".to_owned(),
            length: bytes.len() as u64,
            sha256: digest(&SHA256, &bytes).as_ref().try_into().unwrap(),
            recalled: self.recalled.clone(),
            needs: None,
        }
    }

    pub fn targets_json(&self, version: u64) -> Json {
        let targets = self.releases.iter().map(|version| self.target(version));
        let targets = targets.map(|target| (target.name(), target.to_json())).collect();
        write::targets(&header_at(RoleName::Targets, version, self.now), targets)
    }

    /// A targets role, and all that is above it.
    pub fn next_all(&mut self) {
        self.versions[1] += 1;
        let json = self.targets_json(self.versions[1]);
        let bytes = signed(json, &self.target_keys.iter().take(2).collect::<Vec<_>>());
        self.put(RoleName::Targets, self.versions[1], bytes);
        self.next_snapshot();
    }

    pub fn next_snapshot(&mut self) {
        self.versions[2] += 1;
        let version = self.versions[1];
        let meta = write::file_meta(version, &self.files.0[&RoleName::Targets.path(version)]);
        let header = header_at(RoleName::Snapshot, self.versions[2], self.now);
        let bytes = signed(write::snapshot(&header, meta), &[&self.online]);
        self.put(RoleName::Snapshot, self.versions[2], bytes);
        self.next_timestamp();
    }

    pub fn next_timestamp(&mut self) {
        self.versions[3] += 1;
        let version = self.versions[2];
        let meta = write::file_meta(version, &self.files.0[&RoleName::Snapshot.path(version)]);
        let header = header_at(RoleName::Timestamp, self.versions[3], self.now);
        let bytes = signed(write::timestamp(&header, meta, self.now), &[&self.online]);
        self.put(RoleName::Timestamp, self.versions[3], bytes);
    }

    pub fn put(&mut self, role: RoleName, version: u64, bytes: Vec<u8>) {
        self.files.0.insert(role.path(version), bytes);
    }

    pub fn first_root(&self) -> Vec<u8> {
        self.files.0[&RoleName::Root.path(1)].clone()
    }
}

/// A device: a client with its folder.
pub struct Device {
    pub folder: tempfile::TempDir,
    pub first_root: Vec<u8>,
}

impl Device {
    pub fn new(world: &World) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), first_root: world.first_root() }
    }

    /// One that has refreshed.
    pub fn fresh(world: &World) -> Self {
        let device = Self::new(world);
        device.refresh(&world.files, usual()).unwrap();
        device
    }

    pub fn open(&self) -> Client {
        Client::open(self.folder.path(), &self.first_root).unwrap()
    }

    /// As after a restart each time: what is trusted comes from the disk.
    pub fn refresh(
        &self,
        repository: &impl Repository,
        time: KnownTime,
    ) -> Result<Targets, TrustError> {
        self.open().refresh(repository, time)
    }

    pub fn stored(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("trusted.json")).unwrap_or_default()
    }

    /// Refused, and nothing of it stored.
    #[track_caller]
    pub fn refuse(&self, repository: &impl Repository, time: KnownTime) -> TrustError {
        let before = self.stored();
        let error = self.refresh(repository, time).unwrap_err();
        assert!(!error.is_passing(), "{error}");
        assert_eq!(self.stored(), before, "{error}");
        error
    }
}
