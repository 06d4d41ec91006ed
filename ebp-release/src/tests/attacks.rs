//! The attacks that the specification of The Update Framework names, one test each.

use super::*;
use crate::LONGEST_CHAIN;

/// A repository that sends one file without end.
struct Endless(Files, String);

impl Repository for Endless {
    fn fetch(&self, path: &str, limit: u64) -> io::Result<Option<Box<dyn Read + '_>>> {
        if path == self.1 {
            Ok(Some(Box::new(io::repeat(b' '))))
        } else {
            self.0.fetch(path, limit)
        }
    }
}

#[test]
fn a_healthy_repository_is_trusted_and_its_program_verified() {
    let world = World::new();
    let device = Device::new(&world);
    let targets = device.refresh(&world.files, usual()).unwrap();
    let version = Version::new(1, 4, 1);
    let target = targets.get(&version, "aarch64").unwrap();
    assert_eq!(targets.get(&version, "x86_64"), None);
    let mut copy = Vec::new();
    target.copy_verified(&*program(&version), &mut copy).unwrap();
    assert_eq!(copy, program(&version));
    assert!(target.path().starts_with("targets/ebp/1.4.1/"), "{}", target.path());
}

#[test]
fn roll_back_of_the_timestamp() {
    let mut world = World::new();
    let old = world.files.0[&RoleName::Timestamp.path(0)].clone();
    world.next_timestamp();
    let device = Device::fresh(&world);
    world.put(RoleName::Timestamp, 0, old);
    let error = device.refuse(&world.files, usual());
    let expected = TrustError::RolledBack { role: RoleName::Timestamp, version: 1, trusted: 2 };
    assert_eq!(error.to_string(), expected.to_string());
}

/// With the online key stolen a timestamp can be made that names an old snapshot.
#[test]
fn roll_back_of_the_snapshot() {
    let mut world = World::new();
    world.next_snapshot();
    let device = Device::fresh(&world);
    world.versions[2] = 1;
    world.next_timestamp();
    let error = device.refuse(&world.files, usual());
    assert!(
        matches!(
            error,
            TrustError::RolledBack { role: RoleName::Snapshot, version: 1, trusted: 2 }
        ),
        "{error}"
    );
}

/// With the online key stolen a snapshot can be made that names old targets.
#[test]
fn roll_back_of_the_targets() {
    let mut world = World::new();
    world.next_all();
    let device = Device::fresh(&world);
    world.versions[1] = 1;
    world.next_snapshot();
    let error = device.refuse(&world.files, usual());
    assert!(
        matches!(error, TrustError::RolledBack { role: RoleName::Targets, version: 1, trusted: 2 }),
        "{error}"
    );
}

#[test]
fn roll_back_of_the_root() {
    let mut world = World::new();
    let old = world.first_root();
    world.next_root(&[]);
    let device = Device::fresh(&world);
    assert_eq!(device.open().root_version(), 2);
    // Given out again as the next version.
    world.put(RoleName::Root, 3, old);
    let error = device.refuse(&world.files, usual());
    assert!(
        matches!(error, TrustError::WrongVersion { role: RoleName::Root, version: 1, expected: 3 }),
        "{error}"
    );
    // A program that is older than what is stored does not lead back either.
    world.files.0.remove(&RoleName::Root.path(3));
    assert_eq!(device.open().root_version(), 2);
}

#[test]
fn freeze() {
    let world = World::new();
    let device = Device::fresh(&world);
    let error = device.refuse(&world.files, clock("2026-12-08T12:00:00Z"));
    assert!(matches!(error, TrustError::Expired { role: RoleName::Timestamp, .. }), "{error}");
    device.refresh(&world.files, clock("2026-12-08T11:59:59Z")).unwrap();
}

#[test]
fn each_role_expires() {
    let mut world = World::new();
    let device = Device::fresh(&world);
    // Each role but one is signed anew, later and later.
    for (now, role) in [
        ("2027-01-05T00:00:00Z", RoleName::Snapshot),
        ("2027-12-05T00:00:00Z", RoleName::Targets),
        ("2031-12-05T00:00:00Z", RoleName::Root),
    ] {
        world.now = at(now);
        match role {
            RoleName::Snapshot => world.next_timestamp(),
            RoleName::Targets => world.next_snapshot(),
            _ => world.next_all(),
        }
        let error = device.refuse(&world.files, clock(now));
        assert!(matches!(error, TrustError::Expired { role: r, .. } if r == role), "{error}");
    }
}

