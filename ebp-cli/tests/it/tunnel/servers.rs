//! Several servers on one PostgreSQL.

use std::time::Duration;

use ebp_needs::needs;

use super::party::{Administrator, Device, Echo, Passage};
use crate::{
    operate::shared::{another, database},
    support::{server::Server, wait_for},
};

const DATABASE: &str = "EBP_SERVER_DATABASE_URL";
const URL: &str = "EBP_SERVER_TUNNEL__URL";

/// Two servers, each of which the other one reaches.
fn pair() -> (Server, Server, tempfile::TempDir) {
    let database = database();
    let mut first = Server::start_in(&[(DATABASE, &database)]);
    let (folder, mut second) = another(&first, &database);
    for server in [&mut first, &mut second] {
        let url = server.url();
        server.set(URL, &url);
        server.end();
        server.go_on();
    }
    (first, second, folder)
}

/// An administrator at any server reaches a device at any other one, by one hop.
#[needs(postgresql)]
#[test]
fn a_session_is_forwarded_to_the_server_that_has_the_tunnel() {
    let (first, mut second, _folder) = pair();
    let echo = Echo::start();
    let passage = Passage::to(second.port());
    let device = Device::start(&first, &passage.url(), &echo.allow());
    let erika = Administrator::new(&first, "erika");
    let sent = vec![7; 1_000_000];
    for server in [&first, &second] {
        let run = erika.connect(&server.url(), device.uuid(), &[], &sent);
        assert!(run.stdout == sent, "{}", String::from_utf8_lossy(&run.stderr));
    }
    let run = erika.connect(&first.url(), device.uuid(), &["--service", "web"], b"x");
    let told = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(told.contains("no such device or service"), "{told}");
    let log = wait_for("both ends", || {
        let log = erika.list(&first.url(), "log");
        (log.len() == 2 && log.iter().all(|session| session["end"] == "closed")).then_some(log)
    });
    for session in log {
        assert_eq!(session["bytes_from_device"], sent.len(), "{session}");
    }

    // A server that lies dead behind its row: that is said, and the row is healed.
    second.kill();
    let run = erika.connect(&first.url(), device.uuid(), &[], b"x");
    let told = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(told.contains("not connected, last seen"), "{told}");

    // The device finds the other one.
    passage.turn_to(first.port());
    wait_for("another tunnel", || (device.held() == 2).then_some(()));
    let run = erika.connect(&first.url(), device.uuid(), &[], b"x");
    assert_eq!(run.stdout, b"x", "{}", String::from_utf8_lossy(&run.stderr));
}

/// A session is ended through a server that carries nothing of it, and at once.
#[needs(postgresql)]
#[test]
fn a_session_is_ended_through_another_server() {
    let (first, second, _folder) = pair();
    let echo = Echo::greeting(b"x");
    let device = Device::start(&first, &first.url(), &echo.allow());
    let (erika, max) = (Administrator::new(&first, "erika"), Administrator::new(&first, "max"));
    // The tunnel is at the first server; sessions come in at either.
    for url in [first.url(), second.url()] {
        let mut open = erika.open(&url, device.uuid());
        assert_eq!(open.read(1), b"x");
        let other = if url == first.url() { second.url() } else { first.url() };
        let log = max.list(&other, "log");
        let session = log.iter().find(|session| session["end"].is_null()).unwrap();
        let said = max.end(&other, session["uuid"].as_str().unwrap()).done();
        assert!(said.stdout.ends_with(" by max.\n"), "{said:?}");
        open.wait(Duration::from_secs(10));
    }
}

/// A server that is stopped sends its devices away first; a session that is open goes on meanwhile.
#[needs(postgresql)]
#[test]
fn a_server_that_stops_sends_its_devices_to_the_others() {
    let (first, mut second, _folder) = pair();
    let echo = Echo::greeting(b"x");
    let passage = Passage::to(second.port());
    let device = Device::start(&first, &passage.url(), &echo.allow());
    let erika = Administrator::new(&first, "erika");
    let mut open = erika.open(&first.url(), device.uuid());
    assert_eq!(open.read(1), b"x");
    passage.turn_to(first.port());
    let stopping = std::thread::spawn(move || second.end());
    wait_for("another tunnel", || (device.held() == 2).then_some(()));
    open.write(b"goes on");
    assert_eq!(open.read(7), b"goes on");
    let run = erika.connect(&first.url(), device.uuid(), &[], b"");
    assert_eq!(run.stdout, b"x", "{}", String::from_utf8_lossy(&run.stderr));
    open.input.take();
    open.wait(Duration::from_secs(10));
    assert_eq!(stopping.join().unwrap().code, Some(0));
}
