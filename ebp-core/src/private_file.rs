//! Files and folders that only their owner may read. Their modes are checked and set only here.
//!
//! Keys, secrets and tokens are rejected if their group or others may read or write them. There is
//! one exception, the same as PostgreSQL's: a file that belongs to root may be readable by its
//! group (0640) if another user runs the program, since a service's secrets are often `root:ebp`.
//! The mode of anything that is no regular file, such as a pipe, is not checked.
//!
//! Enters: paths, contents. Leaves: files with mode 0600, folders with 0700, or [`Exposed`]. Absent:
//! what is in a file, and whether an exposed one is refused or warned of; the caller decides that.

use std::{
    fmt,
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use crate::owner::Owner;

/// Users other than its owner may use a file or folder. The message ends with the command that
/// fixes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("others than its owner may use {} (mode {mode:04o}): chmod {wanted} {}", path.display(), Quoted(path))]
pub struct Exposed {
    /// Which.
    pub path: PathBuf,
    /// Its permissions.
    pub mode: u32,
    wanted: &'static str,
}

/// Why a private file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFileError {
    /// It cannot be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may use it.
    #[error(transparent)]
    Exposed(#[from] Exposed),
}

/// A path quoted for a shell.
struct Quoted<'a>(&'a Path);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string_lossy();
        let plain = |c: char| c.is_alphanumeric() || "/._-+,:@".contains(c);
        if !text.is_empty() && text.chars().all(plain) {
            f.write_str(&text)
        } else {
            write!(f, "'{}'", text.replace('\'', r"'\''"))
        }
    }
}

/// Whether only its owner may use it.
///
/// # Errors
/// Returns [`Exposed`] if group or others may.
pub fn check(path: &Path, metadata: &Metadata) -> Result<(), Exposed> {
    let wanted = match (metadata.is_file(), metadata.is_dir()) {
        (true, _) => "600",
        (_, true) => "700",
        _ => return Ok(()),
    };
    match exposed_mode(metadata) {
        Some(mode) => Err(Exposed { path: path.to_owned(), mode, wanted }),
        None => Ok(()),
    }
}

#[cfg(unix)]
fn exposed_mode(metadata: &Metadata) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    let mode = metadata.mode() & 0o7777;
    let is_exposed = is_exposed(mode, metadata.uid(), rustix::process::geteuid().as_raw());
    is_exposed.then_some(mode)
}

#[cfg(not(unix))]
fn exposed_mode(_: &Metadata) -> Option<u32> {
    None
}

/// Whether a file with that mode and owner is exposed when `user` runs the program.
fn is_exposed(mode: u32, owner: u32, user: u32) -> bool {
    const ROOT: u32 = 0;
    let allowed = if owner == ROOT && user != ROOT { 0o750 } else { 0o700 };
    mode & 0o777 & !allowed != 0
}

/// How a file or folder is exposed, if it exists and is exposed.
#[must_use]
pub fn exposure(path: &Path) -> Option<Exposed> {
    fs::metadata(path).ok().and_then(|metadata| check(path, &metadata).err())
}

/// Reads a private file.
///
/// # Errors
/// Returns [`PrivateFileError`] if the file cannot be read, or if its group or others may read or
/// write it.
pub fn read(path: &Path) -> Result<Vec<u8>, PrivateFileError> {
    let (content, exposed) = read_anyway(path)
        .map_err(|source| PrivateFileError::Unreadable { path: path.to_owned(), source })?;
    exposed.map_or(Ok(content), |exposed| Err(exposed.into()))
}

/// Reads a private file as text.
///
/// # Errors
/// Returns the same errors as [`read`], and an error if the file is not UTF-8.
pub fn read_to_string(path: &Path) -> Result<String, PrivateFileError> {
    String::from_utf8(read(path)?).map_err(|_| PrivateFileError::Unreadable {
        path: path.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidData, "it is no text"),
    })
}

/// Reads a file even if it is exposed: for a process that is running already and must not end
/// because of it. The caller prints the returned warning.
///
/// # Errors
/// Returns an error if it cannot be read.
pub fn read_anyway(path: &Path) -> io::Result<(Vec<u8>, Option<Exposed>)> {
    let mut file = File::open(path)?;
    // Checks the open file, so that it cannot be replaced between check and reading.
    let exposed = check(path, &file.metadata()?).err();
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    Ok((content, exposed))
}

/// Options that create a file with mode 0600.
#[must_use]
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Creates the folder and its parents with mode 0700. Existing ones are not changed.
///
/// # Errors
/// Returns an error if it cannot be made.
pub fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// Replaces the file's content atomically, with mode 0600: after a crash at any instant it is
/// either the old or the new one. `temporary` is the path to which it is written first, in the same
/// folder.
///
/// # Errors
/// Returns an error if it cannot be written.
pub fn replace(path: &Path, temporary: &Path, content: &[u8]) -> io::Result<()> {
    replace_for(None, path, temporary, content)
}

/// The same, for another user to whom the file belongs before it has any content.
///
/// # Errors
/// Returns an error if it cannot be written, or not be given to that user.
pub fn replace_for(
    owner: Option<Owner>,
    path: &Path,
    temporary: &Path,
    content: &[u8],
) -> io::Result<()> {
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = options().write(true).create_new(true).open(temporary)?;
    if let Some(owner) = owner {
        // The file itself, which somebody may have put another one in the place of.
        owner.give_file(&file)?;
    }
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(temporary, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn who_may_use_it() {
        let (root, service, other) = (0, 990, 1000);
        for (mode, owner, user, exposed) in [
            (0o600, service, service, false),
            (0o400, service, service, false),
            (0o640, service, service, true),
            (0o604, service, service, true),
            (0o620, service, service, true),
            (0o640, root, service, false),
            (0o660, root, service, true),
            (0o644, root, service, true),
            (0o640, root, root, true),
            (0o600, root, root, false),
            (0o640, other, service, true),
        ] {
            assert_eq!(is_exposed(mode, owner, user), exposed, "{mode:o} {owner} {user}");
        }
    }

    #[test]
    fn a_file_is_made_private_and_refused_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let (path, draft) = (folder.path().join("its key"), folder.path().join("draft"));
        replace(&path, &draft, b"old").unwrap();
        replace(&path, &draft, b"new").unwrap();
        assert!(!draft.exists());
        assert_eq!(read_to_string(&path).unwrap(), "new");
        set(&path, 0o604);
        let told = read(&path).unwrap_err().to_string();
        assert!(told.contains("(mode 0604): chmod 600 '/"), "{told}");
        let (content, exposed) = read_anyway(&path).unwrap();
        assert_eq!((&*content, exposed.is_some()), (b"new".as_slice(), true));
        let (inner, above) = (folder.path().join("a/b"), folder.path().join("a"));
        create_folder(&inner).unwrap();
        assert_eq!((exposure(&inner), exposure(&above)), (None, None));
        set(&above, 0o755);
        let told = exposure(&above).unwrap().to_string();
        assert!(told.ends_with(&format!("(mode 0755): chmod 700 {}", above.display())), "{told}");
        assert_eq!(exposure(&folder.path().join("none")), None);
        assert_eq!(exposure(Path::new("/dev/null")), None, "no file");
    }
}
