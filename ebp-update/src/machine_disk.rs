//! This machine's disk.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FallocateFlags, FlockOperation, fallocate, flock, statvfs},
    io::Errno,
};

use crate::{
    disk::{Disk, DiskError},
    error::UpdateError,
    layout,
};

/// The updates' folder on this machine's disk.
#[derive(Debug)]
pub struct MachineDisk {
    folder: PathBuf,
}

/// Held while an updater is at work in a folder; the system releases it when the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl MachineDisk {
    /// The folder, to look into.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The folder, to change it: it is made (mode 0755) if it is missing, and locked.
    ///
    /// # Errors
    /// Returns [`UpdateError::Disk`] when it cannot be made or written, [`UpdateError::Locked`] when
    /// another updater is at work there, and [`UpdateError::OtherFileSystem`] when `versions` is a mount.
    pub fn lock(folder: &Path) -> Result<(Self, Lock), UpdateError> {
        let fault = |path: &Path, source| DiskError::new(&path.display().to_string(), source);
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(folder)
            .map_err(|error| fault(folder, error))?;
        let path = folder.join(layout::LOCK);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o644);
        let file = options.open(&path).map_err(|error| fault(&path, error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(UpdateError::Locked),
            Err(error) => return Err(fault(&path, error.into()).into()),
        }
        let device = |path: &Path| fs::metadata(path).ok().map(|metadata| metadata.dev());
        let versions = device(&folder.join(layout::VERSIONS));
        if versions.is_some_and(|versions| Some(versions) != device(folder)) {
            return Err(UpdateError::OtherFileSystem);
        }
        Ok((Self::at(folder), Lock { _file: file }))
    }

    /// The folder's path.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn attempt<T>(&self, path: &str, result: io::Result<T>) -> Result<T, DiskError> {
        result.map_err(|source| self.fault(path, source))
    }

    fn fault(&self, path: &str, source: io::Error) -> DiskError {
        DiskError::new(&self.folder.join(path).display().to_string(), source)
    }

    fn write(&self, path: &str) -> Result<File, DiskError> {
        self.attempt(path, OpenOptions::new().write(true).open(self.folder.join(path)))
    }
}

