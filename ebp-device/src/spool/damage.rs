//! Moves a damaged file aside, and replaces it by a new one with everything that can be read of it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{Spool, SpoolError, SpoolOptions, open::beside};
use ebp_core::{contract::Notice, phrase::counted};

/// The suffix of a damaged file's name; the time at which it was moved aside follows.
const SUFFIX: &str = ".damaged-";

/// Renames the damaged file with its journal and opens a new one in its place, with all that can be
/// read of the old one and a notice.
pub(super) fn set_aside(
    path: &Path,
    options: &SpoolOptions,
    damage: &SpoolError,
) -> Result<Spool, SpoolError> {
    let fault = |source| SpoolError::SetAside { path: path.to_owned(), source };
    // If two processes find the damage at once, only one moves the file; the lock moves with the
    // file.
    let lock = fs::File::create(beside(path, ".lock")).map_err(fault)?;
    lock.lock().map_err(fault)?;
    match Spool::of_file(path, options) {
        Err(error) if error.is_damaged() => {}
        opened => return opened,
    }
    let aside = rename(path, options.clock.now())?;
    let spool = Spool::of_file(path, options)?;
    let taken = spool.salvage(&aside)?;
    let taken = counted(taken, "row");
    let detail = format!("{damage}; set aside as {}, {taken} taken over", aside.display());
    spool.note(Notice::SpoolSetAside, &detail)?;
    Ok(spool)
}

/// Moves the file and its journal aside; returns their new path.
pub(super) fn rename(path: &Path, at: Timestamp) -> Result<PathBuf, SpoolError> {
    let fault = |source| SpoolError::SetAside { path: path.to_owned(), source };
    let aside = free_name(path, &format!("{SUFFIX}{}", at.strftime("%Y%m%dT%H%M%SZ")));
    // The file itself is moved last: if this is interrupted before, the next attempt finds it
    // damaged again.
    for journal in ["-wal", "-shm"] {
        match fs::rename(beside(path, journal), beside(&aside, journal)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fault(error)),
            _ => {}
        }
    }
    fs::rename(path, &aside).map_err(fault)?;
    Ok(aside)
}

/// Removes files that were set aside, with their journals: after a revocation, measurements must not
/// stay in them either.
pub(super) fn remove_set_aside(path: &Path) -> Result<(), SpoolError> {
    let fault = |source| SpoolError::SetAside { path: path.to_owned(), source };
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|n| n.to_str()))
    else {
        return Ok(());
    };
    let start = format!("{name}{SUFFIX}");
    for entry in fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(&start)) {
            fs::remove_file(entry.path()).map_err(fault)?;
        }
    }
    Ok(())
}

fn free_name(path: &Path, suffix: &str) -> PathBuf {
    let mut name = beside(path, suffix);
    for number in 2.. {
        if !name.exists() {
            break;
        }
        name = beside(path, &format!("{suffix}-{number}"));
    }
    name
}
