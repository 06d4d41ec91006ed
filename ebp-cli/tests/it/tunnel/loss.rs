//! What is lost comes back: a router's memory, a process, a server.

use std::{
    fs,
    net::SocketAddr,
    time::{Duration, Instant},
};

use ebp_needs::needs;

use super::party::{Administrator, Device, Echo, Passage, wait_for_tunnel};
use crate::{
    operate::people::as_group,
    support::{household, server::Server, wait_for},
};

/// A router that forgets the connection: both ends notice by bytes that do not come, and the device is
/// back within its heartbeat and twelve seconds.
#[test]
fn a_router_that_forgets_is_noticed() {
    let server = Server::start();
    let echo = Echo::start();
    let passage = Passage::to(server.port());
    let device = Device::start(&server, &passage.url(), &echo.allow());
    let erika = Administrator::new(&server, "erika");
    for _ in 0..2 {
        let held = device.held();
        passage.forget();
        let forgotten = Instant::now();
        // Nobody waits for long: the device does not answer, and that is said.
        let asked = Instant::now();
        let run = erika.connect(&server.url(), device.uuid(), &[], b"x");
        assert!(asked.elapsed() < Duration::from_secs(8), "{:?}", asked.elapsed());
        assert_eq!(run.status.code(), Some(1));
        while device.held() == held {
            assert!(forgotten.elapsed() < Duration::from_secs(22), "it does not come back");
            std::thread::sleep(Duration::from_millis(20));
        }
        eprintln!("back after {:?}", forgotten.elapsed());
        // In HTTP/2 by now, so that the second round is another one.
        let run = erika.connect(&server.url(), device.uuid(), &[], b"x");
        assert_eq!(run.stdout, b"x", "{}", String::from_utf8_lossy(&run.stderr));
    }
}

