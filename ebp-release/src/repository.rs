//! Where the files of a repository come from.

use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
};

use crate::error::TrustError;

/// A repository's files. Nothing of what it returns is trusted: it may be anybody's.
pub trait Repository {
    /// The file of that path, such as `metadata/2.root.json`; `None` where there is none.
    ///
    /// No more than `limit` bytes and one are read of it, so that there is no need to transfer more.
    ///
    /// # Errors
    /// Returns an error if it is not known whether there is such a file: the network is away, a
    /// server answers with an error. A missing file is no error.
    fn fetch(&self, path: &str, limit: u64) -> io::Result<Option<Box<dyn Read + '_>>>;
}

/// A repository in a folder.
#[derive(Debug, Clone)]
pub struct Folder(pub PathBuf);

impl Repository for Folder {
    fn fetch(&self, path: &str, _limit: u64) -> io::Result<Option<Box<dyn Read + '_>>> {
        match File::open(self.0.join(path)) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A file's bytes, at most `limit`.
pub(crate) fn fetch(
    repository: &(impl Repository + ?Sized),
    path: &str,
    limit: u64,
) -> Result<Option<Vec<u8>>, TrustError> {
    let failed = |source| TrustError::Fetch { path: path.to_owned(), source };
    let Some(reader) = repository.fetch(path, limit).map_err(failed)? else { return Ok(None) };
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(TrustError::TooLong { path: path.to_owned(), limit });
    }
    Ok(Some(bytes))
}
