//! Files go with their bytes, and what is not ours stays.

use std::{
    io::Read,
    os::unix::fs::{MetadataExt, symlink},
};

use ebp_meter::port::PortName;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    config::{Api, DeviceConfig, MeterEntry},
    holdings::Kind,
};

fn found(folder: &Path, name: &str) -> Found {
    Found { kind: Kind::Spool, folder: folder.to_owned(), name: name.into(), bytes: 0 }
}

/// A device whose spool is in that folder.
fn config(folder: &Path) -> DeviceConfig {
    let file = |name: &str| folder.join(name);
    let api = Api::new(
        "https://ebp.example.org:8443".to_owned(),
        file("ca.pem"),
        file("device.pem"),
        file("device.key"),
    );
    let port: PortName = "/dev/ttyUSB0".parse().unwrap();
    let mut meter = MeterEntry::new(Uuid::from_u128(1), "MT175".to_owned(), port);
    meter.pin_file = Some(file("mt175.pin"));
    DeviceConfig::new(file("spool"), api, vec![meter])
}

#[test]
fn bytes_are_overwritten_before_the_name_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool.sqlite");
    // More than a block, and no multiple of one.
    let content = b"1234567890abc".repeat(BLOCK / 4);
    fs::write(&path, &content).unwrap();
    // Whoever has it open still sees what its blocks hold.
    let mut open = File::open(&path).unwrap();
    assert_eq!(wipe(&found(folder.path(), "spool.sqlite")).unwrap(), Gone::Overwritten);
    assert!(!path.exists());
    let mut left = Vec::new();
    open.read_to_end(&mut left).unwrap();
    assert_eq!(left.len(), content.len());
    assert!(left.iter().all(|byte| *byte == 0));
    assert_eq!(wipe(&found(folder.path(), "spool.sqlite")).unwrap(), Gone::Before);
}

#[test]
fn what_a_link_leads_to_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = folder.path().join("theirs");
    fs::write(&theirs, "not ours").unwrap();
    symlink(&theirs, folder.path().join("device.key")).unwrap();
    assert_eq!(wipe(&found(folder.path(), "device.key")).unwrap(), Gone::Link);
    // A hard link is the same file by another name.
    fs::hard_link(&theirs, folder.path().join("device.pem")).unwrap();
    assert_eq!(wipe(&found(folder.path(), "device.pem")).unwrap(), Gone::OtherName);
    assert_eq!(fs::read_to_string(&theirs).unwrap(), "not ours");
    assert_eq!(fs::metadata(&theirs).unwrap().nlink(), 1);
    // A folder that is a link is not gone into.
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("spool.sqlite"), "not ours").unwrap();
    let link = folder.path().join("spool");
    symlink(outside.path(), &link).unwrap();
    assert!(wipe(&found(&link, "spool.sqlite")).is_err());
    assert!(outside.path().join("spool.sqlite").exists());
}

#[test]
fn only_what_is_on_the_list_goes_and_a_second_time_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let holdings = Holdings::from_config(&config, &folder.path().join("state"));
    fs::create_dir_all(folder.path().join("spool/errors/queue")).unwrap();
    let ours = [
        "device.key",
        "device.key.next",
        "device.pem",
        "mt175.pin",
        "spool/consent",
        "spool/errors/ledger.json",
        "spool/errors/queue/00000000000000000001-aa.json",
        "spool/spool.sqlite",
        "spool/spool.sqlite-wal",
        "spool/spool.sqlite.damaged-20261202T000000Z",
        "spool/tunnel.sqlite",
    ];
    let theirs = ["device.toml", "ca.pem", "spool/notes.txt", "device.key.copy"];
    for name in ours.iter().chain(&theirs) {
        fs::write(folder.path().join(name), name).unwrap();
    }
    for name in ours {
        assert!(holdings.has(&folder.path().join(name)), "{name}");
    }
    for _ in 0..2 {
        for file in holdings.find().unwrap() {
            wipe(&file).unwrap();
        }
        remove_folders(&holdings).unwrap();
        assert_eq!(holdings.find().unwrap(), []);
    }
    for name in theirs {
        assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), name);
    }
    assert!(!folder.path().join("spool/errors").exists());
}

#[test]
fn keys_go_first() {
    let folder = tempfile::tempdir().unwrap();
    let holdings = Holdings::from_config(&config(folder.path()), folder.path());
    let kinds: Vec<Kind> = holdings.all().iter().map(|own| own.kind).collect();
    assert_eq!(kinds[0], Kind::Identity);
    let last = kinds.iter().rposition(|kind| *kind == Kind::Identity).unwrap();
    assert!(last < kinds.iter().position(|kind| *kind == Kind::Spool).unwrap());
}

#[test]
fn a_program_with_a_file_open_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("spool.sqlite"), "").unwrap();
    let found = [found(folder.path(), "spool.sqlite")];
    assert_eq!(programs(&found).unwrap(), []);
    let input = File::open(folder.path().join("spool.sqlite")).unwrap();
    let mut sleeping = std::process::Command::new("sleep").arg("60").stdin(input).spawn().unwrap();
    let seen = programs(&found).unwrap();
    sleeping.kill().unwrap();
    sleeping.wait().unwrap();
    // Between fork and exec it is still called as the test is.
    assert_eq!(seen.iter().map(|one| one.pid).collect::<Vec<_>>(), [sleeping.id()]);
    assert_eq!(programs(&found).unwrap(), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// After a wipe that was killed between any two files, the next one leaves nothing.
    #[test]
    fn a_wipe_that_was_killed_is_finished_by_the_next(
        present in proptest::collection::vec(any::<bool>(), 4), killed_after in 0_usize..5,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let holdings = Holdings::from_config(&config(folder.path()), folder.path());
        fs::create_dir_all(folder.path().join("spool")).unwrap();
        let names = ["device.key", "device.pem", "spool/spool.sqlite", "spool/consent"];
        for (name, there) in names.iter().zip(present) {
            if there {
                fs::write(folder.path().join(name), "secret").unwrap();
            }
        }
        for file in holdings.find().unwrap().iter().take(killed_after) {
            wipe(file).unwrap();
        }
        for file in holdings.find().unwrap() {
            wipe(&file).unwrap();
        }
        remove_folders(&holdings).unwrap();
        prop_assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
