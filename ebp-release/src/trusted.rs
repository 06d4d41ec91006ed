//! What is trusted, and how it goes over to a newer state: section 5 of the specification of The
//! Update Framework, without input or output but for the repository's files.

use jiff::Timestamp;

use crate::{
    dates::{Judged, KnownTime},
    envelope::Envelope,
    error::TrustError,
    repository::{Repository, fetch},
    role::{FileMeta, Role, RoleName, Root, Snapshot, TargetsRole, TimestampRole},
};

/// The most new root roles that one refresh follows.
pub const LONGEST_CHAIN: u32 = 1_024;

/// A role whose signatures were verified, with the file it was read from.
#[derive(Debug, Clone)]
pub struct Verified<R> {
    /// The file.
    pub bytes: Vec<u8>,
    /// What it says.
    pub role: R,
}

impl<R: Role> Verified<R> {
    fn read(bytes: Vec<u8>, root: &Root) -> Result<Self, TrustError> {
        let envelope = Envelope::parse(R::NAME, &bytes)?;
        envelope.verify(R::NAME, root.keys(R::NAME))?;
        let role = R::parse(&envelope.signed)?;
        Ok(Self { bytes, role })
    }

    fn version(&self) -> u64 {
        self.role.header().version
    }

    fn require_version(self, expected: u64) -> Result<Self, TrustError> {
        match self.version() {
            version if version == expected => Ok(self),
            version => Err(TrustError::WrongVersion { role: R::NAME, version, expected }),
        }
    }

    fn require_date(&self, at: Timestamp) -> Result<(), TrustError> {
        match self.role.header().expires {
            expired if expired <= at => Err(TrustError::Expired { role: R::NAME, expired }),
            _ => Ok(()),
        }
    }

    fn is(&self, meta: &FileMeta) -> bool {
        self.version() == meta.version && meta.check(R::NAME, &self.bytes).is_ok()
    }
}

/// The roles that are trusted.
#[derive(Debug, Clone)]
pub struct Trusted {
    /// The newest root role.
    pub root: Verified<Root>,
    /// Those below it, as far as the root's keys have signed them.
    pub timestamp: Option<Verified<TimestampRole>>,
    /// Likewise.
    pub snapshot: Option<Verified<Snapshot>>,
    /// Likewise.
    pub targets: Option<Verified<TargetsRole>>,
}

impl Trusted {
    /// Trusts a root role, which is checked against itself alone.
    ///
    /// # Errors
    /// Returns [`TrustError::Malformed`] or [`TrustError::Signatures`] if it is not whole.
    pub fn new(bytes: Vec<u8>) -> Result<Self, TrustError> {
        let root = read_root(bytes)?;
        Ok(Self { root, timestamp: None, snapshot: None, targets: None })
    }

    /// Takes up roles that were trusted before. What the root's keys have not signed is left out.
    pub fn restore(&mut self, timestamp: Vec<u8>, snapshot: Vec<u8>, targets: Vec<u8>) {
        let root = &self.root.role;
        self.timestamp = Verified::read(timestamp, root).ok();
        self.snapshot = Verified::read(snapshot, root).ok();
        self.targets = Verified::read(targets, root).ok();
        self.drop_unsigned();
    }

    /// Follows the chain of root roles to its end. Whether any was new.
    ///
    /// # Errors
    /// Returns an error if a role of the chain cannot be fetched, is malformed, skips a version, or is
    /// not signed by its predecessor's keys and its own. What comes before it is trusted.
    pub fn follow_roots(
        &mut self,
        repository: &(impl Repository + ?Sized),
    ) -> Result<bool, TrustError> {
        for step in 0..=LONGEST_CHAIN {
            let Some(next) = self.root.version().checked_add(1) else { return Ok(step > 0) };
            let limit = RoleName::Root.longest();
            let Some(bytes) = fetch(repository, &RoleName::Root.path(next), limit)? else {
                return Ok(step > 0);
            };
            if step == LONGEST_CHAIN {
                return Err(TrustError::RootChain(LONGEST_CHAIN));
            }
            // By the keys of the trusted one and by its own.
            let root = Verified::<Root>::read(bytes, &self.root.role)?.require_version(next)?;
            let old = std::mem::replace(&mut self.root, read_root(root.bytes)?);
            let below = [RoleName::Timestamp, RoleName::Snapshot, RoleName::Targets];
            if below.iter().any(|role| old.role.keys(*role) != self.root.role.keys(*role)) {
                self.drop_unsigned();
            }
        }
        Ok(true)
    }

