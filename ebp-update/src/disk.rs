//! The disk, as the engine uses it: steps so small that a test can lose each of them.

use std::io;

/// A step that failed, with the file concerned.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct DiskError {
    /// The file or folder.
    pub path: String,
    /// The cause.
    pub source: io::Error,
}

impl DiskError {
    /// Of that file.
    pub fn new(path: &str, source: io::Error) -> Self {
        Self { path: path.to_owned(), source }
    }
}

/// The updates' folder. Paths are relative to it, with `/` between names.
///
/// Implementations guarantee: what [`sync`](Self::sync) has returned from is durable as content, what
/// [`sync_folder`](Self::sync_folder) has returned from as names; a name points at the old or the new
/// file after [`rename`](Self::rename), at any instant. Nothing else is promised after a power failure.
pub trait Disk {
    /// The content of a file, or `None` if there is none.
    ///
    /// # Errors
    /// Returns [`DiskError`] when it cannot be read.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, DiskError>;

    /// The length of a file, bytes, or `None` if there is none.
    ///
    /// # Errors
    /// Returns [`DiskError`] when that cannot be determined.
    fn length(&self, path: &str) -> Result<Option<u64>, DiskError>;

    /// Reads from `offset` on, as many bytes as there are up to the buffer's length.
    ///
    /// # Errors
    /// Returns [`DiskError`] when it cannot be read.
    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError>;

    /// What a symbolic link points at, or `None` if there is none.
    ///
    /// # Errors
    /// Returns [`DiskError`] when it cannot be read.
    fn read_link(&self, path: &str) -> Result<Option<String>, DiskError>;

    /// The names in a folder; none if there is no such folder.
    ///
    /// # Errors
    /// Returns [`DiskError`] when it cannot be read.
    fn list(&self, path: &str) -> Result<Vec<String>, DiskError>;

    /// Bytes that are free for this process.
    ///
    /// # Errors
    /// Returns [`DiskError`] when that cannot be determined.
    fn free(&self) -> Result<u64, DiskError>;

    /// Makes a folder, if there is none.
    ///
    /// # Errors
    /// Returns [`DiskError`] when it cannot be made: read-only, no room, no permission.
    fn make_folder(&mut self, path: &str) -> Result<(), DiskError>;

    /// Makes an empty file (mode 0644), in place of any that is there.
    ///
    /// # Errors
    /// Returns [`DiskError`] when it cannot be made.
    fn create(&mut self, path: &str) -> Result<(), DiskError>;

    /// Reserves room for a file of that many bytes, without changing its length. Where the file system
    /// cannot, nothing is reserved.
    ///
    /// # Errors
    /// Returns [`DiskError`] when there is no room.
    fn reserve(&mut self, path: &str, bytes: u64) -> Result<(), DiskError>;

    /// Writes at `offset`.
    ///
    /// # Errors
    /// Returns [`DiskError`] when it cannot be written.
    fn write_at(&mut self, path: &str, offset: u64, bytes: &[u8]) -> Result<(), DiskError>;

    /// Cuts a file to that length, and gives reserved room behind it back.
    ///
    /// # Errors
    /// Returns [`DiskError`] when it cannot be written.
    fn cut(&mut self, path: &str, length: u64) -> Result<(), DiskError>;

    /// Lets everybody run a file (mode 0755).
    ///
    /// # Errors
    /// Returns [`DiskError`] when it cannot be changed.
    fn make_executable(&mut self, path: &str) -> Result<(), DiskError>;

    /// Makes content, length and mode of a file durable.
    ///
    /// # Errors
    /// Returns [`DiskError`] when that fails: nothing is known of the file then.
    fn sync(&mut self, path: &str) -> Result<(), DiskError>;

    /// Makes the names in a folder durable; the updates' folder itself is the empty path.
    ///
    /// # Errors
    /// Returns [`DiskError`] when that fails.
    fn sync_folder(&mut self, path: &str) -> Result<(), DiskError>;

    /// Gives a file or link another name in the same folder, in place of what has it.
    ///
    /// # Errors
    /// Returns [`DiskError`] when it cannot be renamed.
    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError>;

    /// Makes a symbolic link.
    ///
    /// # Errors
    /// Returns [`DiskError`] when it cannot be made, or the name is taken.
    fn link(&mut self, target: &str, path: &str) -> Result<(), DiskError>;

    /// Removes a file or link, if there is one.
    ///
    /// # Errors
    /// Returns [`DiskError`] when it cannot be removed.
    fn remove(&mut self, path: &str) -> Result<(), DiskError>;

    /// Removes an empty folder, if there is one.
    ///
    /// # Errors
    /// Returns [`DiskError`] when it is not empty, or cannot be removed.
    fn remove_folder(&mut self, path: &str) -> Result<(), DiskError>;
}

/// Replaces a file whole: after a power failure it has the old content or the new.
pub(crate) fn replace(disk: &mut dyn Disk, path: &str, content: &[u8]) -> Result<(), DiskError> {
    let new = format!("{path}.new");
    disk.create(&new)?;
    disk.write_at(&new, 0, content)?;
    disk.sync(&new)?;
    disk.rename(&new, path)?;
    disk.sync_folder("")
}
