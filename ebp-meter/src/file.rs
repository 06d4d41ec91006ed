//! Files that people name or put into a folder, read within bounds.
//!
//! Enters: a path. Leaves: the bytes of a regular file. Absent: waiting; a pipe without a writer or
//! a device without an end is refused instead.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Opens a regular file.
///
/// # Errors
/// Returns an error if the file cannot be opened, or if it is not a regular file but a FIFO, a
/// device or a folder.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    // Opening a FIFO would block until another process writes to it.
    let file = File::options()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    // Of the open file, so that nothing can be put in its place in between.
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"))
    }
}

/// Reads a regular file with a limit on its length.
///
/// # Errors
/// Returns the same errors as [`open_regular`], and an error if the file is longer.
pub(crate) fn read_regular(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let text = format!("it is longer than {most} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}
