//! A disk in a file, whose power can be cut. A test that mounts one is marked with `needs(loop_device)`.
//!
//! The file holds what has reached the disk, and nothing of what the kernel keeps in memory to write
//! later: a copy of it is the disk as a power failure leaves it.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// How long it is waited until nobody uses the disk.
const PATIENCE: Duration = Duration::from_secs(10);

/// An ext4 file system on a loop device, unmounted in the end.
pub struct LoopDisk {
    place: TempDir,
    image: PathBuf,
    cuts: usize,
}

impl LoopDisk {
    /// So many megabytes.
    pub fn mount(size: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("disk-0.img");
        fs::File::create(&image).unwrap().set_len((size as u64) << 20).unwrap();
        run(Command::new("mkfs.ext4").arg("-q").arg(&image));
        let disk = Self { place: folder, image, cuts: 0 };
        fs::create_dir(disk.path()).unwrap();
        disk.attach();
        disk
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.place.path().join("disk")
    }

    /// Takes the power away and gives it back: what had not reached the disk is lost. Whoever used the
    /// disk has to be killed before, as a power failure does.
    pub fn cut_power(&mut self) {
        self.cuts += 1;
        let next = self.place.path().join(format!("disk-{}.img", self.cuts));
        run(Command::new("cp").arg("--sparse=always").arg(&self.image).arg(&next));
        self.detach();
        let before = std::mem::replace(&mut self.image, next);
        fs::remove_file(before).unwrap();
        self.attach();
    }

    fn attach(&self) {
        run(Command::new("mount").args(["-o", "loop"]).arg(&self.image).arg(self.path()));
    }

    /// What a killed process had started may end a moment after it.
    fn detach(&self) {
        let begun = Instant::now();
        let mut umount = Command::new("umount");
        umount.arg(self.path());
        while begun.elapsed() < PATIENCE {
            if umount.output().unwrap().status.success() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        run(&mut umount);
    }
}

impl Drop for LoopDisk {
    fn drop(&mut self) {
        // What a failed test left open does not keep it.
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).output();
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
