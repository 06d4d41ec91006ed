//! What the folder keeps, and what it does not.

use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{origin::Place, report::Component, stack::Frame};

fn release() -> Release {
    Release { version: "1.2.3", component: Component::Measuring, device: None }
}

fn report(line: u32) -> Report {
    Report::new(vec!["SpoolError::Full".to_owned()], Place::new("ebp-cli/src/main.rs", line))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn lines(folder: &Folder) -> Vec<u64> {
    let line = |waiting: &Waiting| {
        let event: Value = serde_json::from_slice(&waiting.read().unwrap()).unwrap();
        let value = event["exception"]["values"][0]["value"].as_str().unwrap().to_owned();
        value.rsplit_once(':').unwrap().1.parse().unwrap()
    };
    folder.queue().iter().map(line).collect()
}

#[test]
fn everything_is_private_and_in_order() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::new(temporary.path().join("a/errors"));
    assert_eq!(folder.ledger().unwrap(), Ledger::default());
    assert!(!folder.path().exists());
    for line in [3, 1, 2] {
        assert_eq!(
            folder.admit(&report(line), &release(), true, at(0)).unwrap(),
            Admission::Queued
        );
    }
    assert_eq!(lines(&folder), [3, 1, 2]);
    for path in ["", "queue", "ledger.json", "lock"] {
        let mode = fs::metadata(folder.path().join(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path}");
    }
    let oldest = folder.oldest().unwrap();
    folder.remove(&oldest).unwrap();
    folder.remove(&oldest).unwrap();
    assert_eq!(lines(&folder), [1, 2]);
}

#[test]
fn without_a_service_there_is_the_ledger_alone() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::new(temporary.path().to_owned());
    assert_eq!(folder.admit(&report(1), &release(), false, at(0)).unwrap(), Admission::Listed);
    assert_eq!(folder.waiting(), 0);
    assert_eq!(folder.ledger().unwrap().groups[0].count, 1);
}

#[test]
fn a_damaged_ledger_and_foreign_files_do_no_harm() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::new(temporary.path().to_owned());
    private_file::create_folder(&folder.path().join("queue")).unwrap();
    for name in ["ledger.json", "queue/x", "queue/.json", "queue/1.json", "queue/y.part"] {
        fs::write(folder.path().join(name), "{\"groups\": [1").unwrap();
    }
    folder.admit(&report(1), &release(), true, at(0)).unwrap();
    assert_eq!(lines(&folder), [1]);
    assert_eq!(folder.ledger().unwrap().groups.len(), 1);
}

#[test]
fn one_process_sends_at_a_time() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::new(temporary.path().to_owned());
    let first = folder.claim_sending().unwrap();
    assert!(folder.claim_sending().is_none());
    drop(first);
    assert!(folder.claim_sending().is_some());
}

/// As a panic does that comes while its own thread holds the lock.
#[test]
fn a_lock_that_is_held_does_not_stop_a_report() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::new(temporary.path().to_owned());
    folder.admit(&report(1), &release(), true, at(0)).unwrap();
    let lock = folder.lock().unwrap();
    folder.admit(&report(2), &release(), true, at(1)).unwrap();
    drop(lock);
    assert_eq!(lines(&folder), [1, 2]);
    assert_eq!(folder.ledger().unwrap().groups.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// Whatever comes, the queue is within its bounds, has the newest events in their order, and each
    /// error is in the queue, dropped or left out.
    #[test]
    fn the_queue_is_bounded(
        errors in proptest::collection::vec((0_u32..40, 0_usize..40_000), 60..100),
    ) {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::new(temporary.path().to_owned());
        let mut queued = Vec::new();
        for (second, (line, size)) in errors.iter().enumerate() {
            let frame = Frame {
                function: "f".repeat(*size), filename: None, lineno: None, in_app: false,
            };
            let report = Report { stack: vec![frame], ..report(*line) };
            let now = at(i64::try_from(second).unwrap());
            if folder.admit(&report, &release(), true, now).unwrap() == Admission::Queued {
                queued.push(u64::from(*line));
            }
            let queue = folder.queue();
            prop_assert!(queue.len() <= MOST_FILES);
            prop_assert!(queue.iter().map(|own| own.bytes).sum::<u64>() <= MOST_BYTES);
        }
        let ledger = folder.ledger().unwrap();
        let left_out: u64 = ledger.groups.iter().map(|group| group.left_out).sum();
        let kept = lines(&folder);
        prop_assert_eq!(kept.len() as u64 + ledger.dropped + left_out, errors.len() as u64);
        prop_assert_eq!(&queued[queued.len() - kept.len()..], &kept[..]);
        let total: u64 = ledger.groups.iter().map(|group| group.count).sum();
        prop_assert_eq!(total, errors.len() as u64);
    }
}
