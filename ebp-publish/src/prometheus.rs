//! Prometheus: a file for node_exporter's textfile collector, or `/metrics` at a port.
//!
//! Enters: readings. Leaves: registers as counters and power as a gauge, in watt-hours and watts.
//! Absent: readings that are too old: a meter without one has no series.

use std::{fs, io, path::Path, sync::Arc, time::Duration};

use rust_decimal::Decimal;

use crate::{
    board::Board,
    config::PrometheusConfig,
    error::PublishError,
    listener::{Listener, Site},
    mailbox::{Post, Taken, Work},
    notice::{Hear, Teller},
    output::Output,
    reading::Reading,
};

/// The form of the text.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A value of a reading.
type Value = fn(&Reading) -> Option<Decimal>;

/// The metrics: name, what it is, kind, value.
const METRICS: [(&str, &str, &str, Value); 4] = [
    ("ebp_import_watthours_total", "Energy from the grid.", "counter", |reading| {
        thousandfold(reading.import_kwh)
    }),
    ("ebp_export_watthours_total", "Energy to the grid.", "counter", |reading| {
        thousandfold(reading.export_kwh)
    }),
    ("ebp_power_watts", "Power, positive from the grid.", "gauge", |reading| {
        thousandfold(reading.power_kw)
    }),
    ("ebp_read_timestamp_seconds", "When the meter was read.", "gauge", |reading| {
        Some(Decimal::new(reading.read_at.as_millisecond(), 3))
    }),
];

fn thousandfold(value: Option<Decimal>) -> Option<Decimal> {
    value?.checked_mul(Decimal::ONE_THOUSAND).map(|value| value.normalize())
}

/// Starts the output.
pub(crate) fn start(config: &PrometheusConfig, hear: &Hear) -> Result<Work, PublishError> {
    let board = Arc::new(Board::new(config.interval));
    let listener = match config.listen {
        Some(at) => {
            let shown = Arc::clone(&board);
            let body = Box::new(move || text(&shown.posts()));
            let site = Site { path: "/metrics", content_type: CONTENT_TYPE, body };
            Some(Listener::start(at, Output::Prometheus, site)?)
        }
        None => None,
    };
    let mut teller = Teller::new(Output::Prometheus, Arc::clone(hear));
    let (file, look) = (config.file.clone(), config.interval.max(Duration::from_secs(1)));
    Ok(Box::new(move |mailbox| {
        let _listener = listener;
        let mut written = None;
        loop {
            match mailbox.take(look) {
                Taken::Posts(posts) => board.put(posts),
                // What is too old leaves the file.
                Taken::Nothing => {}
                Taken::Closed => break,
            }
            let Some(path) = &file else { continue };
            let text = text(&board.posts());
            if written.as_ref() == Some(&text) {
                continue;
            }
            match replace(path, &text) {
                Ok(()) => {
                    written = Some(text);
                    teller.works();
                }
                Err(source) => {
                    teller.failed(PublishError::File { path: path.clone(), source });
                }
            }
        }
        // Nobody reads the meters any more: their series end.
        if let (Some(path), Some(_)) = (&file, written) {
            let _ = fs::remove_file(path);
        }
    }))
}

/// The collector never sees half a file.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".part");
    fs::write(&temporary, text)?;
    fs::rename(&temporary, path)
}

fn text(posts: &[Post]) -> String {
    let mut text = String::new();
    for (name, help, kind, value) in METRICS {
        let mut is_first = true;
        for (meter, reading) in posts {
            let Some(value) = value(reading) else { continue };
            if std::mem::take(&mut is_first) {
                text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
            }
            text.push_str(&format!("{name}{{meter=\"{}\"}} {value}\n", meter.uuid));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    use ebp_needs::needs;

    use super::*;
    use crate::{mailbox::Mailbox, reading::Meter};

    fn posts() -> Vec<Post> {
        let reading = Reading {
            import_kwh: Some("12345.67890".parse().unwrap()),
            power_kw: Some("-0.015".parse().unwrap()),
            ..Reading::new("2026-01-31T12:00:01.5Z".parse().unwrap())
        };
        let other =
            Reading { import_kwh: None, export_kwh: Some("7".parse().unwrap()), ..reading.clone() };
        vec![(Meter::at_port("1", None), reading), (Meter::at_port("2", None), other)]
    }

    #[test]
    fn registers_are_counters_in_base_units() {
        insta::assert_snapshot!(text(&posts()));
        assert_eq!(text(&[]), "");
    }

    #[needs(promtool)]
    #[test]
    fn promtool_accepts_it() {
        let mut check = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        check.stdin.take().unwrap().write_all(text(&posts()).as_bytes()).unwrap();
        let output = check.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }

    #[test]
    fn the_file_is_replaced_and_ends_with_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ebp.prom");
        let config = PrometheusConfig { file: Some(path.clone()), ..PrometheusConfig::new() };
        let hear: Hear = Arc::new(|_| {});
        let work = start(&config, &hear).unwrap();
        let mailbox = Arc::new(Mailbox::default());
        for (meter, reading) in posts() {
            mailbox.put(&meter, reading);
        }
        let own = Arc::clone(&mailbox);
        let thread = std::thread::spawn(move || work(&own));
        while !path.exists() {
            std::thread::yield_now();
        }
        let mut expected = posts();
        expected.sort_by_key(|(meter, _)| meter.uuid);
        assert_eq!(fs::read_to_string(&path).unwrap(), text(&expected));
        mailbox.close();
        thread.join().unwrap();
        assert!(!path.exists());
    }
}
