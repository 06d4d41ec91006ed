//! Recovery after stolen keys, and what is left on the disk after a crash or damage.

use std::fs;

use super::*;
use crate::Refusal;

/// Whoever had the online key signs versions so high that no later one passes. New online keys in a
/// new root role let lower ones pass again.
#[test]
fn fast_forward_and_recovery() {
    let mut world = World::new();
    let device = Device::fresh(&world);
    let honest = world.versions;
    let files = world.files.clone();
    world.versions[2] = i64::MAX as u64 - 1;
    world.versions[3] = i64::MAX as u64 - 1;
    world.next_snapshot();
    device.refresh(&world.files, usual()).unwrap();
    (world.versions, world.files) = (honest, files);
    world.next_all();
    let error = device.refuse(&world.files, usual());
    assert!(matches!(error, TrustError::RolledBack { role: RoleName::Timestamp, .. }), "{error}");
    world.online = key();
    world.next_root(&[]);
    world.next_all();
    device.refresh(&world.files, usual()).unwrap();
    // From here on nothing lower passes again.
    let old = world.files.clone();
    world.next_all();
    device.refresh(&world.files, usual()).unwrap();
    let error = device.refuse(&old, usual());
    assert!(matches!(error, TrustError::RolledBack { .. }), "{error}");
}

/// The same for an instant in the far future that a stolen online key has signed.
#[test]
fn a_signed_instant_in_the_future_is_recovered_from() {
    let mut world = World::new();
    let device = Device::fresh(&world);
    world.now = at("2031-11-29T00:00:00Z");
    world.next_all();
    let unknown = KnownTime { now: None, ..usual() };
    device.refresh(&world.files, unknown).unwrap();
    world.now = at("2026-12-03T00:00:00Z");
    world.next_all();
    let error = device.refuse(&world.files, usual());
    assert!(matches!(error, TrustError::Expired { .. }), "{error}");
    world.online = key();
    world.next_root(&[]);
    world.next_all();
    device.refresh(&world.files, usual()).unwrap();
}

#[test]
fn new_target_keys_take_the_old_targets_away() {
    let mut world = World::new();
    let device = Device::fresh(&world);
    world.target_keys = vec![key(), key(), key()];
    world.next_root(&[]);
    let error = device.refresh(&world.files, usual()).unwrap_err();
    assert!(matches!(error, TrustError::Signatures { role: RoleName::Targets, .. }), "{error}");
    assert_eq!(device.open().root_version(), 2, "the chain is kept");
    world.next_all();
    device.refresh(&world.files, usual()).unwrap();
}

#[test]
fn what_is_trusted_is_replaced_whole() {
    let mut world = World::new();
    let device = Device::fresh(&world);
    let before = device.stored();
    // A crash before the rename leaves a draft of any content.
    let draft = device.folder.path().join("trusted.json.new");
    fs::write(&draft, b"{").unwrap();
    assert!(!device.open().discarded());
    device.refresh(&world.files, usual()).unwrap();
    assert_eq!(device.stored(), before);
    world.next_all();
    device.refresh(&world.files, usual()).unwrap();
    assert!(device.stored() != before && !draft.exists());
}

#[test]
fn a_damaged_state_begins_anew_at_the_first_root() {
    let mut world = World::new();
    world.next_root(&[]);
    let device = Device::fresh(&world);
    let path = device.folder.path().join("trusted.json");
    let whole = device.stored();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let in_root = String::from_utf8_lossy(&whole).find("root").unwrap() + 40;
    for bytes in [Vec::new(), whole[..whole.len() / 2].to_vec(), b"\xff".into(), flipped(in_root)] {
        fs::write(&path, bytes).unwrap();
        let client = device.open();
        assert!(client.discarded());
        assert_eq!(client.root_version(), 1);
        device.refresh(&world.files, usual()).unwrap();
        assert_eq!(device.open().root_version(), 2);
    }
    // A newer program's root is used in place of an older stored one.
    let mut newer = Device::fresh(&world);
    world.next_root(&[]);
    newer.first_root = world.files.0[&RoleName::Root.path(3)].clone();
    assert_eq!(newer.open().root_version(), 3);
    let old = world.files.clone();
    world.next_all();
    newer.refresh(&world.files, usual()).unwrap();
    assert!(matches!(newer.refuse(&old, usual()), TrustError::RolledBack { .. }));
}

#[test]
fn the_first_root_must_be_whole() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let mut one = world.root_json(1);
    for bytes in [Vec::new(), b"{}".to_vec(), signed(one.clone(), &[&world.root_keys[0]])] {
        assert!(Client::open(folder.path(), &bytes).is_err());
    }
    let Json::Object(members) = &mut one else { unreachable!() };
    members.insert("consistent_snapshot".to_owned(), Json::Bool(false));
    let bytes = signed(one, &[&world.root_keys[0], &world.root_keys[1]]);
    let error = Client::open(folder.path(), &bytes).unwrap_err();
    assert!(error.to_string().contains("consistent"), "{error}");
}

#[test]
fn what_is_desired_is_bounded_by_what_is_signed() {
    let mut world = World::new();
    let v = |text: &str| Version::parse(text).unwrap();
    world.releases = ["1.4.0", "1.4.1", "1.4.2", "2.0.0-rc.1"].map(v).into();
    world.next_all();
    let device = Device::new(&world);
    let targets = device.refresh(&world.files, usual()).unwrap();
    let choose = |targets: &Targets, desired, committed| {
        targets.choose(&v(desired), &v(committed), "aarch64").map(|target| target.version.clone())
    };
    assert_eq!(choose(&targets, "1.4.2", "1.4.1"), Ok(v("1.4.2")));
    assert_eq!(choose(&targets, "1.4.1", "1.4.1"), Ok(v("1.4.1")));
    assert_eq!(choose(&targets, "2.0.0-rc.1", "1.4.2"), Ok(v("2.0.0-rc.1")));
    assert!(matches!(choose(&targets, "1.4.3", "1.4.1"), Err(Refusal::NotSigned { .. })));
    assert!(matches!(choose(&targets, "1.4.1", "1.4.2"), Err(Refusal::Older { .. })));
    assert!(targets.choose(&v("1.4.2"), &v("1.4.1"), "arm").is_err());
    world.recalled = [v("1.4.2")].into();
    world.next_all();
    let targets = device.refresh(&world.files, usual()).unwrap();
    assert_eq!(choose(&targets, "1.4.1", "1.4.2"), Ok(v("1.4.1")));
    assert_eq!(choose(&targets, "1.4.2", "1.4.1"), Err(Refusal::Recalled(v("1.4.2"))));
    assert!(matches!(choose(&targets, "1.4.0", "1.4.1"), Err(Refusal::Older { .. })));
}
