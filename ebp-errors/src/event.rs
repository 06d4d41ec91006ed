//! An event and its envelope, as Sentry-compatible services take them.
//!
//! The structures are this crate's own: those of the protocol's library have fields for a user, a
//! request, a host and breadcrumbs, and what is not there cannot be filled in by mistake.
//! (<https://develop.sentry.dev/sdk/data-model/envelopes/>)

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    config::DeviceName,
    report::{Component, Level, Report},
    stack::Frame,
};

/// The largest event, bytes; one that would be larger goes without its stack.
const LARGEST: usize = 64 * 1024;

/// What all events of a process say.
#[derive(Debug, Clone)]
pub struct Release {
    /// The program's version.
    pub version: &'static str,
    /// The part of the program that this process is.
    pub component: Component,
    /// What the device is called, if it has a name.
    pub device: Option<DeviceName>,
}

#[derive(Serialize)]
struct Event<'a> {
    event_id: String,
    timestamp: String,
    platform: &'static str,
    level: Level,
    logger: &'static str,
    release: String,
    // Without it some services put in the address that the request came from.
    server_name: &'static str,
    tags: BTreeMap<&'static str, String>,
    fingerprint: [&'a str; 1],
    exception: Exceptions<'a>,
    extra: BTreeMap<&'static str, String>,
    sdk: Sdk,
}

#[derive(Serialize)]
struct Exceptions<'a> {
    values: Vec<Exception<'a>>,
}

#[derive(Serialize)]
struct Exception<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stacktrace: Option<Stack<'a>>,
}

#[derive(Serialize)]
struct Stack<'a> {
    frames: Vec<&'a Frame>,
}

#[derive(Serialize)]
struct Sdk {
    name: &'static str,
    version: &'static str,
    settings: SdkSettings,
}

#[derive(Serialize)]
struct SdkSettings {
    // The service must not take the sender's address for a user's.
    infer_ip: &'static str,
}

/// What is counted beside the event itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    /// Events of the group that were left out since the last one.
    pub left_out: u64,
    /// Events of any group that were dropped since the queue was full.
    pub dropped: u64,
}

/// The event of a report, as JSON.
pub(crate) fn encode(
    report: &Report,
    release: &Release,
    id: Uuid,
    at: Timestamp,
    counts: Counts,
) -> Vec<u8> {
    let text = json(report, release, id, at, counts);
    if text.len() <= LARGEST {
        return text;
    }
    let small = Report { stack: Vec::new(), fields: BTreeMap::new(), ..report.clone() };
    json(&small, release, id, at, counts)
}

fn json(report: &Report, release: &Release, id: Uuid, at: Timestamp, counts: Counts) -> Vec<u8> {
    let component = report.component.unwrap_or(release.component);
    let mut tags = BTreeMap::from([
        ("component", component.name().to_owned()),
        ("arch", std::env::consts::ARCH.to_owned()),
        ("os", std::env::consts::OS.to_owned()),
    ]);
    if let Some(device) = &release.device {
        tags.insert("device", device.to_string());
    }
    let mut extra: BTreeMap<&'static str, String> = report.fields.clone();
    for (name, count) in [("left_out", counts.left_out), ("dropped", counts.dropped)] {
        if count > 0 {
            extra.insert(name, count.to_string());
        }
    }
    let fingerprint = report.fingerprint(release.component);
    let place = report.place.to_string();
    // The protocol has causes first and the outermost call first.
    let values = report.types.iter().enumerate().rev().map(|(depth, kind)| {
        let value = match report.text {
            Some(text) if depth == 0 => format!("{text} ({place})"),
            _ => place.clone(),
        };
        let frames: Vec<&Frame> = report.stack.iter().rev().collect();
        let stacktrace = (depth == 0 && !frames.is_empty()).then_some(Stack { frames });
        Exception { kind, value, stacktrace }
    });
    let event = Event {
        event_id: id.simple().to_string(),
        timestamp: at.to_string(),
        platform: "native",
        level: report.level,
        logger: component.name(),
        release: format!("ebp@{}", release.version),
        server_name: "",
        tags,
        fingerprint: [&fingerprint],
        exception: Exceptions { values: values.collect() },
        extra,
        sdk: Sdk {
            name: "ebp-errors",
            version: env!("CARGO_PKG_VERSION"),
            settings: SdkSettings { infer_ip: "never" },
        },
    };
    // Strings and numbers in maps of strings: it does not fail.
    serde_json::to_vec(&event).unwrap_or_default()
}