/// The server's process is killed in a session: the device is back when it is.
#[test]
fn a_killed_server_finds_its_devices_again() {
    let mut server = Server::start();
    let echo = Echo::greeting(b"x");
    let device = Device::start(&server, &server.url(), &echo.allow());
    let erika = Administrator::new(&server, "erika");
    let mut open = erika.open(&server.url(), device.uuid());
    assert_eq!(open.read(1), b"x");
    server.kill();
    open.wait(Duration::from_secs(10));
    wait_for("the device's log of the broken session", || {
        let log = device.ask(r#"{"ask":"sessions","most":9}"#);
        (log["sessions"][0]["end"] == "broken").then_some(())
    });
    server.go_on();
    wait_for("another tunnel", || (device.held() == 2).then_some(()));
    assert_eq!(erika.connect(&server.url(), device.uuid(), &[], b"").stdout, b"x");
}

/// The device's process is killed in a session: the session ends, and the device's log says so at the
/// next start.
#[test]
fn a_killed_device_has_the_session_in_its_log() {
    let server = Server::start();
    let echo = Echo::greeting(b"x");
    let mut device = Device::start(&server, &server.url(), &echo.allow());
    let erika = Administrator::new(&server, "erika");
    let mut open = erika.open(&server.url(), device.uuid());
    assert_eq!(open.read(1), b"x");
    device.kill();
    open.wait(Duration::from_secs(10));
    let run = erika.connect(&server.url(), device.uuid(), &[], b"x");
    let told = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.code() == Some(1) && told.contains("not connected, last seen"), "{told}");
    device.go_on();
    device.process().wait_for("the tunnel is held");
    let log = device.ask(r#"{"ask":"sessions","most":9}"#);
    assert_eq!(log["sessions"][0]["administrator"], "erika", "{log}");
    assert_eq!(log["sessions"][0]["end"], "interrupted", "{log}");
    wait_for_tunnel(&erika, &server.url());
    let log = erika.list(&server.url(), "log");
    assert_eq!(log[0]["end"], "broken", "{log:?}");
}

/// Two processes with one certificate: it is said, and one of them keeps the tunnel.
#[test]
fn a_copied_certificate_is_found_within_two_minutes() {
    let server = Server::configured("[alerts]\nlook = \"1s\"\n");
    server.set_secrets();
    let echo = Echo::start();
    let device = Device::start(&server, &server.url(), &echo.allow());
    device.participant.account(&server).grant();
    let begun = Instant::now();
    let lines = echo.allow();
    let copy = Device::with_copy(device.participant.clone(), &server.ca(), &server.url(), &lines);
    let said = |line: &String| line.contains("two processes use a device's certificate");
    loop {
        if let Some(line) = server.log_lines().into_iter().find(said) {
            assert!(line.contains("holder") && line.contains("other"), "{line}");
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "nobody says it");
        std::thread::sleep(Duration::from_millis(100));
    }
    // Administrators are told of it, with both runs of the program.
    let item = loop {
        let all = as_group(&server, "administrators", "/management/alert", None);
        let all: serde_json::Value = all.json().unwrap();
        let items = all["items"].as_array().unwrap().iter().flat_map(|it| it["items"].as_array());
        let found = items.flatten().find(|item| item["kind"] == "copied-certificate").cloned();
        if let Some(item) = found {
            break item;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "nobody is told: {all}");
        std::thread::sleep(Duration::from_millis(100));
    };
    let line = server.log_lines().into_iter().rfind(said).unwrap();
    let instances = item["instances"].as_array().unwrap();
    assert_eq!((&item["device"], instances.len()), (&device.uuid().into(), 2), "{item}");
    for instance in instances {
        assert!(line.contains(instance.as_str().unwrap()), "{item}: {line}");
    }
    assert!(!line.contains(&device.uuid()), "the alert names the device, not the log: {line}");
    let erika = Administrator::new(&server, "erika");
    let list = erika.list(&server.url(), "list");
    assert!(list[0]["connected"] == true && !list[0]["conflict_at"].is_null(), "{list:?}");
    drop(copy);
}

/// The certificate is renewed while a session is open: the tunnel is built anew with the next one, the
/// session goes on in the old one, and later the certificate of before can be revoked.
#[test]
fn a_renewed_certificate_makes_another_tunnel_and_ends_no_session() {
    let server = Server::start();
    let echo = Echo::greeting(b"x");
    let device = Device::start(&server, &server.url(), &echo.allow());
    let erika = Administrator::new(&server, "erika");
    let mut open = erika.open(&server.url(), device.uuid());
    assert_eq!(open.read(1), b"x");
    let (old, folder) = (&device.participant.device_certificate, tempfile::tempdir().unwrap());
    let more = ["--device", &device.uuid()];
    let next = household::issue_on(&server, folder.path(), "erika@example.org", &more);
    // The certificate last: it is what the device looks at.
    for (from, to) in [(&next.key, &old.key), (&next.chain, &old.chain)] {
        let beside = to.with_extension("new");
        fs::copy(from, &beside).unwrap();
        fs::rename(&beside, to).unwrap();
    }
    wait_for("another tunnel", || (device.held() == 2).then_some(()));
    open.write(b"goes on");
    assert_eq!(open.read(7), b"goes on");
    assert_eq!(erika.connect(&server.url(), device.uuid(), &[], b"").stdout, b"x");
    open.input.take();
    open.wait(Duration::from_secs(10));
    server.run(["ca", "revoke", &old.serial], "").done();
    // What does not count any more is looked for twice a minute.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(35) {
        assert_eq!(device.held(), 2, "the tunnel of the next certificate stays");
        std::thread::sleep(Duration::from_millis(500));
    }
    assert_eq!(erika.connect(&server.url(), device.uuid(), &[], b"").stdout, b"x");
}

/// The server's name gets another address while the old one lies dead: the device asks for it anew.
#[needs(mount)]
#[test]
fn a_name_that_moves_is_followed() {
    let server = Server::start();
    let echo = Echo::start();
    let (first, second) = {
        let first = Passage::at(SocketAddr::from(([127, 0, 0, 2], 0)), server.port());
        let port = first.url().rsplit(':').next().unwrap().parse().unwrap();
        (first, Passage::at(SocketAddr::from(([127, 0, 0, 3], port)), server.port()))
    };
    let folder = tempfile::tempdir().unwrap();
    let hosts = folder.path().join("hosts");
    fs::write(&hosts, "127.0.0.2 localhost\n").unwrap();
    let mut device = Device::start(&server, &server.url(), &echo.allow());
    device.kill();
    device.set_url(&server.url(), &first.url());
    device.go_on_with_names(&hosts);
    device.process().wait_for("the tunnel is held");
    let erika = Administrator::new(&server, "erika");
    wait_for_tunnel(&erika, &server.url());
    assert_eq!((first.passed(), second.passed()), (1, 0));

    fs::write(&hosts, "127.0.0.3 localhost\n").unwrap();
    first.forget();
    let moved = Instant::now();
    while device.held() < 2 {
        assert!(moved.elapsed() < Duration::from_secs(22), "it does not come back");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!((first.passed(), second.passed()), (1, 1));
    let run = erika.connect(&server.url(), device.uuid(), &[], b"x");
    assert_eq!(run.stdout, b"x", "{}", String::from_utf8_lossy(&run.stderr));
}
