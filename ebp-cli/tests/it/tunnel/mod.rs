//! `ebp tunnel` with real processes: a server, devices, administrators, a service that answers.

mod access;
mod loss;
mod metrics;
#[cfg(target_os = "linux")]
mod network;
pub mod party;
mod proxy;
mod servers;
mod ssh;

use serde_json::Value;

use crate::support::{server::Server, wait_for};
use party::{Administrator, Device, Echo};

/// A session joins standard input and output with the service, each direction to its own end, and
/// both logs have it.
#[test]
fn a_session_is_carried_both_ways_and_recorded() {
    let server = Server::start();
    let echo = Echo::start();
    let device = Device::start(&server, &server.url(), &echo.allow());
    let erika = Administrator::new(&server, "erika");
    let sent: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let run = erika.connect(&server.url(), device.uuid(), &[], &sent);
    // The service answers only after the end of what it was sent: half-close goes both ways.
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(run.stdout.len(), sent.len());
    assert!(run.stdout == sent, "what comes back is what was sent");

    let list: Vec<Value> = erika.list(&server.url(), "list");
    assert_eq!(list[0]["device"], device.uuid());
    assert_eq!((&list[0]["connected"], &list[0]["ipv6"]), (&true.into(), &false.into()));
    let log = wait_for("the end of the session in the server's log", || {
        let log = erika.list(&server.url(), "log");
        (log.len() == 1 && !log[0]["ended_at"].is_null()).then_some(log)
    });
    assert_eq!((&log[0]["administrator"], &log[0]["service"]), (&"erika".into(), &"ssh".into()));
    assert_eq!((&log[0]["device"], &log[0]["end"]), (&device.uuid().into(), &"closed".into()));
    let bytes = (&log[0]["bytes_to_device"], &log[0]["bytes_from_device"]);
    assert_eq!(bytes, (&sent.len().into(), &sent.len().into()));

    let own = device.ask(r#"{"ask":"sessions","most":10}"#);
    let own = &own["sessions"][0];
    assert_eq!((&own["session"], &own["administrator"]), (&log[0]["uuid"], &"erika".into()));
    assert_eq!((&own["bytes_in"], &own["end"]), (&sent.len().into(), &"closed".into()));
    let status = device.ask(r#"{"ask":"status"}"#);
    assert!(!status["status"]["connected_since"].is_null(), "{status}");
    assert_eq!(status["status"]["services"], serde_json::json!(["ssh"]));
}

/// A service that speaks first is heard before anything was sent.
#[test]
fn a_greeting_arrives_before_anything_is_sent() {
    let server = Server::start();
    let echo = Echo::greeting(b"hello from the device\n");
    let device = Device::start(&server, &server.url(), &echo.allow());
    let erika = Administrator::new(&server, "erika");
    let mut session = erika.open(&server.url(), device.uuid());
    assert_eq!(session.read(22), b"hello from the device\n");
    let status = device.ask(r#"{"ask":"status"}"#);
    assert_eq!(status["status"]["connected"][0]["administrator"], "erika", "{status}");
}

/// `ebp demo --tunnel` prints a line that works as it stands there.
#[test]
fn the_demo_shows_a_service_behind_a_tunnel() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = crate::support::ebp();
    demo.current_dir(folder.path()).args(["demo", "--tunnel", "--past", "0d", "--cycle", "1s"]);
    let mut demo = crate::support::process::Running::start(demo);
    let line = demo.wait_for("| ebp tunnel connect").trim().to_owned();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_ebp")).parent().unwrap();
    // The tunnel may need a moment: until then it is said that the device is not connected.
    wait_for("the service's answer", || {
        let mut shell = std::process::Command::new("sh");
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        shell.current_dir(folder.path()).env("PATH", path).args(["-c", &line]);
        let run = crate::support::process::run(crate::support::clean(shell), b"");
        (run.stdout == "hello\n").then_some(())
    });
    demo.signal(rustix::process::Signal::INT);
    demo.end().done();
}
