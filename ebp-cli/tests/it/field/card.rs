//! A card that is full or has become read-only: both commands say so, what is stored stays, and a
//! daemon goes on by itself once it can.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use ebp_needs::needs;
use tempfile::TempDir;

use super::{arrived, daemon, pending};
use crate::support::{
    household::Household,
    meter::Meter,
    process::{Run, Running},
    server::Server,
    wait_for,
};

/// A small file system of its own, unmounted in the end.
struct Card(TempDir);

impl Card {
    fn mount() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let card = Self(folder);
        let mounted = card.mounts(&["-t", "tmpfs", "-o", "size=1m,mode=0700", "ebp-test"]);
        assert!(mounted, "no file system can be mounted here");
        card
    }

    fn mounts(&self, arguments: &[&str]) -> bool {
        let mount = Command::new("mount").args(arguments).arg(self.path()).output();
        mount.is_ok_and(|output| output.status.success())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Leaves no byte free; gives what takes the room.
    fn fill(&self) -> PathBuf {
        let ballast = self.path().join("ballast");
        let mut file = File::create(&ballast).unwrap();
        for size in [65_536, 4096, 512, 1] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
        ballast
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).output();
    }
}

/// A device whose spool is on a card, with some measurements in it that are not sent.
struct Scene {
    server: Server,
    household: Household,
    _meter: Meter,
    card: Card,
    stored: BTreeSet<String>,
}

impl Scene {
    fn set() -> Self {
        let card = Card::mount();
        let server = Server::start();
        let household = Household::register(&server, "erika@example.org", &["MT175"], "1s");
        let link = household.folder.path().join("spool");
        std::os::unix::fs::symlink(card.path().join("spool"), link).unwrap();
        fs::create_dir(card.path().join("spool")).unwrap();
        let meter = Meter::quick(household.folder.path(), "MT175");
        household.account(&server).grant();
        measure_anew(&household).done();
        let stored = pending(&household);
        assert!(!stored.is_empty());
        Self { server, household, _meter: meter, card, stored }
    }

    /// Once the card is as it should be, both daemons go on by themselves, and nothing is lost.
    fn goes_on(&self, mut daemons: [Running; 2]) {
        let Self { server, household, stored, .. } = self;
        let before = arrived(household, server);
        let told = |daemons: &[Running; 2]| daemons.each_ref().map(Running::stderr);
        wait_for(&format!("measurements after {:#?}", told(&daemons)), || {
            (arrived(household, server).difference(&before).count() > stored.len() + 2)
                .then_some(())
        });
        for daemon in &mut daemons {
            assert!(daemon.lives(), "{:#?}", daemon.stderr());
        }
        for daemon in daemons {
            daemon.kill();
        }
        household.transmit().done();
        assert!(stored.is_subset(&arrived(household, server)));
        assert!(household.spool().refused().unwrap().is_empty());
    }
}

/// Measures in a slot that has no measurement yet.
fn measure_anew(household: &Household) -> Run {
    thread::sleep(Duration::from_millis(1100));
    household.measure()
}

#[needs(mount)]
#[test]
fn a_full_card() {
    let scene = Scene::set();
    let Scene { server, household, card, stored, .. } = &scene;
    let ballast = card.fill();
    // Some may still fit into pages that the spool has already.
    let mut measured = measure_anew(household);
    for _ in 0..20 {
        if measured.code != Some(0) {
            break;
        }
        measured = measure_anew(household);
    }
    assert_eq!(measured.code, Some(1), "{measured:#?}");
    measured.says(&["no room left on the disk for the spool", "nothing that was stored is lost"]);
    // Sending may need room, too: then it says so, and keeps what the server may have.
    let sent = household.transmit();
    if sent.code != Some(0) {
        assert_eq!(sent.code, Some(1), "{sent:#?}");
        sent.says(&["no room left on the disk for the spool"]);
    }
    let kept = pending(household);
    assert!(
        stored.iter().all(|uuid| kept.contains(uuid) || arrived(household, server).contains(uuid))
    );

    let (mut reading, sending) = (daemon("read", household), daemon("transmit", household));
    reading.wait_for("no room left on the disk for the spool");
    fs::remove_file(ballast).unwrap();
    scene.goes_on([reading, sending]);
}

#[needs(mount)]
#[test]
fn a_read_only_card() {
    let scene = Scene::set();
    let Scene { household, card, stored, .. } = &scene;
    // What a kernel does to a card whose writes fail.
    assert!(card.mounts(&["-o", "remount,ro"]));
    for run in [measure_anew(household), household.transmit()] {
        assert_eq!(run.code, Some(1), "{run:#?}");
        run.says(&["the spool", "cannot be written to", "let this user write there"]);
    }
    let (mut reading, mut sending) = (daemon("read", household), daemon("transmit", household));
    reading.wait_for("cannot be written to");
    sending.wait_for("cannot be written to");
    assert!(card.mounts(&["-o", "remount,rw"]));
    assert!(stored.is_subset(&pending(household)));
    scene.goes_on([reading, sending]);
}
