//! What a server writes into its log, as the process that operators start: of whom it speaks, and what
//! a line of JSON looks like.

use serde_json::json;

use crate::{
    operate::people::as_group,
    support::{server::Server, wait_for},
    tunnel::party::{Administrator, Device, Echo},
};

/// Tunnels and sessions begin and end without a word on whose they are, at any level.
#[test]
fn tunnels_and_sessions_name_nobody() {
    let mut server = Server::start_in(&[("EBP_LOG", "ebp_server=trace,ebp_fleet=trace")]);
    let echo = Echo::start();
    let mut device = Device::start(&server, &server.url(), &echo.allow());
    let erika = Administrator::new(&server, "erika");
    assert_eq!(erika.connect(&server.url(), device.uuid(), &[], b"x").stdout, b"x");
    let log = erika.list(&server.url(), "log");
    device.kill();
    wait_for("the end of the tunnel in the log", || {
        server.log_lines().iter().any(|line| line.contains("a tunnel has ended")).then_some(())
    });
    assert_eq!(erika.connect(&server.url(), device.uuid(), &[], b"x").status.code(), Some(1));
    let lines = server.log_lines();
    server.end();
    let session = log[0]["uuid"].as_str().unwrap();
    for wanted in ["a tunnel begins", "a session begins", "a session has ended", session] {
        assert!(lines.iter().any(|line| line.contains(wanted)), "{wanted}: {lines:#?}");
    }
    let meter = device.participant.meter.to_string();
    for secret in [&device.uuid(), &meter, "erika", "Beispiel", "127.0.0.1:"] {
        let told = |line: &&String| line.contains(secret) && !line.contains("serving https://");
        assert_eq!(lines.iter().find(told), None, "{secret}");
    }
}

/// Parsers of JSON keep the last of two members of one name, or refuse the line.
#[test]
fn a_line_of_json_has_each_member_once() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("webhook.secret");
    crate::support::write_private(&secret, "a secret of some length\n");
    // A port at which nobody listens.
    let lines = format!(
        "log = \"json\"\n[alerts]\nlook = \"1s\"\nwebhook = \"https://127.0.0.1:1/\"\n\
         webhook_secret = {secret:?}\nallow = [\"127.0.0.0/8\"]\n"
    );
    let server = Server::configured(&lines);
    server.set_secrets();
    let asked = as_group(&server, "administrators", "/management/alert/test", Some(&json!({})));
    assert!(asked.status().is_success(), "{}", asked.text().unwrap());
    let line = wait_for("the message that is not sent", || {
        let failed = |line: &String| line.contains("a message about devices is not sent");
        server.log_lines().into_iter().find(failed)
    });
    let parsed: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(parsed["message"], "a message about devices is not sent", "{line}");
    for line in server.log_lines().iter().filter(|line| line.starts_with('{')) {
        let members: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(line).unwrap();
        for name in members.keys() {
            assert_eq!(line.matches(&format!("\"{name}\":")).count(), 1, "{name}: {line}");
        }
    }
}
