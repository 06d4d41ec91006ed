//! Checks for each request whether a certificate is registered and not revoked.

use std::{
    collections::HashMap,
    fs::{File, Metadata},
    os::unix::fs::MetadataExt,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use ebp_store::{CertificateKind, Serial};

use super::{AuthorityError, Register};

/// The state of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Registered for a client and not revoked.
    Good,
    /// Revoked.
    Revoked,
    /// Not registered: not trusted, or a register restored from yesterday's copy would revive what
    /// was revoked since.
    Unknown,
}

/// The authority's register, read again whenever its file has changed.
pub struct RegisterWatch {
    path: PathBuf,
    read: Mutex<Option<(Version, HashMap<Serial, Standing>)>>,
}

/// What differs when the authority has put a new file in the place of the old one.
#[derive(Debug, PartialEq, Eq)]
struct Version {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl Version {
    fn from_metadata(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

impl RegisterWatch {
    /// Watches the register at `path`.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, read: Mutex::new(None) }
    }

    /// The certificate's present state. Reads the file's metadata, and the file when it has
    /// changed.
    ///
    /// # Errors
    /// Returns an error if the register cannot be read: then no client is let in.
    pub fn standing(&self, serial: &Serial) -> Result<Standing, AuthorityError> {
        let file_error = |source| AuthorityError::file(&self.path, source);
        let version = Version::from_metadata(&std::fs::metadata(&self.path).map_err(file_error)?);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.as_ref().is_none_or(|(seen, _)| *seen != version) {
            // The version is that of the file that is read, not of the one that may take its
            // place in between.
            let file = File::open(&self.path).map_err(file_error)?;
            let version = Version::from_metadata(&file.metadata().map_err(file_error)?);
            let register = Register::read_from(&file, &self.path)?;
            let clients = register
                .entries
                .into_iter()
                .filter(|entry| entry.kind == CertificateKind::Client)
                .map(|entry| match entry.revoked_at {
                    None => (entry.serial, Standing::Good),
                    Some(_) => (entry.serial, Standing::Revoked),
                })
                .collect();
            *read = Some((version, clients));
        }
        let standing = read.as_ref().and_then(|(_, standings)| standings.get(serial));
        Ok(standing.copied().unwrap_or(Standing::Unknown))
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use ebp_core::{clock::FixedClock, scope::Scopes};

    use super::*;
    use crate::authority::{Authority, ClientRequest, register_path};

    #[test]
    fn changes_count_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedClock("2026-11-24T12:00:00Z".parse().unwrap()));
        let authority = Authority::init(dir.path(), "Test CA", clock).unwrap();
        let watch = RegisterWatch::new(register_path(dir.path()));
        let request = ClientRequest {
            participant: uuid::Uuid::from_u128(5),
            email: "erika@example.org".into(),
            device: None,
            scopes: Scopes::all(),
            validity: Duration::from_secs(60),
        };
        for _ in 0..20 {
            let serial = authority.issue(&request).unwrap().entry.serial;
            assert_eq!(watch.standing(&serial).unwrap(), Standing::Good);
            authority.revoke(&serial).unwrap();
            assert_eq!(watch.standing(&serial).unwrap(), Standing::Revoked);
        }
        let server = authority.issue_server(&["localhost".into()]).unwrap().entry.serial;
        assert_eq!(watch.standing(&server).unwrap(), Standing::Unknown);

        std::fs::write(register_path(dir.path()), "damaged").unwrap();
        assert!(watch.standing(&server).is_err());
        std::fs::remove_file(register_path(dir.path())).unwrap();
        assert!(watch.standing(&server).is_err());
    }
}