#[test]
fn mix_and_match() {
    let mut world = World::new();
    let old = world.files.clone();
    world.next_all();
    let device = Device::new(&world);
    for role in [RoleName::Snapshot, RoleName::Targets] {
        let mut mixed = world.files.clone();
        mixed.0.insert(role.path(2), old.0[&role.path(1)].clone());
        let error = device.refuse(&mixed, usual());
        assert!(matches!(error, TrustError::WrongContent { role: r } if r == role), "{error}");
    }
    // Without lengths and hashes, which are not required, the version tells.
    let header = header_at(RoleName::Snapshot, 3, world.now);
    let meta = crate::json::object([("version", 2.into())]);
    world.put(RoleName::Snapshot, 3, signed(write::snapshot(&header, meta), &[&world.online]));
    world.versions[2] = 3;
    world.next_timestamp();
    let mut mixed = world.files.clone();
    mixed.0.insert(RoleName::Targets.path(2), old.0[&RoleName::Targets.path(1)].clone());
    let error = device.refuse(&mixed, usual());
    assert!(
        matches!(
            error,
            TrustError::WrongVersion { role: RoleName::Targets, version: 1, expected: 2 }
        ),
        "{error}"
    );
    device.refresh(&world.files, usual()).unwrap();
}

#[test]
fn endless_data() {
    let world = World::new();
    for path in [
        RoleName::Root.path(2),
        RoleName::Timestamp.path(0),
        RoleName::Snapshot.path(1),
        RoleName::Targets.path(1),
    ] {
        let device = Device::new(&world);
        let error = device.refresh(&Endless(world.files.clone(), path.clone()), usual());
        let error = error.unwrap_err();
        assert!(matches!(&error, TrustError::TooLong { path: p, .. } if *p == path), "{error}");
    }
}

