//! The release key's file, which only its owner may read, and the key's fingerprint.
//!
//! Enters: a path. Leaves: the key, whole or not at all. Absent: the key in any error.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use ebp_anon::{InvalidReleaseKey, NoRandomness, ReleaseKey};
use ebp_core::private_file;

/// Why a release key's file cannot be used. It does not show the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It cannot be read or made.
    #[error("the release key {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds something else.
    #[error("the release key {}: {source}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: InvalidReleaseKey,
    },
    /// Others may read it.
    #[error("the release key {} can be read by others than its owner", path.display())]
    Mode {
        /// The file.
        path: PathBuf,
    },
    /// No key can be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// A release key's fingerprint: tells keys apart and nothing of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyMark(pub [u8; 8]);

impl KeyMark {
    /// A key's.
    #[must_use]
    pub fn of(key: &ReleaseKey) -> Self {
        let hash = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key.hash_key());
        let tag = ring::hmac::sign(&hash, b"fingerprint of a release key");
        let mut mark = [0; 8];
        mark.copy_from_slice(&tag.as_ref()[..8]);
        Self(mark)
    }
}

impl fmt::Display for KeyMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyMark({self})")
    }
}

/// The key in the file; none if there is no file.
///
/// # Errors
/// [`KeyFileError`] if it is no key, or others than its owner may read it.
pub fn load_key(path: &Path) -> Result<Option<ReleaseKey>, KeyFileError> {
    let failed = |source| KeyFileError::File { path: path.to_owned(), source };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if private_file::exposure(path).is_some() {
        return Err(KeyFileError::Mode { path: path.to_owned() });
    }
    let key =
        text.parse().map_err(|source| KeyFileError::Content { path: path.to_owned(), source })?;
    Ok(Some(key))
}

/// Makes a key and its file (mode 0600), on the disk when this returns.
///
/// # Errors
/// [`KeyFileError::File`], also if there is a file already: it is left as it is.
pub fn make_key(path: &Path) -> Result<ReleaseKey, KeyFileError> {
    let key = ReleaseKey::from_os()?;
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let write = || {
        // Under another name first: the file is there whole or not at all.
        let draft = path.with_extension(format!("{}.tmp", uuid::Uuid::new_v4()));
        let mut file = private_file::options().write(true).create_new(true).open(&draft)?;
        writeln!(file, "{}", key.to_secret_text())?;
        file.sync_all()?;
        // A link does not replace what is there.
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft)?;
        linked?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|source| KeyFileError::File { path: path.to_owned(), source })?;
    Ok(key)
}

/// The key in the file, which is made if there is none.
///
/// # Errors
/// [`KeyFileError`].
pub fn load_or_make_key(path: &Path) -> Result<ReleaseKey, KeyFileError> {
    if let Some(key) = load_key(path)? {
        return Ok(key);
    }
    match make_key(path) {
        // Somebody else was faster.
        Err(KeyFileError::File { source, path })
            if source.kind() == io::ErrorKind::AlreadyExists =>
        {
            load_key(&path)?.ok_or(KeyFileError::File { path, source })
        }
        made => made,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("release.key");
        assert!(load_key(&path).unwrap().is_none());
        let mark = KeyMark::of(&load_or_make_key(&path).unwrap());
        assert_eq!(KeyMark::of(&load_or_make_key(&path).unwrap()), mark);
        assert!(matches!(make_key(&path), Err(KeyFileError::File { .. })));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(load_key(&path), Err(KeyFileError::Mode { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "ebp-release-key-1:1234").unwrap();
        let error = load_key(&path).unwrap_err().to_string();
        assert!(error.contains("release.key") && !error.contains("1234"), "{error}");
    }

    #[test]
    fn of_many_who_make_it_at_once_all_have_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("release.key");
        let marks: Vec<KeyMark> = std::thread::scope(|scope| {
            let each = || KeyMark::of(&load_or_make_key(&path).unwrap());
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(each)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(marks.iter().all(|mark| *mark == marks[0]), "{marks:?}");
    }
}
