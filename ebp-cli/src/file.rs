//! Files that commands read and write.
//!
//! Enters: paths. Leaves: texts, or failures that name the file. Absent: what is in them.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use ebp_core::private_file::{self, PrivateFileError};
#[cfg(feature = "server")]
use serde::de::DeserializeOwned;

use crate::exit::{self, Context, Failure};

/// Reads a text file; the error names it.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| exit::file::unreadable(path, &error))
}

/// Reads a text file that holds a secret, which only its owner may read; the error names it.
pub fn read_private(path: &Path) -> Result<String, Failure> {
    private_file::read_to_string(path).map_err(|error| match error {
        PrivateFileError::Unreadable { path, source } => exit::file::unreadable(&path, &source),
        PrivateFileError::Exposed(exposed) => Failure::failed(exposed),
    })
}

/// Reads what a file holds; JSON where its name ends so, otherwise TOML.
#[cfg(feature = "server")]
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = read_text(path)?;
    if path.extension().is_some_and(|extension| extension == "json") {
        serde_json::from_str(&text).map_err(|error| {
            Failure::usage(format!("{}:{}: {error}", path.display(), error.line()))
        })
    } else {
        toml::from_str(&text).map_err(|error| wrong_toml(path, &text, &error))
    }
}

/// Writes a file whole or not at all, so that a crash leaves the old one or the new one.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let write = || -> io::Result<()> {
        // What has that name, a link to another file for example, is not written through.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::File::create_new(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().or_failed(format!("cannot write {}", path.display()))
}

/// A TOML error on one line with file and line number.
pub fn wrong_toml(path: &Path, text: &str, error: &toml::de::Error) -> Failure {
    let line =
        error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    Failure::usage(format!("{}:{line}: {}", path.display(), error.message().replace('\n', "; ")))
}
