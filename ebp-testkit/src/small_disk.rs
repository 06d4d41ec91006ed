//! A file system so small that a test fills it. A test that mounts one is marked with `needs(mount)`.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// A small file system of its own, unmounted in the end.
pub struct SmallDisk {
    folder: TempDir,
    ballast: PathBuf,
}

impl SmallDisk {
    /// So many megabytes.
    pub fn mount(size: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}m,mode=0755"), "ebp-test"])
            .arg(folder.path())
            .output()
            .unwrap();
        assert!(mounted.status.success(), "{}", String::from_utf8_lossy(&mounted.stderr));
        Self { ballast: folder.path().join("ballast"), folder }
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes up what room is left, to the last octet.
    pub fn fill(&self) {
        self.fill_but(0);
    }

    /// Takes up what room is left but so many kilobytes.
    pub fn fill_but(&self, kilobytes: u64) {
        let mut file = File::options().append(true).create(true).open(&self.ballast).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len(length.checked_sub(kilobytes << 10).unwrap()).unwrap();
    }

    /// Makes room.
    pub fn free(&self) {
        fs::remove_file(&self.ballast).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).output();
    }
}
