//! Renewing a device's certificate automatically after two thirds of its lifetime.
//!
//! Enters: the files of certificate and key, the clock. Leaves: the next pair in their place. After
//! a crash at any instant certificate and key still match: the next key is written beside the old
//! one, then the next certificate, and only then both are moved into place; [`settle`] finishes a
//! renewal that was interrupted. Absent: which of several daemons that share the files renews; a
//! lock beside the key decides that.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use crate::{ClientError, DeviceKey, KeyError, KeyKind, ValidityError};
use ebp_core::{contract::DeviceCertificate, owner::Owner, private_file};

/// Why a certificate is not renewed.
#[derive(Debug, thiserror::Error)]
pub enum RenewalError {
    /// A file cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The validity of the certificate cannot be read.
    #[error(transparent)]
    Validity(#[from] ValidityError),
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The server did not issue the next certificate.
    #[error(transparent)]
    Client(Box<ClientError>),
}

impl From<ClientError> for RenewalError {
    fn from(error: ClientError) -> Self {
        Self::Client(Box::new(error))
    }
}

/// Gets the next certificate for a new key of the same kind with `ask` (such as
/// [`Client::renew`](crate::Client::renew)), and moves both into place. Returns until when the
/// certificate is valid.
///
/// # Errors
/// Returns [`RenewalError`] if the server issues no certificate, or a file cannot be read or
/// written. Certificate and key are then either both the old ones or both the new ones.
pub fn renew(
    ask: impl FnOnce(&DeviceKey) -> Result<DeviceCertificate, ClientError>,
    certificate: &Path,
    key: &Path,
) -> Result<Timestamp, RenewalError> {
    let (old, exposed) = private_file::read_anyway(key).map_err(|source| file(key, source))?;
    if let Some(exposed) = exposed {
        // The next one is private again.
        tracing::warn!("the key that is renewed may be known to others: {exposed}");
    }
    let kind = DeviceKey::from_pem(&String::from_utf8_lossy(&old))?.kind();
    Ok(obtain(ask, certificate, key, kind, None)?.not_after)
}

/// Gets a certificate for a new key of that kind with `ask`, whether there is one already or not, and
/// moves both into place; with an `owner` they belong to that user. Returns the server's answer.
///
/// # Errors
/// Returns [`RenewalError`] if the server issues no certificate, or a file cannot be read, written or
/// given to its owner. Certificate and key are then as they were.
pub fn obtain(
    ask: impl FnOnce(&DeviceKey) -> Result<DeviceCertificate, ClientError>,
    certificate: &Path,
    key: &Path,
    kind: KeyKind,
    owner: Option<Owner>,
) -> Result<DeviceCertificate, RenewalError> {
    let next = next_key(&beside(key), kind, owner)?;
    let answer = ask(&next)?;
    write_private_for(owner, &beside(certificate), answer.chain.as_bytes())?;
    settle(certificate, key)?;
    Ok(answer)
}

/// The next key: if the certificate for an earlier key did not arrive, that key is used again,
/// because the server issues a certificate for the same key at once, but for another one only after
/// a day.
fn next_key(path: &Path, kind: KeyKind, owner: Option<Owner>) -> Result<DeviceKey, RenewalError> {
    if let Ok(pem) = private_file::read_to_string(path)
        && let Ok(next) = DeviceKey::from_pem(&pem)
        && next.kind() == kind
    {
        return Ok(next);
    }
    let next = DeviceKey::generate(kind)?;
    write_private_for(owner, path, next.to_pem().as_bytes())?;
    Ok(next)
}

/// Finishes a renewal that was interrupted. Without one it changes nothing.
///
/// # Errors
/// Returns an error if a file cannot be moved.
pub fn settle(certificate: &Path, key: &Path) -> Result<(), RenewalError> {
    let (next_certificate, next_key) = (beside(certificate), beside(key));
    // The certificate is written last: if it exists, its key is beside the old one or already in
    // its place.
    if !next_certificate.exists() {
        return Ok(());
    }
    for (next, place) in [(next_key, key), (next_certificate, certificate)] {
        match fs::rename(&next, place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other.map_err(|source| file(place, source))?,
        }
        sync_folder(place)?;
    }
    Ok(())
}

/// Waits until no other process renews; the lock is free again when the file is dropped.
///
/// # Errors
/// Returns an error if the lock cannot be made.
pub fn lock(key: &Path) -> Result<File, RenewalError> {
    let path = with_ending(key, ".lock");
    let open = || {
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        file.lock()?;
        Ok(file)
    };
    open().map_err(|source| file(&path, source))
}

/// Writes a file that only its owner may read (mode 0600), completely or not at all.
///
/// # Errors
/// Returns an error if it cannot be written.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), RenewalError> {
    write_private_for(None, path, content)
}

/// The same, for another user to whom the file belongs.
///
/// # Errors
/// Returns an error if it cannot be written, or not be given to that user.
pub fn write_private_for(
    owner: Option<Owner>,
    path: &Path,
    content: &[u8],
) -> Result<(), RenewalError> {
    private_file::replace_for(owner, path, &with_ending(path, ".tmp"), content)
        .map_err(|source| file(path, source))?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> Result<(), RenewalError> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    File::open(folder).and_then(|dir| dir.sync_all()).map_err(|source| file(folder, source))
}

/// Where the next one waits.
fn beside(path: &Path) -> PathBuf {
    with_ending(path, ".next")
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

fn file(path: &Path, source: io::Error) -> RenewalError {
    RenewalError::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The server grants a key the same certificate again, and another one only the next day.
    #[test]
    fn a_key_whose_certificate_did_not_arrive_is_asked_for_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("d.key.next");
        let first = next_key(&path, KeyKind::P256, None).unwrap().to_pem();
        assert_eq!(next_key(&path, KeyKind::P256, None).unwrap().to_pem(), first);
        assert_ne!(next_key(&path, KeyKind::Ed25519, None).unwrap().to_pem(), first);
        fs::write(&path, "half a k").unwrap();
        assert_ne!(next_key(&path, KeyKind::P256, None).unwrap().to_pem(), first);
    }

    /// At whatever instant it is interrupted, certificate and key in place match.
    #[test]
    fn a_renewal_that_was_broken_off_is_finished() {
        let dir = tempfile::tempdir().unwrap();
        let (certificate, key) = (dir.path().join("d.pem"), dir.path().join("d.key"));
        let content = |path: &Path| fs::read_to_string(path).unwrap();
        // Which of the next key, the next certificate is there, and what is in place afterwards.
        for (has_key, has_certificate, moved, expected) in [
            (false, false, false, "old"),
            (true, false, false, "old"),
            (true, true, false, "new"),
            (false, true, true, "new"),
        ] {
            write_private(&certificate, b"old").unwrap();
            write_private(&key, if moved { b"new" } else { b"old" }).unwrap();
            for (there, path) in [(has_key, beside(&key)), (has_certificate, beside(&certificate))]
            {
                let _ = fs::remove_file(&path);
                if there {
                    write_private(&path, b"new").unwrap();
                }
            }
            settle(&certificate, &key).unwrap();
            assert_eq!((content(&certificate), content(&key)), (expected.into(), expected.into()));
            assert!(!beside(&certificate).exists());
        }
    }
}