#[test]
fn wrong_threshold() {
    let mut world = World::new();
    let device = Device::fresh(&world);
    let json = world.targets_json(2);
    let one = &world.target_keys[0];
    let stranger = key();
    for (keys, valid) in [
        (vec![], 0),
        (vec![one], 1),
        (vec![one, &stranger], 1),
        (vec![one, &world.root_keys[0]], 1),
        (vec![one, &world.online], 1),
    ] {
        let mut files = world.files.clone();
        files.0.insert(RoleName::Targets.path(2), signed(json.clone(), &keys));
        let error = with_targets(&world, files, &device);
        let is_right = matches!(
            error,
            TrustError::Signatures { role: RoleName::Targets, valid: v, needed: 2 } if v == valid
        );
        assert!(is_right, "{error}");
    }
    // A signature under another key's name is none; the same key twice is refused.
    let mut envelope = Envelope::parse(RoleName::Targets, &signed(json, &[one])).unwrap();
    let signature = envelope.signatures[&one.id()].clone();
    envelope.signatures.insert(world.target_keys[1].id(), signature);
    let mut files = world.files.clone();
    files.0.insert(RoleName::Targets.path(2), envelope.to_bytes());
    let error = with_targets(&world, files, &device);
    assert!(matches!(error, TrustError::Signatures { valid: 1, .. }), "{error}");
    let text = String::from_utf8(world.files.0[&RoleName::Targets.path(1)].clone()).unwrap();
    let start = text.find(r#"{"keyid""#).unwrap();
    let end = text.find("},").unwrap() + 2;
    let twice = text.replacen(&text[start..end], &text[start..end].repeat(2), 1);
    let error = Envelope::parse(RoleName::Targets, twice.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("signed twice"), "{error}");
    world.next_all();
    device.refresh(&world.files, usual()).unwrap();
}

/// Offers version 2 of the targets in those files, with snapshot and timestamp by the online key.
fn with_targets(world: &World, files: Files, device: &Device) -> TrustError {
    let mut attacker = World {
        root_keys: Vec::new(),
        target_keys: Vec::new(),
        online: world.online.clone(),
        files,
        versions: [1, 2, 1, 1],
        releases: Vec::new(),
        recalled: BTreeSet::new(),
        now: world.now,
    };
    attacker.next_snapshot();
    device.refuse(&attacker.files, usual())
}

/// Whoever has one key of root and one of targets, and the server, can withhold and nothing else.
#[test]
fn one_key_of_each_role_stolen() {
    let mut world = World::new();
    let device = Device::fresh(&world);
    let mine = key();
    let copy = world.root_keys[0].clone();
    let others = std::mem::replace(&mut world.root_keys, vec![mine, key(), key()]);
    world.next_root(&[&copy]);
    let error = device.refuse(&world.files, usual());
    assert!(
        matches!(error, TrustError::Signatures { role: RoleName::Root, valid: 1, needed: 2 }),
        "{error}"
    );
    // By enough of the old keys, but not by enough of its own.
    let json = world.root_json(2);
    let mut bytes = signed(json.clone(), &[&others[0], &others[1], &world.root_keys[0]]);
    world.put(RoleName::Root, 2, bytes);
    let error = device.refuse(&world.files, usual());
    assert!(
        matches!(error, TrustError::Signatures { role: RoleName::Root, valid: 1, needed: 2 }),
        "{error}"
    );
    let [a, b, ..] = &world.root_keys[..] else { unreachable!() };
    bytes = signed(json, &[&others[0], &others[1], a, b]);
    world.put(RoleName::Root, 2, bytes);
    device.refresh(&world.files, usual()).unwrap();
}

#[test]
fn a_root_chain_of_50_from_a_drawer() {
    let mut world = World::new();
    let device = Device::fresh(&world);
    for _ in 0..49 {
        // One key changes each time, so that after three none of the first is left.
        let old = world.root_keys.remove(0);
        world.root_keys.push(key());
        world.next_root(&[&old]);
    }
    world.online = key();
    world.target_keys = vec![key(), key()];
    world.next_root(&[]);
    world.next_all();
    let client = &mut device.open();
    client.refresh(&world.files, usual()).unwrap();
    assert_eq!(client.root_version(), 51);
    // A gap ends the chain: what comes after it is not signed by keys that are trusted.
    let other = Device::new(&world);
    let mut files = world.files.clone();
    files.0.remove(&RoleName::Root.path(30));
    let error = other.refresh(&files, usual()).unwrap_err();
    assert!(matches!(error, TrustError::Signatures { role: RoleName::Timestamp, .. }), "{error}");
    assert_eq!(other.open().root_version(), 29);
}

#[test]
fn a_chain_beyond_the_bound_goes_on_at_the_next_refresh() {
    let mut world = World::new();
    let device = Device::fresh(&world);
    for _ in 0..=LONGEST_CHAIN {
        world.next_root(&[]);
    }
    let error = device.refresh(&world.files, usual()).unwrap_err();
    assert!(matches!(error, TrustError::RootChain(LONGEST_CHAIN)) && error.is_passing());
    device.refresh(&world.files, usual()).unwrap();
    assert_eq!(device.open().root_version(), u64::from(LONGEST_CHAIN) + 2);
}

#[test]
fn an_expired_root_is_followed_but_not_used() {
    let mut world = World::new();
    let device = Device::new(&world);
    let later = "2035-01-01T00:00:00Z";
    world.now = at(later);
    world.next_all();
    let error = device.refuse(&world.files, clock(later));
    assert!(matches!(error, TrustError::Expired { role: RoleName::Root, .. }), "{error}");
    world.next_root(&[]);
    device.refresh(&world.files, clock(later)).unwrap();
}

#[test]
fn deep_and_wide_json() {
    let mut world = World::new();
    let device = Device::fresh(&world);
    let wide = format!("[{}0]", "0,".repeat(8_000)).into_bytes();
    let many = format!(r#"{{"signed":{{}},"signatures":[{}{{}}]}}"#, r#"{},"#.repeat(100));
    for bytes in ["[".repeat(16_000).into_bytes(), br#"{"a":"#.repeat(3_000), wide, many.into()] {
        world.put(RoleName::Timestamp, 0, bytes.clone());
        let error = device.refuse(&world.files, usual());
        assert!(matches!(error, TrustError::Malformed { .. }), "{error}");
        world.put(RoleName::Root, 2, bytes);
        let error = device.refuse(&world.files, usual());
        assert!(matches!(error, TrustError::Malformed { role: RoleName::Root, .. }), "{error}");
        world.files.0.remove(&RoleName::Root.path(2));
    }
}

#[test]
fn what_is_missing_or_away() {
    struct Away;
    impl Repository for Away {
        fn fetch(&self, _: &str, _: u64) -> io::Result<Option<Box<dyn Read + '_>>> {
            Err(io::ErrorKind::TimedOut.into())
        }
    }
    let world = World::new();
    let device = Device::new(&world);
    assert!(device.refresh(&Away, usual()).unwrap_err().is_passing());
    for role in [RoleName::Timestamp, RoleName::Snapshot, RoleName::Targets] {
        let mut files = world.files.clone();
        files.0.remove(&role.path(1));
        let error = device.refuse(&files, usual());
        assert!(matches!(&error, TrustError::Missing { path } if *path == role.path(1)), "{error}");
    }
}
