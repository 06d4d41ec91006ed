//! Who may connect to what, until when.

use std::time::{Duration, Instant};

use super::party::{Administrator, Device, Echo};
use crate::{
    operate::people::{Participant, as_group},
    support::{server::Server, wait_for},
};

/// Only services of the list, only persons with a certificate for it, only registered devices.
#[test]
fn what_is_not_allowed_is_not_reached() {
    let server = Server::start();
    let (echo, other) = (Echo::start(), Echo::start());
    let device = Device::start(&server, &server.url(), &echo.allow());
    let erika = Administrator::new(&server, "erika");
    let told = |run: &std::process::Output| String::from_utf8_lossy(&run.stderr).into_owned();
    let forbidden = other.allow();
    let forbidden = forbidden.split('"').nth(1).unwrap();
    for service in ["web", forbidden, "127.0.0.1:1", "::1"] {
        let run = erika.connect(&server.url(), device.uuid(), &["--service", service], b"x");
        assert_eq!((run.status.code(), run.stdout.len()), (Some(1), 0), "{service}");
        assert!(told(&run).contains("no such device or service"), "{service}: {}", told(&run));
    }
    let long = "a".repeat(10_000);
    let run = erika.connect(&server.url(), device.uuid(), &["--service", &long], b"x");
    assert_eq!(run.status.code(), Some(2), "{}", told(&run));
    let nobody = uuid::Uuid::from_u128(7).to_string();
    let run = erika.connect(&server.url(), nobody, &[], b"x");
    assert_eq!(run.status.code(), Some(1), "{}", told(&run));
    assert!(told(&run).contains("no such device or service"), "{}", told(&run));
    // One that is registered and was never seen.
    let drawer = Participant::register(&server, "Max Beispiel", "max@example.org");
    let run = erika.connect(&server.url(), drawer.device.to_string(), &[], b"x");
    assert!(told(&run).contains("it was never connected"), "{}", told(&run));
    assert_eq!(device.ask(r#"{"ask":"sessions","most":9}"#)["sessions"], serde_json::json!([]));

    // Participants, devices and groups have no business here.
    let own = crate::support::household::Api::new(&server, &device.participant.own);
    let path = format!("/management/tunnel/{}/connect", device.uuid());
    for path in ["/management/tunnel", "/management/tunnel/session", &path] {
        assert_eq!(own.try_get(path).unwrap().status(), 403, "{path}");
    }
    server.set_secrets();
    assert_eq!(as_group(&server, "administrators", "/management/tunnel", None).status(), 200);
    assert_eq!(as_group(&server, "researchers", "/management/tunnel", None).status(), 403);
    let internal = format!("/internal/tunnel/{}", device.uuid());
    assert_eq!(as_group(&server, "administrators", &internal, None).status(), 403);
    assert_eq!(own.try_get(&internal).unwrap().status(), 403);

    // A person's certificate is for nothing else.
    let chain = erika.certificate();
    let (key, serial) = (chain.with_extension("key"), erika.serial.clone());
    let of_person = crate::support::household::Certificate { serial, chain, key };
    let api = crate::support::household::Api::new(&server, &of_person);
    for path in ["/account", "/household", "/management/household", "/metrics", "/device/tunnel"] {
        assert_eq!(api.try_get(path).unwrap().status(), 403, "{path}");
    }
}

/// The household's switch counts on the device, for sessions that are open, too.
#[test]
fn the_household_switches_access_off_and_on() {
    let server = Server::start();
    let echo = Echo::greeting(b"x");
    let device = Device::start(&server, &server.url(), &echo.allow());
    let erika = Administrator::new(&server, "erika");
    let mut open = erika.open(&server.url(), device.uuid());
    assert_eq!(open.read(1), b"x");
    let off = device.ask(r#"{"ask":"set-access","until":"2020-01-01T00:00:00Z"}"#);
    assert_eq!(off["status"]["permitted"], false, "{off}");
    open.wait(Duration::from_secs(10));
    let run = erika.connect(&server.url(), device.uuid(), &[], b"x");
    let told = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!((run.status.code(), run.stdout.len()), (Some(5), 0), "{told}");
    assert!(told.contains("switched remote access off"), "{told}");
    let log = device.ask(r#"{"ask":"sessions","most":9}"#);
    assert_eq!(log["sessions"].as_array().unwrap().len(), 1, "{log}");
    assert_eq!(log["sessions"][0]["end"], "switched-off", "{log}");

    let on = device.ask(r#"{"ask":"set-access","until":"2099-01-01T00:00:00Z"}"#);
    assert_eq!(on["status"]["permitted"], true, "{on}");
    assert_eq!(erika.connect(&server.url(), device.uuid(), &[], b"").stdout, b"x");
}

/// Without a word of the household nobody is let in, if the configuration says so.
#[test]
fn until_switched_on_is_off_at_first() {
    let server = Server::start();
    let echo = Echo::start();
    let lines = format!("{}\naccess = \"until-switched-on\"", echo.allow());
    let device = Device::start(&server, &server.url(), &lines);
    let erika = Administrator::new(&server, "erika");
    let run = erika.connect(&server.url(), device.uuid(), &[], b"x");
    assert_eq!(run.status.code(), Some(5));
    device.ask(r#"{"ask":"set-access","until":"2099-01-01T00:00:00Z"}"#);
    assert_eq!(erika.connect(&server.url(), device.uuid(), &[], b"x").stdout, b"x");
}

/// A revoked person is out within a minute, and does not come in again.
#[test]
fn a_revoked_person_is_out_within_a_minute() {
    let server = Server::start();
    let echo = Echo::greeting(b"x");
    let device = Device::start(&server, &server.url(), &echo.allow());
    let (erika, max) = (Administrator::new(&server, "erika"), Administrator::new(&server, "max"));
    let mut open = erika.open(&server.url(), device.uuid());
    let mut other = max.open(&server.url(), device.uuid());
    assert_eq!((open.read(1), other.read(1)), (b"x".to_vec(), b"x".to_vec()));
    server.run(["ca", "revoke", &erika.serial], "").done();
    let revoked = Instant::now();
    let run = erika.connect(&server.url(), device.uuid(), &[], b"x");
    let told = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(5), "{told}");
    open.wait(Duration::from_secs(60).saturating_sub(revoked.elapsed()));
    // The other person's session goes on.
    other.write(b"still here");
    assert_eq!(other.read(10), b"still here");
    let log = wait_for("the end in the log", || {
        let log = max.list(&server.url(), "log");
        log.iter().any(|session| session["end"] == "revoked").then_some(log)
    });
    assert_eq!(log.len(), 2, "{log:?}");
}

/// An administrator ends another one's session, and who did is written down.
#[test]
fn an_administrator_ends_an_open_session() {
    let server = Server::start();
    let echo = Echo::greeting(b"x");
    let device = Device::start(&server, &server.url(), &echo.allow());
    let (erika, max) = (Administrator::new(&server, "erika"), Administrator::new(&server, "max"));
    let mut open = erika.open(&server.url(), device.uuid());
    let mut other = max.open(&server.url(), device.uuid());
    assert_eq!((open.read(1), other.read(1)), (b"x".to_vec(), b"x".to_vec()));
    let log = max.list(&server.url(), "log");
    let session = log.iter().find(|session| session["administrator"] == "erika").unwrap();
    let session = session["uuid"].as_str().unwrap().to_owned();
    let said = max.end(&server.url(), &session);
    assert!(
        said.stdout.starts_with("Ended at ") && said.stdout.ends_with(" by max.\n"),
        "{said:?}"
    );
    assert_eq!(open.wait(Duration::from_secs(10)), Some(1));
    let told = open.read_told();
    assert!(told.contains("the session was ended") && told.contains("ebp tunnel log"), "{told}");
    assert!(!told.contains("close_notify"), "{told}");
    other.write(b"still here");
    assert_eq!(other.read(10), b"still here");
    let log = max.list(&server.url(), "log");
    let ended = log.iter().find(|one| one["uuid"] == session.as_str()).unwrap();
    assert_eq!((&ended["end"], &ended["ended_by"]), (&"stopped".into(), &"max".into()), "{ended}");
    let again = max.end(&server.url(), &session);
    assert_eq!(again.code, Some(0), "what has ended stays as it is: {again:?}");
    let unknown = max.end(&server.url(), &uuid::Uuid::nil().to_string());
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    // The device's own log has it, too.
    wait_for("the end in the device's log", || {
        let log = device.ask(r#"{"ask":"sessions","most":9}"#);
        let sessions = log["sessions"].as_array().unwrap().clone();
        sessions
            .iter()
            .any(|one| one["session"] == session.as_str() && !one["end"].is_null())
            .then_some(())
    });
}

/// With consent the tunnel ends for good, and the record forgets which device it was.
#[test]
fn a_revoked_consent_ends_the_tunnel_for_good() {
    let server = Server::start();
    let echo = Echo::start();
    let mut device = Device::start(&server, &server.url(), &echo.allow());
    let erika = Administrator::new(&server, "erika");
    assert_eq!(erika.connect(&server.url(), device.uuid(), &[], b"x").stdout, b"x");
    let account = device.participant.account(&server);
    account.grant();
    account.revoke();
    let begun = Instant::now();
    while device.process().is_running() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the tunnel goes on");
        std::thread::sleep(Duration::from_millis(50));
    }
    let told = device.process().stderr().join("\n");
    assert!(told.contains("consent is revoked for good"), "{told}");
    assert!(!told.contains("another tunnel"), "no other process is to blame: {told}");
    assert_eq!(erika.list(&server.url(), "list"), Vec::<serde_json::Value>::new());
    let log = erika.list(&server.url(), "log");
    assert_eq!((log.len(), log[0]["device"].is_null()), (1, true), "{log:?}");
}
