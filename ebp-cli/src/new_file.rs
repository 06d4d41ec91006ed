//! Outputs that are written over nothing: neither over an input, by whatever name or link, nor over
//! what is there already.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use ebp_core::private_file;

use crate::exit::{CommandResult, Context, Failure};

/// No existing file is overwritten, including the input under another name or a link.
pub fn refuse_existing(file: &Path) -> CommandResult {
    match file.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).or_failed(file.display()),
        Ok(_) => Err(exists_already(file)),
    }
}

/// The failure where a file exists already.
pub fn exists_already(file: &Path) -> Failure {
    Failure::failed(format!("{} exists already", file.display()))
        .remedy("choose another name, or move it away")
}

/// Where a file is, or will be, however its folder is written.
pub fn place(file: &Path) -> PathBuf {
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    match (folder.canonicalize(), file.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => file.to_owned(),
    }
}

/// Writes a file that does not exist yet and that only its owner may read; what cannot be written
/// to its end is removed.
pub fn write_new_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut file = match private_file::options().write(true).create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(exists_already(path));
        }
        made => made.or_failed(format!("cannot write {}", path.display()))?,
    };
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // Its failure says less than the one that is told.
        let _ = fs::remove_file(path);
    }
    written.or_failed(format!("cannot write {}", path.display()))
}
