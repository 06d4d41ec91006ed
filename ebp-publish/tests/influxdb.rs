//! InfluxDB's lines against InfluxDB 1 of Debian.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use ebp_needs::needs;
use ebp_publish::{
    Meter, Notice, PublishConfig, PublishError, Publisher, Reading, config::InfluxConfig,
};

/// No test waits longer.
const LIMIT: Duration = Duration::from_secs(60);

struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (port, rpc) = (free(), free());
        let folder = folder.display();
        let settings = format!(
            "reporting-disabled = true\nbind-address = \"127.0.0.1:{rpc}\"\n\
             [meta]\ndir = \"{folder}/meta\"\n[data]\ndir = \"{folder}/data\"\nwal-dir = \"{folder}/wal\"\n\
             [http]\nbind-address = \"127.0.0.1:{port}\"\n[monitor]\nstore-enabled = false\n"
        );
        let path = format!("{folder}/influxdb.conf");
        fs::write(&path, settings).unwrap();
        let process = Command::new("influxd")
            .args(["-config", &path])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, port };
        let until = Instant::now() + LIMIT;
        while server.ask("GET", "/ping", "").is_none() {
            assert!(Instant::now() < until, "InfluxDB does not start");
            thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// The body of an answer.
    fn ask(&self, method: &str, path: &str, body: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[needs(influxd)]
#[test]
fn influxdb_takes_the_lines_with_every_digit() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let meter = Meter::at_port("/dev/ttyUSB0", None);
    let start = |database: &str| {
        let to = format!("http://127.0.0.1:{}/write?db={database}", server.port);
        let config = PublishConfig {
            influx: Some(InfluxConfig::new(to.parse().unwrap())),
            ..PublishConfig::default()
        };
        let (sender, notices) = mpsc::channel();
        let hear = move |notice| {
            let _ = sender.send(notice);
        };
        let mut publisher = Publisher::start(&config, &[], hear).unwrap();
        for (second, import) in [(0, "12345.6788"), (10, "12345.6789")] {
            let reading = Reading {
                import_kwh: Some(import.parse().unwrap()),
                ..Reading::new(jiff::Timestamp::from_second(1_769_860_800 + second).unwrap())
            };
            publisher.offer(&meter, &reading, Duration::from_secs(second.unsigned_abs()));
        }
        let notice = notices.recv_timeout(LIMIT).unwrap();
        (publisher, notice)
    };

    // There is no such database yet.
    let (publisher, notice) = start("ebp");
    assert!(
        matches!(&notice, Notice::Failed(_, PublishError::Rejected { status: 404, .. })),
        "{notice:?}"
    );
    drop(publisher);
    server.ask("POST", "/query", "q=CREATE%20DATABASE%20ebp").unwrap();
    let (_publisher, notice) = start("ebp");
    assert!(matches!(notice, Notice::Works(_)), "{notice:?}");
    let query = "/query?db=ebp&epoch=ns&q=SELECT%20import_kwh,meter%20FROM%20ebp";
    let answer = server.ask("GET", query, "").unwrap();
    let row = format!("[1769860810000000000,12345.6789,\"{}\"]", meter.uuid);
    assert!(answer.contains(&row), "{answer}");
}
