//! Several processes that change one folder: what one has published the other does not take back.

use std::{
    fs,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use super::{authoring::Group, *};
use crate::author::{AuthorError, ReleaseFolder};

/// The hourly renewal of the timestamp meets the publication of a release.
#[test]
fn a_renewal_beside_a_publication_loses_nothing() {
    for version in ["1.1.0", "1.1.1", "1.1.2", "1.1.3", "1.1.4", "1.1.5", "1.1.6", "1.1.7"] {
        let group = Group::new();
        group.begin();
        group.add(version).unwrap();
        group.sign(&[&group.targets[0], &group.targets[1]]);
        // A folder is known by its path: each thread opens it as a process does.
        let (path, start_line) = (group.folder.path(), Barrier::new(2));
        let online: &SigningKey = &group.online;
        thread::scope(|threads| {
            threads.spawn(|| {
                start_line.wait();
                ReleaseFolder::new(path).publish(online, start()).unwrap();
            });
            threads.spawn(|| {
                start_line.wait();
                // At whatever point of the publication one of them begins.
                for _ in 0..8 {
                    ReleaseFolder::new(path).renew_online(online, start()).unwrap();
                    thread::sleep(Duration::from_millis(1));
                }
            });
        });
        let targets = group.refresh().unwrap();
        let version = Version::parse(version).unwrap();
        assert!(targets.get(&version, "aarch64").is_some(), "{version} is lost");
    }
}

#[test]
fn drafts_that_are_signed_at_once_keep_both_signatures() {
    let group = Group::new();
    group.begin();
    group.add("1.1.0").unwrap();
    let path = group.folder.path();
    let keys: [&SigningKey; 2] = [&group.targets[0], &group.targets[1]];
    thread::scope(|threads| {
        for key in keys {
            threads.spawn(move || ReleaseFolder::new(path).sign(key, None).unwrap());
        }
    });
    group.publish().unwrap();
}

#[test]
fn a_folder_that_is_worked_on_is_waited_for() {
    let group = Group::new();
    let releases = group.releases();
    let held = releases.lock().unwrap();
    let began = Instant::now();
    let error = releases.lock_within(Duration::from_millis(50)).err().unwrap();
    assert!(matches!(error, AuthorError::Busy(_)), "{error}");
    assert!(began.elapsed() >= Duration::from_millis(50));
    // Reading waits for nobody.
    releases.status().unwrap();
    thread::scope(|threads| {
        let waiting = threads.spawn(|| releases.lock().is_ok());
        drop(held);
        assert!(waiting.join().unwrap());
    });
    // What another user locks, this one may only read.
    let mut permissions = fs::metadata(group.folder.path().join(".lock")).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(group.folder.path().join(".lock"), permissions).unwrap();
    group.add("1.0.0").unwrap();
    let nowhere = ReleaseFolder::new(group.folder.path().join("nowhere"));
    assert!(matches!(nowhere.renew_root(start()), Err(AuthorError::NoRepository(_))));
    assert!(!group.has("nowhere"), "only the first command makes a folder");
}
