//! A finished export as one file: a tar archive of its folder.
//!
//! The files are compressed already, so that an archive only has to hold them together: tar is
//! written and read as a stream, has no index that has to be written last, and is unpacked by every
//! operating system. Names are sorted, times are the set's `as_of`, owners are left out: the same set
//! makes the same bytes.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use ebp_core::tar;
use ebp_dataset::files::hex;
use jiff::Timestamp;
use ring::digest::{Context, SHA256};

use super::ExportError;

/// An archive that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// How long it is, octets.
    pub octets: u64,
    /// Its SHA-256, hexadecimal digits.
    pub sha256: String,
}

/// Writes the archive of a finished export, whose files lie in a folder of that name in it.
///
/// # Errors
/// [`ExportError::System`] if a file cannot be read; what `put` returns.
pub fn pack(
    path: &Path,
    name: &str,
    as_of: Timestamp,
    put: &mut dyn FnMut(&[u8]) -> Result<(), ExportError>,
) -> Result<Packed, ExportError> {
    let mut files = Vec::new();
    list(path, "", &mut files)?;
    files.sort_unstable();
    let seconds = u64::try_from(as_of.as_second()).unwrap_or_default();
    let (mut digest, mut octets) = (Context::new(&SHA256), 0);
    let mut put = |bytes: &[u8]| {
        digest.update(bytes);
        octets += bytes.len() as u64;
        put(bytes)
    };
    let mut buffer = vec![0; 1 << 16];
    for (inside, file) in &files {
        let failed = |error| ExportError::system(file, error);
        let mut open = File::open(file).map_err(failed)?;
        let length = open.metadata().map_err(failed)?.len();
        put(&tar::header(&format!("{name}/{inside}"), length, 0o600, seconds))?;
        let mut left = length;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            open.read_exact(&mut buffer[..most]).map_err(failed)?;
            put(&buffer[..most])?;
            left -= most as u64;
        }
        let filled = length.next_multiple_of(tar::BLOCK as u64) - length;
        put(&[0; tar::BLOCK][..usize::try_from(filled).unwrap_or_default()])?;
    }
    put(&[0; 2 * tar::BLOCK])?;
    Ok(Packed { octets, sha256: hex(digest.finish().as_ref()) })
}

/// Every file below a folder, by its name in the set.
fn list(path: &Path, inside: &str, files: &mut Vec<(String, PathBuf)>) -> Result<(), ExportError> {
    let failed = |error| ExportError::system(path, error);
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = format!("{inside}{}", entry.file_name().to_string_lossy());
        match entry.file_type().map_err(failed)?.is_dir() {
            true => list(&entry.path(), &format!("{name}/"), files)?,
            false => files.push((name, entry.path())),
        }
    }
    Ok(())
}