/// Nothing where there is no such file.
fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Disk for MachineDisk {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, DiskError> {
        self.attempt(path, if_there(fs::read(self.folder.join(path))))
    }

    fn length(&self, path: &str) -> Result<Option<u64>, DiskError> {
        let metadata = self.attempt(path, if_there(fs::metadata(self.folder.join(path))))?;
        Ok(metadata.map(|metadata| metadata.len()))
    }

    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        let file = self.attempt(path, File::open(self.folder.join(path)))?;
        self.attempt(path, file.read_at(buffer, offset))
    }

    fn read_link(&self, path: &str) -> Result<Option<String>, DiskError> {
        let target = self.attempt(path, if_there(fs::read_link(self.folder.join(path))))?;
        Ok(target.map(|target| target.to_string_lossy().into_owned()))
    }

    fn list(&self, path: &str) -> Result<Vec<String>, DiskError> {
        let Some(entries) = self.attempt(path, if_there(fs::read_dir(self.folder.join(path))))?
        else {
            return Ok(Vec::new());
        };
        let name = |entry: io::Result<fs::DirEntry>| {
            entry.map(|entry| entry.file_name().to_string_lossy().into_owned())
        };
        self.attempt(path, entries.map(name).collect())
    }

    fn free(&self) -> Result<u64, DiskError> {
        let figures = self.attempt("", statvfs(&self.folder).map_err(io::Error::from))?;
        Ok(figures.f_bavail.saturating_mul(figures.f_frsize))
    }

    fn make_folder(&mut self, path: &str) -> Result<(), DiskError> {
        let made = DirBuilder::new().mode(0o755).create(self.folder.join(path));
        match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => self.attempt(path, made),
        }
    }

    fn create(&mut self, path: &str) -> Result<(), DiskError> {
        self.remove(path)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o644);
        self.attempt(path, options.open(self.folder.join(path)))?;
        Ok(())
    }

    fn reserve(&mut self, path: &str, bytes: u64) -> Result<(), DiskError> {
        let file = self.write(path)?;
        match fallocate(&file, FallocateFlags::KEEP_SIZE, 0, bytes) {
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
            Err(error) => Err(self.fault(path, error.into())),
        }
    }

    fn write_at(&mut self, path: &str, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let file = self.write(path)?;
        self.attempt(path, file.write_all_at(bytes, offset))
    }

    fn cut(&mut self, path: &str, length: u64) -> Result<(), DiskError> {
        let file = self.write(path)?;
        self.attempt(path, file.set_len(length))
    }

    fn make_executable(&mut self, path: &str) -> Result<(), DiskError> {
        let mode = fs::Permissions::from_mode(0o755);
        self.attempt(path, fs::set_permissions(self.folder.join(path), mode))
    }

    fn sync(&mut self, path: &str) -> Result<(), DiskError> {
        self.attempt(path, self.write(path)?.sync_all())
    }

    fn sync_folder(&mut self, path: &str) -> Result<(), DiskError> {
        let folder = self.attempt(path, File::open(self.folder.join(path)))?;
        self.attempt(path, folder.sync_all())
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        self.attempt(to, fs::rename(self.folder.join(from), self.folder.join(to)))
    }

    fn link(&mut self, target: &str, path: &str) -> Result<(), DiskError> {
        self.attempt(path, symlink(target, self.folder.join(path)))
    }

    fn remove(&mut self, path: &str) -> Result<(), DiskError> {
        self.attempt(path, if_there(fs::remove_file(self.folder.join(path)))).map(drop)
    }

    fn remove_folder(&mut self, path: &str) -> Result<(), DiskError> {
        self.attempt(path, if_there(fs::remove_dir(self.folder.join(path)))).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_updaters_one_works() {
        let folder = tempfile::tempdir().unwrap();
        let updates = folder.path().join("updates");
        let held = MachineDisk::lock(&updates).unwrap();
        assert!(matches!(MachineDisk::lock(&updates), Err(UpdateError::Locked)));
        drop(held);
        MachineDisk::lock(&updates).unwrap();
    }

    #[test]
    fn it_does_what_the_engine_asks_for() {
        let folder = tempfile::tempdir().unwrap();
        let (mut disk, _lock) = MachineDisk::lock(folder.path()).unwrap();
        assert_eq!(disk.read("state.json").unwrap(), None);
        assert_eq!((disk.length("x").unwrap(), disk.read_link("x").unwrap()), (None, None));
        assert_eq!(disk.list("versions").unwrap(), Vec::<String>::new());
        disk.make_folder("versions").unwrap();
        disk.make_folder("versions").unwrap();
        disk.create("versions/part").unwrap();
        let before = disk.free().unwrap();
        disk.reserve("versions/part", 1 << 20).unwrap();
        assert_eq!(disk.length("versions/part").unwrap(), Some(0));
        assert!(disk.free().unwrap() <= before);
        disk.write_at("versions/part", 0, b"hello").unwrap();
        disk.cut("versions/part", 4).unwrap();
        disk.make_executable("versions/part").unwrap();
        disk.sync("versions/part").unwrap();
        disk.rename("versions/part", "versions/ebp").unwrap();
        disk.sync_folder("versions").unwrap();
        let mut buffer = [0; 16];
        assert_eq!(disk.read_at("versions/ebp", 1, &mut buffer).unwrap(), 3);
        assert_eq!(&buffer[..3], b"ell");
        let mode = fs::metadata(folder.path().join("versions/ebp")).unwrap().mode();
        assert_eq!(mode & 0o777, 0o755);
        disk.link("versions", "current").unwrap();
        assert_eq!(disk.read_link("current").unwrap().as_deref(), Some("versions"));
        disk.remove("current").unwrap();
        disk.remove("current").unwrap();
        let told = disk.remove_folder("versions").unwrap_err().to_string();
        assert!(told.contains("versions"), "{told}");
    }
}
