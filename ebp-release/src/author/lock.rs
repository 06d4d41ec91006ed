//! One change of a folder at a time, whichever process makes it.
//!
//! Each change reads what is published and writes what follows from it. Two at once would both follow
//! from the same state, and the later one would take back what the earlier one has published.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::{AuthorError, ReleaseFolder};

/// How long a change waits for another one. One that is made by people's hands takes less.
const LONGEST: Duration = Duration::from_secs(10);
/// The time between two tries to get the lock.
const TRY: Duration = Duration::from_millis(5);

/// The file that is locked. It is empty, and stays.
const FILE: &str = ".lock";

/// The right to change a folder. It ends when this value is dropped, or with the process.
pub struct FolderLock(#[allow(dead_code, reason = "it is locked as long as it is open")] File);

impl ReleaseFolder {
    /// Waits for the right to change the folder, which must be there.
    pub(crate) fn lock(&self) -> Result<FolderLock, AuthorError> {
        if !self.path.is_dir() {
            return Err(AuthorError::NoRepository(self.path.clone()));
        }
        self.lock_within(LONGEST)
    }

    /// Makes the folder, and waits for the right to change it.
    pub(super) fn lock_new(&self) -> Result<FolderLock, AuthorError> {
        fs::create_dir_all(&self.path)
            .map_err(|source| AuthorError::File { path: self.path.clone(), source })?;
        self.lock_within(LONGEST)
    }

    pub(crate) fn lock_within(&self, longest: Duration) -> Result<FolderLock, AuthorError> {
        let path = self.path.join(FILE);
        let failed = |source| AuthorError::File { path: path.clone(), source };
        let file = open(&path).map_err(failed)?;
        let until = Instant::now() + longest;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(FolderLock(file)),
                Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(TRY),
                Err(TryLockError::WouldBlock) => return Err(AuthorError::Busy(self.path.clone())),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }
}

/// Opens the file for reading, which is enough to lock it: another user may have made it.
fn open(path: &Path) -> io::Result<File> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    File::options().read(true).append(true).create(true).open(path)
}
