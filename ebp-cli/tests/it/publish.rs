//! What meters show, for the household's own tools: by `ebp read --watch` and by the measuring daemon.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use ebp_needs::needs;
use serde_json::Value;

use crate::support::{
    ebp, household::Household, meter::Meter, process::Running, server::Server, wait_for,
};

const MODEL: &str = "MT175";

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A process that ends with the test.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A mosquitto, and what a subscriber to everything hears.
pub struct Broker {
    pub port: u16,
    lines: mpsc::Receiver<(String, String)>,
    broker: Ending,
    _subscriber: Ending,
}

/// A mosquitto at that port.
fn mosquitto(port: u16) -> Ending {
    let mut command = Command::new("mosquitto");
    command.args(["-p", &port.to_string()]).env("PATH", "/usr/sbin:/usr/bin:/bin");
    let broker = Ending(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    wait_for("the broker", || TcpStream::connect(("127.0.0.1", port)).ok());
    broker
}

impl Broker {
    pub fn start() -> Self {
        let port = free_port();
        let broker = mosquitto(port);
        let mut command = Command::new("mosquitto_sub");
        command.args(["-p", &port.to_string(), "-t", "#", "-F", "%t %p"]).stdout(Stdio::piped());
        let mut subscriber = command.stderr(Stdio::null()).spawn().unwrap();
        let output = BufReader::new(subscriber.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let (topic, payload) = line.split_once(' ').unwrap_or((&line, ""));
                let _ = sender.send((topic.to_owned(), payload.to_owned()));
            }
        });
        Self { port, lines, broker, _subscriber: Ending(subscriber) }
    }

    /// The broker's process.
    pub fn process(&self) -> u32 {
        self.broker.0.id()
    }

    pub fn stop(&mut self) {
        self.broker.0.kill().unwrap();
        self.broker.0.wait().unwrap();
    }

    /// Another broker at the same port, which knows nothing of the one before.
    pub fn start_again(&mut self) {
        self.broker = mosquitto(self.port);
    }

    /// What has come on topics with that end.
    pub fn received(&self, end: &str) -> Vec<String> {
        self.lines.try_iter().filter(|(topic, _)| topic.ends_with(end)).map(|it| it.1).collect()
    }

    #[track_caller]
    pub fn next(&self, end: &str) -> String {
        loop {
            let next = self.lines.recv_timeout(Duration::from_secs(60));
            let (topic, payload) = next.unwrap_or_else(|_| panic!("no message on {end}"));
            if topic.ends_with(end) {
                return payload;
            }
        }
    }
}

/// What is answered at that path of a local port.
fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}

#[test]
fn a_watched_meter_goes_to_files_and_ports() {
    let folder = tempfile::tempdir().unwrap();
    let meter = Meter::quick(folder.path(), MODEL);
    let (json, lines, metrics) =
        (free_port(), folder.path().join("lines"), folder.path().join("ebp.prom"));
    let mut command = ebp();
    command.args(["read", "--watch", "--format", "json", "--publish-every", "1s", "--port"]);
    command.arg(&meter.link).arg("--influx").arg(&lines).arg("--prometheus").arg(&metrics);
    command.args(["--json-listen", &format!("127.0.0.1:{json}")]);
    let watching = Running::start(command);
    let shown = wait_for("a reading", || {
        let text: Value = serde_json::from_str(&get(json, "/")?).unwrap();
        text["meters"].get(0).cloned()
    });
    assert!(shown["import_kwh"].is_number() && shown["power_kw"].is_number(), "{shown}");
    let line = wait_for("two lines", || {
        let text = fs::read_to_string(&lines).ok()?;
        (text.lines().count() >= 2).then(|| text.lines().next().unwrap().to_owned())
    });
    assert!(line.starts_with("ebp,meter=") && line.contains(" import_kwh="), "{line}");
    let text = wait_for("metrics", || fs::read_to_string(&metrics).ok());
    assert!(text.contains("ebp_import_watthours_total{meter="), "{text}");
    // What is printed is printed nevertheless.
    assert!(!watching.stdout().is_empty());
    watching.signal(rustix::process::Signal::TERM);
    let run = watching.end();
    assert_eq!(run.code, Some(0), "{run:#?}");
    assert!(!metrics.exists(), "a meter that nobody reads has no series");
}