    /// Goes over to the repository's state. Either all roles are verified and replaced together, or
    /// none.
    ///
    /// # Errors
    /// Returns an error if a file cannot be fetched, or a role is refused.
    pub fn update(
        &mut self,
        repository: &(impl Repository + ?Sized),
        time: KnownTime,
    ) -> Result<Judged, TrustError> {
        let known = self.timestamp.as_ref().and_then(|trusted| trusted.role.signed_at);
        self.root.require_date(time.judge(known).0)?;
        let timestamp = self.next_timestamp(repository)?;
        let (now, judged) = time.judge(known.max(timestamp.role.signed_at));
        self.root.require_date(now)?;
        timestamp.require_date(now)?;
        let snapshot = self.next_snapshot(repository, &timestamp.role.snapshot)?;
        snapshot.require_date(now)?;
        let targets = self.next_targets(repository, &snapshot.role.targets)?;
        targets.require_date(now)?;
        self.timestamp = Some(timestamp);
        self.snapshot = Some(snapshot);
        self.targets = Some(targets);
        Ok(judged)
    }

    fn next_timestamp(
        &self,
        repository: &(impl Repository + ?Sized),
    ) -> Result<Verified<TimestampRole>, TrustError> {
        let path = RoleName::Timestamp.path(0);
        let bytes = require(repository, &path, RoleName::Timestamp.longest())?;
        let next = Verified::<TimestampRole>::read(bytes, &self.root.role)?;
        let Some(trusted) = &self.timestamp else { return Ok(next) };
        require_not_older(RoleName::Timestamp, next.version(), trusted.version())?;
        if next.version() == trusted.version() {
            return Ok(trusted.clone());
        }
        let (new, old) = (next.role.snapshot.version, trusted.role.snapshot.version);
        require_not_older(RoleName::Snapshot, new, old)?;
        Ok(next)
    }

    fn next_snapshot(
        &self,
        repository: &(impl Repository + ?Sized),
        meta: &FileMeta,
    ) -> Result<Verified<Snapshot>, TrustError> {
        if let Some(trusted) = self.snapshot.as_ref().filter(|trusted| trusted.is(meta)) {
            return Ok(trusted.clone());
        }
        let next: Verified<Snapshot> = self.read_named(repository, meta)?;
        let trusted = self.snapshot.iter().flat_map(|trusted| &trusted.role.versions);
        for (name, trusted) in trusted {
            let version = next.role.versions.get(name).copied().unwrap_or(0);
            require_not_older(RoleName::Targets, version, *trusted)?;
        }
        Ok(next)
    }

    fn next_targets(
        &self,
        repository: &(impl Repository + ?Sized),
        meta: &FileMeta,
    ) -> Result<Verified<TargetsRole>, TrustError> {
        match self.targets.as_ref().filter(|trusted| trusted.is(meta)) {
            Some(trusted) => Ok(trusted.clone()),
            None => self.read_named(repository, meta),
        }
    }

    /// The role that another one names.
    fn read_named<R: Role>(
        &self,
        repository: &(impl Repository + ?Sized),
        meta: &FileMeta,
    ) -> Result<Verified<R>, TrustError> {
        let limit = meta.length.unwrap_or(u64::MAX).min(R::NAME.longest());
        let bytes = require(repository, &R::NAME.path(meta.version), limit)?;
        meta.check(R::NAME, &bytes)?;
        Verified::<R>::read(bytes, &self.root.role)?.require_version(meta.version)
    }

    /// Drops what the root's keys have not signed. Whoever had the keys of timestamp or snapshot may
    /// have signed versions so high that no later one would pass, so with either both are dropped.
    fn drop_unsigned(&mut self) {
        let root = &self.root.role;
        let timestamp = self.timestamp.take().filter(|trusted| is_signed(trusted, root));
        let snapshot = self.snapshot.take().filter(|trusted| is_signed(trusted, root));
        self.targets = self.targets.take().filter(|trusted| is_signed(trusted, root));
        if let (Some(timestamp), Some(snapshot)) = (timestamp, snapshot) {
            self.timestamp = Some(timestamp);
            self.snapshot = Some(snapshot);
        }
    }
}

/// A root role that has signed itself.
fn read_root(bytes: Vec<u8>) -> Result<Verified<Root>, TrustError> {
    let envelope = Envelope::parse(RoleName::Root, &bytes)?;
    let role = Root::parse(&envelope.signed)?;
    envelope.verify(RoleName::Root, role.keys(RoleName::Root))?;
    Ok(Verified { bytes, role })
}

fn is_signed<R: Role>(verified: &Verified<R>, root: &Root) -> bool {
    Envelope::parse(R::NAME, &verified.bytes)
        .is_ok_and(|envelope| envelope.verify(R::NAME, root.keys(R::NAME)).is_ok())
}

fn require(
    repository: &(impl Repository + ?Sized),
    path: &str,
    limit: u64,
) -> Result<Vec<u8>, TrustError> {
    let found = fetch(repository, path, limit)?;
    found.ok_or_else(|| TrustError::Missing { path: path.to_owned() })
}

const fn require_not_older(role: RoleName, version: u64, trusted: u64) -> Result<(), TrustError> {
    if version < trusted {
        return Err(TrustError::RolledBack { role, version, trusted });
    }
    Ok(())
}
