//! Notices when the register's file has changed, so that it is imported into the database again.

use std::{
    fs::{File, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use tokio::sync::{Mutex as Turn, MutexGuard};

use super::{AuthorityError, Register};

/// The register's file, and how it was when it was last imported.
pub struct RegisterWatch {
    path: PathBuf,
    imported: Mutex<Option<Version>>,
    turn: Turn<()>,
}

/// What differs when the authority has put a new file in the place of the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// There is no file.
    Absent,
    /// By what the file system says of it.
    File { device: u64, inode: u64, length: u64, modified: (i64, i64) },
}

impl From<&Metadata> for Version {
    fn from(metadata: &Metadata) -> Self {
        Self::File {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

impl RegisterWatch {
    /// Watches the register at `path`, of which nothing is imported yet.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, imported: Mutex::default(), turn: Turn::default() }
    }

    /// Whether the file is as it was when it was last imported. Reads its metadata alone.
    pub(crate) fn is_imported(&self) -> Result<bool, AuthorityError> {
        let version = match std::fs::metadata(&self.path) {
            Ok(metadata) => Version::from(&metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Version::Absent,
            Err(source) => return Err(AuthorityError::file(&self.path, source)),
        };
        Ok(*self.imported.lock().unwrap_or_else(PoisonError::into_inner) == Some(version))
    }

    /// Waits until nobody else imports it.
    pub(crate) async fn take_turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Notes that the file was imported as it was then.
    pub(crate) fn note_imported(&self, version: Version) {
        *self.imported.lock().unwrap_or_else(PoisonError::into_inner) = Some(version);
    }
}

/// The register with its version: that of the file that is read, not of one that takes its place
/// meanwhile.
pub(crate) fn read_version(path: &Path) -> Result<(Version, Register), AuthorityError> {
    let failed = |source| AuthorityError::file(path, source);
    match File::open(path) {
        Ok(file) => {
            let version = Version::from(&file.metadata().map_err(failed)?);
            Ok((version, Register::read_from(&file, path)?))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok((Version::Absent, Register::default()))
        }
        Err(source) => Err(failed(source)),
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use ebp_core::{clock::FixedClock, scope::Scopes};

    use super::*;
    use crate::authority::{Authority, ClientRequest, register_path};

    #[test]
    fn each_change_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedClock("2026-11-24T12:00:00Z".parse().unwrap()));
        let authority = Authority::init(dir.path(), "Test CA", clock).unwrap();
        let path = register_path(dir.path());
        let watch = RegisterWatch::new(path.clone());
        let import = || {
            assert!(!watch.is_imported().unwrap());
            let (version, register) = read_version(&path)?;
            watch.note_imported(version);
            assert!(watch.is_imported().unwrap());
            Ok::<_, AuthorityError>(register.entries)
        };
        assert_eq!(import().unwrap(), [], "an authority has no file before it needs one");
        let request = ClientRequest {
            participant: uuid::Uuid::from_u128(5),
            email: "erika@example.org".into(),
            device: None,
            scopes: Scopes::all(),
            validity: Duration::from_secs(60),
        };
        for _ in 0..20 {
            let entry = authority.issue(&request).unwrap().entry;
            assert_eq!(import().unwrap().last(), Some(&entry));
            let revoked = authority.revoke(&entry.serial).unwrap();
            assert_eq!(import().unwrap().last(), Some(&revoked));
        }
        std::fs::write(&path, "damaged").unwrap();
        assert!(import().is_err());
        std::fs::remove_file(&path).unwrap();
        assert_eq!(import().unwrap(), []);
    }
}
