//! Reports at a real HTTP server: what arrives, when, in which order, and what never does.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

mod canary;
mod outage;
mod process;

use std::path::Path;

use ebp_errors::{Component, Folder, Place, Release, Report, Service, Transmission};
use ebp_testkit::receiver::{Received, Receiver};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// The key of the project, which is in one header alone.
const KEY: &str = "0123456789abcdef0123456789abcdef";

fn service(receiver: &Receiver) -> Service {
    let dsn = format!("http://{KEY}@{}/7", receiver.address());
    // No authority is needed without TLS, and not every machine has some.
    Service::new(dsn.parse().unwrap(), None).unwrap()
}

fn transmission(receiver: &Receiver, folder: &Path) -> Transmission {
    Transmission::new(Folder::new(folder.to_owned()), service(receiver))
}

fn release() -> Release {
    let device = Some("hall-7".parse().unwrap());
    Release { version: "1.2.3", component: Component::Measuring, device }
}

fn report(line: u32) -> Report {
    Report::new(vec!["SpoolError::Full".to_owned()], Place::new("ebp-device/src/x.rs", line))
}

fn at(second: i64) -> Timestamp {
    "2026-03-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second)
}

/// The event of an envelope; asserts the form of it.
fn event(received: &Received) -> Value {
    assert!(received.head.starts_with("POST /api/7/envelope/ HTTP/1.1\r\n"), "{}", received.head);
    let head = received.head.to_ascii_lowercase();
    assert!(head.contains("content-type: application/x-sentry-envelope\r\n"), "{head}");
    assert!(head.contains(&format!("x-sentry-auth: sentry sentry_version=7, sentry_key={KEY},")));
    let mut lines = received.body.splitn(3, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap();
    let envelope: Value = serde_json::from_slice(line()).unwrap();
    let item: Value = serde_json::from_slice(line()).unwrap();
    let payload = line();
    let length = usize::try_from(item["length"].as_u64().unwrap()).unwrap();
    assert_eq!((item["type"].as_str(), payload.len()), (Some("event"), length + 1));
    let event: Value = serde_json::from_slice(&payload[..length]).unwrap();
    assert_eq!(envelope["event_id"], event["event_id"]);
    assert!(!received.body.windows(KEY.len()).any(|bytes| bytes == KEY.as_bytes()));
    event
}

/// The line that each event names as its place.
fn lines(receiver: &Receiver) -> Vec<u32> {
    let line = |received: &Received| {
        let event = event(received);
        let value = event["exception"]["values"][0]["value"].as_str().unwrap();
        value.rsplit(':').next().unwrap().parse().unwrap()
    };
    receiver.received().iter().map(line).collect()
}
