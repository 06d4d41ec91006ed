//! Wiping a device: every file of [`Holdings`] is overwritten and removed.
//!
//! Enters: what is on the list and is there. Leaves: nothing of it, and what was done. Absent: the
//! configuration, the journal, programs; old blocks that flash memory keeps, which no program reaches.
//!
//! A file is opened below its folder without following a link, overwritten in place with zeros, made
//! durable, then removed. A wipe that was killed is made again: what is gone already is passed over.

use std::{
    fs::{self, File},
    io::{self, Seek, SeekFrom, Write},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, fstat, openat, statat, unlinkat};

use crate::holdings::{Found, Holdings};

/// Why a file is not wiped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WipeError {
    /// A folder or file cannot be read, overwritten or removed.
    #[error("cannot wipe {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why: permissions, a read-only card, a card that fails.
        source: io::Error,
    },
    /// It is not known which programs use the files.
    #[error("cannot see which programs use the files: {source}")]
    Programs {
        /// Why: `/proc` is not there, or not readable.
        source: io::Error,
    },
}

/// How a file went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// Its bytes were overwritten, and it was removed.
    Overwritten,
    /// It had another name as well, so its bytes are still there; this name was removed.
    OtherName,
    /// It was a link or no regular file; it was removed, and what it leads to was not touched.
    Link,
    /// It was gone already.
    Before,
}

/// A program that has a file of the device open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its process.
    pub pid: u32,
    /// Its command line, words separated by blanks.
    pub command: String,
}

/// How many bytes are overwritten at once.
const BLOCK: usize = 64 * 1024;

/// Overwrites and removes one file.
///
/// # Errors
/// Returns [`WipeError::File`] when it cannot be opened, overwritten or removed. It is still there then,
/// whole or in part.
pub fn wipe(found: &Found) -> Result<Gone, WipeError> {
    let done = match open_folder(&found.folder) {
        Ok(folder) => wipe_in(&folder, found),
        Err(error) => Err(error),
    };
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Gone::Before),
        Err(source) => Err(WipeError::File { path: found.path(), source }),
        Ok(gone) => Ok(gone),
    }
}

/// Removes the folders that held nothing but what is wiped. One with other files in it stays.
///
/// # Errors
/// Returns [`WipeError::File`] when an empty one cannot be removed.
pub fn remove_folders(holdings: &Holdings) -> Result<(), WipeError> {
    for folder in holdings.folders() {
        match fs::remove_dir(folder) {
            Ok(()) => sync(folder.parent().unwrap_or(Path::new("."))),
            Err(error) if stays(&error) => {}
            Err(source) => return Err(WipeError::File { path: folder.clone(), source }),
        }
    }
    Ok(())
}

/// The programs of this machine, other than this one, that have one of these files open. Those of other
/// users are seen by root alone.
///
/// # Errors
/// Returns [`WipeError::Programs`] when `/proc` cannot be read.
pub fn programs(found: &[Found]) -> Result<Vec<Program>, WipeError> {
    let paths: Vec<PathBuf> = found
        .iter()
        .filter_map(|one| Some(fs::canonicalize(&one.folder).ok()?.join(&one.name)))
        .collect();
    let mut programs = Vec::new();
    for entry in fs::read_dir("/proc").map_err(|source| WipeError::Programs { source })? {
        let Ok(entry) = entry else { continue };
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process that ends meanwhile, or is another user's, says nothing.
        let Ok(open) = fs::read_dir(entry.path().join("fd")) else { continue };
        let mut open = open.filter_map(|one| fs::read_link(one.ok()?.path()).ok());
        if pid != std::process::id() && open.any(|path| paths.contains(&path)) {
            let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&words).replace('\0', " ").trim().to_owned();
            programs.push(Program { pid, command });
        }
    }
    Ok(programs)
}

fn open_folder(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(CWD, path, flags, Mode::empty())?)
}

fn wipe_in(folder: &OwnedFd, found: &Found) -> io::Result<Gone> {
    let name = &found.name;
    let known = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let gone = match FileType::from_raw_mode(known.st_mode) {
        FileType::RegularFile => {
            let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
            let file = openat(folder, name, flags, Mode::empty())?;
            let opened = fstat(&file)?;
            // Between the two somebody may have put another file in its place.
            let is_ours = FileType::from_raw_mode(opened.st_mode) == FileType::RegularFile;
            if is_ours && opened.st_nlink == 1 {
                overwrite(&mut File::from(file), opened.st_size.unsigned_abs())?;
                Gone::Overwritten
            } else {
                Gone::OtherName
            }
        }
        _ => Gone::Link,
    };
    unlinkat(folder, name, AtFlags::empty())?;
    // Durable: the name does not come back after a power cut.
    rustix::fs::fsync(folder)?;
    Ok(gone)
}

/// Writes zeros over all of it, to the disk.
fn overwrite(file: &mut File, bytes: u64) -> io::Result<()> {
    let zeros = [0; BLOCK];
    file.seek(SeekFrom::Start(0))?;
    let mut left = bytes;
    while left > 0 {
        let part = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
        file.write_all(&zeros[..part])?;
        left -= part as u64;
    }
    file.sync_all()
}

/// Whether a folder stays, and that is right: it is gone, not empty, or a link.
fn stays(error: &io::Error) -> bool {
    use io::ErrorKind::{DirectoryNotEmpty, NotADirectory, NotFound};
    matches!(error.kind(), DirectoryNotEmpty | NotADirectory | NotFound)
}

fn sync(folder: &Path) {
    // The folder is gone, at the latest when the disk writes by itself.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

#[cfg(test)]
mod tests;
