//! Files that commands read and write.
//!
//! Enters: paths. Leaves: texts, or failures that name the file. Absent: what is in them.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
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

/// The path from the root on, with the links in its folder followed; what it names need not exist.
pub fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    let whole = std::path::absolute(path).or_failed(path.display())?;
    let real = whole.ancestors().skip(1).find_map(|folder| {
        Some(fs::canonicalize(folder).ok()?.join(whole.strip_prefix(folder).ok()?))
    });
    Ok(real.unwrap_or(whole))
}

/// A TOML error on one line with file and line number.
pub fn wrong_toml(path: &Path, text: &str, error: &toml::de::Error) -> Failure {
    let line =
        error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    Failure::usage(format!("{}:{line}: {}", path.display(), error.message().replace('\n', "; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_absolute_also_if_it_does_not_exist() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        fs::create_dir(real.join("a")).unwrap();
        std::os::unix::fs::symlink(real.join("a"), real.join("link")).unwrap();
        let is = |path: &str, wanted: &str| {
            assert_eq!(absolute(&real.join(path)).unwrap(), real.join(wanted));
        };
        is("a/new", "a/new");
        is("none/of/it", "none/of/it");
        is("link/new", "a/new");
        is("a/../b", "b");
        // What is named may itself be a link, as ports have stable ones.
        is("link", "link");
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        assert_eq!(absolute(Path::new("new")).unwrap(), here.join("new"));
    }
}