#[test]
fn lines_on_standard_output_are_alone_there() {
    let folder = tempfile::tempdir().unwrap();
    let meter = Meter::quick(folder.path(), MODEL);
    let mut command = ebp();
    command.args(["read", "--watch", "--influx", "-", "--publish-every", "1s", "--port"]);
    let watching = Running::start({
        command.arg(&meter.link);
        command
    });
    watching.wait_for_lines(2);
    let run = watching.kill();
    assert!(run.stdout.lines().all(|line| line.starts_with("ebp,meter=")), "{run:#?}");
}

#[test]
fn a_password_in_an_address_is_refused_and_not_repeated() {
    let mut command = ebp();
    command.args([
        "read",
        "/dev/null",
        "--watch",
        "--timeout",
        "1s",
        "--mqtt",
        "mqtt://erika:hunter2@localhost",
    ]);
    let run = crate::support::process::run(command, b"");
    assert_eq!(run.code, Some(2), "{run:#?}");
    assert!(run.stderr.contains("must not have a password"), "{run:#?}");
    assert!(!run.stderr.contains("hunter2"), "{run:#?}");
    let mut command = ebp();
    command.args(["read", "/dev/null", "--mqtt", "mqtt://localhost"]);
    assert_eq!(crate::support::process::run(command, b"").code, Some(2), "only with --watch");
}

#[needs(mosquitto)]
#[test]
fn a_watched_meter_goes_to_a_broker() {
    let folder = tempfile::tempdir().unwrap();
    let meter = Meter::quick(folder.path(), MODEL);
    let broker = Broker::start();
    let mut command = ebp();
    command.args(["read", "--watch", "--format", "json", "--publish-every", "1s", "--port"]);
    command.arg(&meter.link).args(["--mqtt", &format!("mqtt://localhost:{}", broker.port)]);
    let watching = Running::start(command);
    assert_eq!(broker.next("/availability"), "online");
    assert!(broker.next("/config").contains("total_increasing"));
    let state: Value = serde_json::from_str(&broker.next("/state")).unwrap();
    assert!(state["import_kwh"].is_number(), "{state}");
    watching.signal(rustix::process::Signal::INT);
    assert_eq!(watching.end().code, Some(0));
    assert_eq!(broker.next("/availability"), "offline");
}

/// Starts the measuring daemon of a household, which publishes to the broker each so many seconds.
pub fn start_daemon(household: &Household, broker: &Broker, seconds: u64) -> Running {
    let port = broker.port;
    let mqtt = format!("\n[mqtt]\nurl = \"mqtt://localhost:{port}\"\ninterval = \"{seconds}s\"\n");
    let text = fs::read_to_string(&household.config).unwrap();
    fs::write(&household.config, text + &mqtt).unwrap();
    let mut command = ebp();
    command.args(["read", "--every", "--config"]).arg(&household.config);
    Running::start(command)
}

/// The daemon measures once a day here; in between it reads for the broker.
#[needs(mosquitto)]
#[test]
fn the_daemon_publishes_between_its_measurements() {
    let server = Server::start();
    let broker = Broker::start();
    let household = Household::register(&server, "erika@example.org", &[MODEL], "24h");
    let _meter = Meter::quick(household.folder.path(), MODEL);
    household.account(&server).grant();
    let reading = start_daemon(&household, &broker, 1);
    let read_at = |state: &str| {
        let state: Value = serde_json::from_str(state).unwrap();
        assert!(!state.to_string().contains(&household.meters[0].to_string()));
        state["read_at"].as_str().unwrap().to_owned()
    };
    let first = read_at(&broker.next("/state"));
    let second = read_at(&broker.next("/state"));
    assert!(first < second, "{first} {second}");
    assert_eq!(household.spool().len().unwrap(), 1, "one measurement of the slot");
    reading.signal(rustix::process::Signal::TERM);
    assert_eq!(reading.end().code, Some(0));
    assert_eq!(broker.next("/availability"), "offline");
}

#[test]
fn a_file_of_a_password_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let meter = Meter::quick(folder.path(), MODEL);
    let password = folder.path().join("password");
    fs::write(&password, "hunter2").unwrap();
    fs::set_permissions(&password, fs::Permissions::from_mode(0o644)).unwrap();
    let mut command = ebp();
    command.args(["read", "--watch", "--mqtt", "mqtt://erika@localhost", "--port"]);
    command.arg(&meter.link).arg("--mqtt-password-file").arg(&password);
    let run = crate::support::process::run(command, b"");
    assert_eq!(run.code, Some(1), "{run:#?}");
    assert!(run.stderr.contains("password") && !run.stderr.contains("hunter2"), "{run:#?}");
}
