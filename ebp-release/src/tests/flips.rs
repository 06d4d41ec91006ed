//! Damage: every byte of every role is flipped, and anything at all is offered.

use proptest::prelude::*;

use super::*;
use crate::trusted::Trusted;

/// Which bits of the byte at that place are flipped: one, or with `EBP_TEST_FLIPS=all` each by itself
/// and all at once.
fn flips(index: usize) -> Vec<u8> {
    match std::env::var_os("EBP_TEST_FLIPS") {
        Some(_) => (0..8).map(|bit| 1 << bit).chain([0xff]).collect(),
        None => vec![1 << (index % 8)],
    }
}

#[test]
fn every_byte_of_every_role_is_covered() {
    let mut world = World::new();
    let before = Trusted::new(world.first_root()).unwrap();
    world.next_root(&[]);
    let mut after = before.clone();
    after.follow_roots(&world.files).unwrap();
    let mut files = world.files.clone();
    let mut refused = 0;
    for path in [
        RoleName::Root.path(2),
        RoleName::Timestamp.path(0),
        RoleName::Snapshot.path(1),
        RoleName::Targets.path(1),
    ] {
        for index in 0..world.files.0[&path].len() {
            for flip in flips(index) {
                files.0.get_mut(&path).unwrap()[index] ^= flip;
                let is_root = path == RoleName::Root.path(2);
                let result = match is_root {
                    true => before.clone().follow_roots(&files).map(drop),
                    false => after.clone().update(&files, usual()).map(drop),
                };
                assert!(result.is_err(), "{path}: byte {index} with {flip:#x}");
                files.0.get_mut(&path).unwrap()[index] ^= flip;
                refused += 1;
            }
        }
    }
    assert!(refused > 3_000, "{refused}");
    assert_eq!(files.0, world.files.0);
    after.update(&files, usual()).unwrap();
}

/// The root role that a program carries is checked against itself.
#[test]
fn a_first_root_is_covered() {
    let first = World::new().first_root();
    for index in (0..first.len()).step_by(7) {
        let mut bytes = first.clone();
        bytes[index] ^= 1 << (index % 8);
        assert!(Trusted::new(bytes).is_err(), "byte {index}");
    }
}

/// Changes to a repository by whoever has the server, the network and the online key.
#[derive(Debug, Clone)]
enum Step {
    Newer,
    Timestamp,
    Rotate,
    /// Gives a file of an earlier state out again.
    Replay(prop::sample::Index, prop::sample::Index),
    Truncate(prop::sample::Index, prop::sample::Index),
    Refresh,
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        2 => Just(Step::Newer),
        1 => Just(Step::Timestamp),
        1 => Just(Step::Rotate),
        3 => (index(), index()).prop_map(|(a, b)| Step::Replay(a, b)),
        1 => (index(), index()).prop_map(|(a, b)| Step::Truncate(a, b)),
        4 => Just(Step::Refresh),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever of its own files a repository mixes, a device goes forwards only, its state is always
    /// one that was published, and once the repository is whole again, the device follows.
    #[test]
    fn a_device_only_goes_forwards(steps in proptest::collection::vec(step(), 1..24)) {
        let mut world = World::new();
        let device = Device::new(&world);
        let mut client = device.open();
        let mut offered = world.files.clone();
        let mut past = vec![world.files.clone()];
        let (mut newest, mut root) = (0, 0);
        for step in steps {
            match step {
                Step::Newer => {
                    let minor = world.releases.len() as u64;
                    world.releases.push(Version::new(1, 5, minor));
                    world.next_all();
                }
                Step::Timestamp => world.next_timestamp(),
                Step::Rotate => {
                    let old = world.root_keys.remove(0);
                    world.root_keys.push(key());
                    world.next_root(&[&old]);
                }
                Step::Replay(state, file) => {
                    let state = state.get(&past);
                    let (path, bytes) = state.0.iter().nth(file.index(state.0.len())).unwrap();
                    offered.0.insert(path.clone(), bytes.clone());
                    continue;
                }
                Step::Truncate(file, at) => {
                    let count = offered.0.len();
                    let bytes = offered.0.values_mut().nth(file.index(count)).unwrap();
                    bytes.truncate(at.index(bytes.len() + 1));
                    continue;
                }
                Step::Refresh => {
                    if let Ok(targets) = client.refresh(&offered, usual()) {
                        let count = targets.iter().count();
                        prop_assert!(count >= newest);
                        newest = count;
                    }
                    prop_assert!(client.root_version() >= root);
                    root = client.root_version();
                    continue;
                }
            }
            offered = world.files.clone();
            past.push(offered.clone());
        }
        let targets = client.refresh(&world.files, usual()).unwrap();
        prop_assert_eq!(targets.iter().count(), world.releases.len());
    }

    #[test]
    fn anything_at_all_is_refused(
        role in 0..4_usize,
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut world = Files::default();
        let first = FIRST.with(|first| first.clone());
        world.0.insert(RoleName::ALL[role].path(2), bytes.clone());
        let mut trusted = Trusted::new(first).unwrap();
        let followed = trusted.follow_roots(&world);
        prop_assert!(followed.and_then(|_| trusted.update(&world, usual())).is_err());
        prop_assert!(Trusted::new(bytes).is_err());
    }
}

thread_local! {
    static FIRST: Vec<u8> = World::new().first_root();
}
