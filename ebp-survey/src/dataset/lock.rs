//! Keeps two exports from writing into one folder.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use super::ExportError;

/// Locks a folder as long as what is returned lives; the system ends the lock with the process.
pub(super) fn lock(path: &Path) -> Result<File, ExportError> {
    let failed = |error| ExportError::system(path, error);
    let folder = File::open(path).map_err(failed)?;
    match folder.try_lock() {
        Ok(()) => Ok(folder),
        Err(TryLockError::WouldBlock) => Err(ExportError::Busy(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
