//! A process's reporter: threads, panics, the log.

use std::{
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use ebp_core::clock::{FixedClock, SystemClock};
use ebp_errors::{ErrorLayer, Folder, Place, Report, Reporter, ReporterSettings, catch_panics};
use ebp_testkit::receiver::{Answers, Receiver};
use tracing_subscriber::{Layer, filter::LevelFilter, layer::SubscriberExt};

use super::{at, event, release, service};

/// Long, because machines can be busy.
const LIMIT: Duration = Duration::from_secs(30);

type Heard = Arc<Mutex<Vec<String>>>;

fn start(receiver: &Receiver, folder: &std::path::Path) -> (Reporter, Heard) {
    let heard = Heard::default();
    let own = Arc::clone(&heard);
    let reporter = Reporter::start(ReporterSettings {
        release: release(),
        folder: Folder::new(folder.to_owned()),
        service: Some(service(receiver)),
        clock: Arc::new(SystemClock),
        hear: Box::new(move |text| own.lock().unwrap().push(text.to_string())),
    });
    (reporter, heard)
}

#[inline(never)]
fn a_function_that_panics(value: &str) {
    panic!("{value} is no number");
}

#[test]
fn a_panic_arrives_with_place_and_functions_and_without_its_values() {
    let (receiver, folder) = (Receiver::start(), tempfile::tempdir().unwrap());
    let (reporter, _) = start(&receiver, folder.path());
    catch_panics(&reporter);
    assert!(thread::spawn(|| a_function_that_panics("canary")).join().is_err());
    assert!(thread::spawn(|| panic!("a text of the sources")).join().is_err());
    assert_eq!(reporter.finish(LIMIT), 0);
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    let first = event(&received[0]);
    assert_eq!(first["level"], "fatal");
    let exception = &first["exception"]["values"][0];
    assert_eq!(exception["type"], "panic");
    let value = exception["value"].as_str().unwrap();
    assert!(value.starts_with("ebp-errors/tests/service/process.rs:"), "{value}");
    let frames = exception["stacktrace"]["frames"].as_array().unwrap();
    let innermost = frames.last().unwrap()["function"].as_str().unwrap();
    assert!(innermost.ends_with("a_function_that_panics"), "{frames:#?}");
    assert!(!String::from_utf8_lossy(&received[0].body).contains("canary"));
    let second = event(&received[1]);
    let value = second["exception"]["values"][0]["value"].as_str().unwrap();
    assert!(value.starts_with("a text of the sources (ebp-errors/"), "{value}");
}

#[test]
fn errors_of_the_log_pass_by_a_list_of_fields() {
    let (receiver, folder) = (Receiver::start(), tempfile::tempdir().unwrap());
    let (reporter, _) = start(&receiver, folder.path());
    let layer = ErrorLayer::new(reporter.clone()).with_filter(LevelFilter::ERROR);
    let subscriber = tracing_subscriber::registry().with(layer);
    let error = std::io::Error::new(std::io::ErrorKind::StorageFull, "canary");
    tracing::subscriber::with_default(subscriber, || {
        assert!(!tracing::enabled!(tracing::Level::INFO));
        tracing::error!(
            target: "ebp_server::job::attempt",
            attempt = 3, kind = "export", status = "Canary Street 1", job = "canary", %error,
            "the job of {} failed", "canary"
        );
        tracing::error!(target: "ebp_store::sqlite", error = &error as &dyn std::error::Error);
        tracing::warn!(target: "ebp_server", "not bad enough");
        tracing::error!(target: "other_library", "not ours");
        tracing::error!(target: "ebp::log", "reported with its type");
    });
    assert_eq!(reporter.finish(LIMIT), 0);
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    let (job, store) = (event(&received[0]), event(&received[1]));
    assert_eq!(job["tags"]["component"], "jobs");
    assert_eq!(job["exception"]["values"][0]["type"], "ebp_server::job::attempt");
    assert_eq!(job["extra"], serde_json::json!({"attempt": "3", "kind": "export"}));
    assert_eq!(store["tags"]["component"], "measuring");
    assert_eq!(store["exception"]["values"][0]["type"], "Custom");
    for received in received {
        let text = String::from_utf8_lossy(&received.body).to_ascii_lowercase();
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn what_is_written_before_the_process_ends_is_sent_by_the_next_one() {
    let (receiver, folder) = (Receiver::start(), tempfile::tempdir().unwrap());
    receiver.answer_with(Answers::Closed);
    let (reporter, heard) = start(&receiver, folder.path());
    for line in 0..3 {
        reporter.report(Report::new(vec!["A".to_owned()], Place::new("ebp-cli/src/a.rs", line)));
    }
    // It cannot be sent, so the end of the process does not wait for it.
    assert_eq!(reporter.finish(LIMIT), 3);
    assert_eq!(heard.lock().unwrap().len(), 1, "{heard:?}");
    receiver.answer_with(Answers::Status(200, Vec::new()));
    let other = tempfile::tempdir().unwrap();
    std::fs::rename(folder.path().join("queue"), other.path().join("queue")).unwrap();
    let (next, _) = start(&receiver, other.path());
    next.report_error(&std::fmt::Error);
    assert_eq!(next.finish(LIMIT), 0);
    assert_eq!(receiver.received().len(), 4);
}

/// An error in each of many requests must not write the disk full, nor wear a card out.
#[test]
fn a_flood_of_one_error_is_counted_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let reporter = Reporter::start(ReporterSettings {
        release: release(),
        folder: Folder::new(folder.path().to_owned()),
        service: None,
        clock: Arc::new(FixedClock(at(0))),
        hear: Box::new(|_| {}),
    });
    let report = || Report::new(vec!["A".to_owned()], Place::new("ebp-cli/src/a.rs", 1));
    for _ in 0..11 {
        reporter.report(report());
    }
    let ledger = folder.path().join("ledger.json");
    let before = std::fs::metadata(&ledger).unwrap().modified().unwrap();
    for _ in 0..2_000 {
        reporter.report(report());
    }
    assert_eq!(std::fs::metadata(&ledger).unwrap().modified().unwrap(), before);
    reporter.finish(LIMIT);
    let groups = Folder::new(folder.path().to_owned()).ledger().unwrap().groups;
    assert_eq!((groups[0].count, groups[0].left_out), (2_011, 2_001));
    // Nothing waits that nobody would send.
    assert!(!folder.path().join("queue").exists());
}

/// A daemon runs for months: what it counts is in the list while it does, also where nothing is sent.
#[test]
fn errors_are_counted_without_a_service_while_the_process_runs() {
    let folder = tempfile::tempdir().unwrap();
    let reporter = Reporter::start(ReporterSettings {
        release: release(),
        folder: Folder::new(folder.path().to_owned()),
        service: None,
        clock: Arc::new(FixedClock(at(0))),
        hear: Box::new(|_| {}),
    });
    for _ in 0..31 {
        reporter.report(Report::new(vec!["A".to_owned()], Place::new("ebp-cli/src/a.rs", 1)));
    }
    let count = || Folder::new(folder.path().to_owned()).ledger().unwrap().groups[0].count;
    let end = Instant::now() + LIMIT;
    while count() < 31 && Instant::now() < end {
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(count(), 31);
    drop(reporter);
}

#[test]
fn a_folder_that_cannot_be_written_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let receiver = Receiver::start();
    let (reporter, heard) = start(&receiver, &file.join("errors"));
    for line in 0..3 {
        reporter.report(Report::new(vec!["A".to_owned()], Place::new("ebp-cli/src/a.rs", line)));
    }
    reporter.finish(Duration::ZERO);
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(heard[0].starts_with("errors cannot be reported: "), "{heard:?}");
}