/// The envelope with that event: a line about the envelope, one about the event, the event.
pub(crate) fn envelope(id: &str, event: &[u8], at: Timestamp) -> Vec<u8> {
    let mut text = format!(
        "{{\"event_id\":\"{id}\",\"sent_at\":\"{at}\"}}\n\
         {{\"type\":\"event\",\"content_type\":\"application/json\",\"length\":{}}}\n",
        event.len()
    )
    .into_bytes();
    text.extend_from_slice(event);
    text.push(b'\n');
    text
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::origin::Place;

    fn release() -> Release {
        let device = Some("hall-7".parse().unwrap());
        Release { version: "1.2.3", component: Component::Sending, device }
    }

    fn at() -> Timestamp {
        "2026-01-31T12:00:00.5Z".parse().unwrap()
    }

    #[test]
    fn an_event_says_what_it_may_and_no_more() {
        let frame = |function: &str| Frame {
            function: function.to_owned(),
            filename: None,
            lineno: None,
            in_app: true,
        };
        let report = Report {
            stack: vec![frame("inner"), frame("outer")],
            ..Report::new(
                vec!["SpoolError::Full".into(), "io::Error::StorageFull".into()],
                Place::new("ebp-device/src/spool/mod.rs", 7),
            )
        };
        let counts = Counts { left_out: 3, dropped: 0 };
        let text = encode(&report, &release(), Uuid::from_u128(7), at(), counts);
        let event: Value = serde_json::from_slice(&text).unwrap();
        let keys: Vec<&str> = event.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = [
            "event_id",
            "timestamp",
            "platform",
            "level",
            "logger",
            "release",
            "server_name",
            "tags",
            "fingerprint",
            "exception",
            "extra",
            "sdk",
        ];
        expected.sort_unstable();
        let mut keys = keys;
        keys.sort_unstable();
        assert_eq!(keys, expected);
        assert_eq!(event["event_id"], "00000000000000000000000000000007");
        assert_eq!(event["release"], "ebp@1.2.3");
        assert_eq!(event["server_name"], "");
        assert_eq!(event["tags"]["component"], "sending");
        assert_eq!(event["tags"]["device"], "hall-7");
        assert_eq!(event["tags"]["arch"], std::env::consts::ARCH);
        assert_eq!(event["extra"]["left_out"], "3");
        let values = &event["exception"]["values"];
        assert_eq!(values[0]["type"], "io::Error::StorageFull");
        assert_eq!(values[1]["type"], "SpoolError::Full");
        assert_eq!(values[1]["value"], "ebp-device/src/spool/mod.rs:7");
        assert_eq!(values[1]["stacktrace"]["frames"][1]["function"], "inner");
        assert_eq!(event["fingerprint"][0], report.fingerprint(Component::Sending));
    }

    #[test]
    fn a_huge_stack_is_left_out() {
        let frame =
            Frame { function: "f".repeat(LARGEST), filename: None, lineno: None, in_app: false };
        let report = Report {
            stack: vec![frame],
            ..Report::new(vec!["A".into()], Place::new("ebp-cli/src/main.rs", 1))
        };
        let text = encode(&report, &release(), Uuid::nil(), at(), Counts::default());
        assert!(text.len() < 2000, "{}", text.len());
    }

    #[test]
    fn an_envelope_has_three_lines() {
        let text = envelope("00ff", b"{}", at());
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        let json = |line: &[u8]| serde_json::from_slice::<Value>(line).unwrap();
        assert_eq!(json(lines[0])["event_id"], "00ff");
        assert_eq!(json(lines[1])["type"], "event");
        assert_eq!(json(lines[1])["length"], 2);
        assert_eq!((lines[2], lines[3], lines.len()), (b"{}".as_slice(), b"".as_slice(), 4));
    }
}
