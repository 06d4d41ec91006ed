//! A full disk: uploads are turned away while it lasts, everything else goes on, and so do uploads
//! once there is room.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Write,
    path::Path,
    process::Command,
    sync::Arc,
};

use ebp_core::client::ClientError;
use tempfile::TempDir;

use crate::{
    senders::{assert_complete, batch, client, granted_at, insist},
    support::{household::Household, server::Server, wait_for},
};

/// A small file system of its own, unmounted in the end; none where mounting is not permitted.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size},mode=0700"), "ebp-test"])
            .arg(folder.path())
            .output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).output();
    }
}

#[test]
fn uploads_wait_until_there_is_room() {
    let Some(disk) = SmallDisk::mount("8m") else {
        let line = "*** SKIPPED: the test of a full disk. It mounts a small file system, which \
                    needs root. ***\n";
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return;
    };
    // What is freed has room for all of the log once more: a start moves it into the file, which
    // grows by nearly as much, since measurements of the present share their pages.
    let ballast = disk.path().join("ballast");
    File::create(&ballast).unwrap().write_all(&vec![1; 5 << 20]).unwrap();
    let mut server = Server::in_folder(&disk.path().join("data"));
    let household = Arc::new(Household::register(&server, "erika@example.org", &["MT175"], "15m"));
    household.account(&server).grant();
    let since = granted_at(&server, &household);
    let device = client(&server, &household);

    let mut acknowledged = BTreeSet::new();
    let mut number = 0;
    let mut next = |size: usize| {
        let request = batch(&household, since, number, size);
        number += size;
        request
    };
    let turned_away = wait_for("the disk to be full", || {
        let request = next(2000);
        match device.upload(&request) {
            Ok(_) => {
                acknowledged.extend(request.measurements.iter().map(|item| item.uuid));
                None
            }
            Err(error) => Some((request, error)),
        }
    });
    let (request, error) = turned_away;
    match &error {
        ClientError::Problem { status, .. } => assert!([503, 507].contains(status), "{error}"),
        _ => panic!("{error}"),
    }
    // It lives, and what only reads goes on.
    assert!(server.is_running());
    assert_complete(&server, &household, &acknowledged);
    // A start on a full disk either serves or says why it does not; nothing is lost by it.
    fs::remove_file(&ballast).unwrap();
    insist(&device, &request);
    acknowledged.extend(request.measurements.iter().map(|item| item.uuid));
    let more = next(4);
    insist(&device, &more);
    acknowledged.extend(more.measurements.iter().map(|item| item.uuid));
    assert_complete(&server, &household, &acknowledged);
    server.kill();
    server.go_on();
    assert_complete(&server, &household, &acknowledged);
}
