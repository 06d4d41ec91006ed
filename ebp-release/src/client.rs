//! The client: what is trusted, kept in a folder.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use crate::{
    dates::KnownTime,
    error::TrustError,
    json::Json,
    repository::Repository,
    role::{Role, RoleName},
    targets::Targets,
    trusted::Trusted,
};

/// The file with what is trusted, and where it is written first.
const FILE: &str = "trusted.json";
const DRAFT: &str = "trusted.json.new";
/// The longest such file: four roles, in which each character may be escaped.
const LONGEST: u64 = 8 << 20;

/// A client of a repository.
#[derive(Debug)]
pub struct Client {
    folder: PathBuf,
    trusted: Trusted,
    written: Option<Vec<u8>>,
    discarded: bool,
}

impl Client {
    /// Opens the folder, which is made where there is none. `first_root` is the root role that came
    /// with the program; it is trusted. If the folder has a newer one, which was reached from an
    /// older program's, that is used.
    ///
    /// # Errors
    /// Returns [`TrustError::Malformed`] or [`TrustError::Signatures`] if `first_root` is not whole, and
    /// [`TrustError::Storage`] if the folder cannot be made or its file not be read. A file that is
    /// damaged is no error: trust begins anew at `first_root` ([`discarded`](Self::discarded)).
    pub fn open(folder: impl Into<PathBuf>, first_root: &[u8]) -> Result<Self, TrustError> {
        let folder = folder.into();
        let first = Trusted::new(first_root.to_vec())?;
        let path = folder.join(FILE);
        let failed = |source| TrustError::Storage { path: path.clone(), source };
        fs::create_dir_all(&folder).map_err(failed)?;
        let written = read_bounded(&path).map_err(failed)?;
        let stored = written.as_deref().map(restore);
        let discarded = matches!(stored, Some(None));
        let trusted = match stored.flatten() {
            Some((stored, _)) if version(&stored) >= version(&first) => stored,
            Some((_, [timestamp, snapshot, targets])) => {
                let mut trusted = first;
                trusted.restore(timestamp, snapshot, targets);
                trusted
            }
            None => first,
        };
        Ok(Self { folder, trusted, written, discarded })
    }

    /// Whether the folder's file was damaged when it was opened, so that trust began anew.
    #[must_use]
    pub const fn discarded(&self) -> bool {
        self.discarded
    }

    /// The version of the trusted root role.
    #[must_use]
    pub fn root_version(&self) -> u64 {
        version(&self.trusted)
    }

    /// Goes over to the repository's newest state, verifies it, and stores it before it is used: all
    /// at once, so that a crash at any instant leaves the old or the new one. New root roles are stored
    /// also if what is below them is refused.
    ///
    /// # Errors
    /// Returns why the repository is refused, could not be read, or the state not be stored. What was
    /// trusted before stays so. [`TrustError::is_passing`] tells the network's and the disk's failures
    /// from those that say something about the repository.
    pub fn refresh(
        &mut self,
        repository: &(impl Repository + ?Sized),
        time: KnownTime,
    ) -> Result<Targets, TrustError> {
        let followed = self.trusted.follow_roots(repository);
        if !matches!(followed, Ok(false)) {
            self.store()?;
        }
        followed?;
        let mut next = self.trusted.clone();
        let dates = next.update(repository, time)?;
        self.trusted = next;
        self.store()?;
        match &self.trusted.targets {
            Some(targets) => Ok(Targets::new(targets.role.clone(), dates)),
            // `update` has set it.
            None => Err(TrustError::Missing { path: RoleName::Targets.to_string() }),
        }
    }

    /// Writes what is trusted, if it differs from what is written.
    fn store(&mut self) -> Result<(), TrustError> {
        let bytes = serialize(&self.trusted);
        if self.written.as_ref() == Some(&bytes) {
            return Ok(());
        }
        replace(&self.folder, &bytes)
            .map_err(|source| TrustError::Storage { path: self.folder.join(FILE), source })?;
        self.written = Some(bytes);
        Ok(())
    }
}

fn version(trusted: &Trusted) -> u64 {
    trusted.root.role.header().version
}

/// The file as one object of texts, so that roles keep their bytes.
fn serialize(trusted: &Trusted) -> Vec<u8> {
    let text = |bytes: Option<&Vec<u8>>| {
        Json::Text(String::from_utf8_lossy(bytes.map_or(&[], Vec::as_slice)).into_owned())
    };
    let members = [
        (RoleName::Root, text(Some(&trusted.root.bytes))),
        (RoleName::Timestamp, text(trusted.timestamp.as_ref().map(|role| &role.bytes))),
        (RoleName::Snapshot, text(trusted.snapshot.as_ref().map(|role| &role.bytes))),
        (RoleName::Targets, text(trusted.targets.as_ref().map(|role| &role.bytes))),
    ];
    Json::Object(members.map(|(role, text)| (role.name().to_owned(), text)).into()).compact()
}

/// What a file says, with the files of the roles below the root; `None` if it is damaged.
fn restore(bytes: &[u8]) -> Option<(Trusted, [Vec<u8>; 3])> {
    let json = Json::parse(bytes).ok()?;
    let role = |name: RoleName| Some(json.get(name.name())?.text()?.as_bytes().to_vec());
    let mut trusted = Trusted::new(role(RoleName::Root)?).ok()?;
    let below = [role(RoleName::Timestamp)?, role(RoleName::Snapshot)?, role(RoleName::Targets)?];
    let [timestamp, snapshot, targets] = below.clone();
    trusted.restore(timestamp, snapshot, targets);
    Some((trusted, below))
}

/// A file's bytes, `None` where there is none. A file that is too long is cut, and so damaged.
fn read_bounded(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match File::open(path) {
        Ok(file) => {
            let mut bytes = Vec::new();
            file.take(LONGEST).read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn replace(folder: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = folder.join(DRAFT);
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, folder.join(FILE))?;
    // The folder has the new name only once it is synchronised itself.
    File::open(folder)?.sync_all()
}
