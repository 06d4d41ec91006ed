//! The log as JSON, of a whole story: what is told of each request, and that it is told of nobody.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::{Value, json};

use super::people::{Participant, anybody, as_group, registration};
use crate::support::{ebp, process, server::Server, wait_for};

#[test]
fn every_request_of_a_story_and_nobody_in_it() {
    // Everything that anything in the process has to say.
    let mut server = Server::start_in(&[("EBP_SERVER_LOG", "json"), ("EBP_LOG", "trace")]);
    server.set_secrets();
    let url = server.url();

    // Registration, enrolment, consent, uploads, reading, the wrong device, revocation.
    let erika = Participant::register(&server, "Erika Beispiel", "erika@example.org");
    let body = registration("Max Muster", "max@example.org");
    let made = as_group(&server, "researchers", "/management/household", Some(&body));
    assert_eq!(made.status(), 201);
    let max: Value = made.json().unwrap();
    let device = max["measurement_device"].as_str().unwrap().to_owned();
    let path = format!("/management/device/{device}/enrolment");
    let made = as_group(&server, "administrators", &path, Some(&json!({})));
    let token = made.json::<Value>().unwrap()["token"].as_str().unwrap().to_owned();
    for (folder, token, code) in [("wrong", "wrong-token", 5), ("right", token.as_str(), 0)] {
        let output = erika.folder.path().join(folder);
        let run = server.enroll(erika.file("token", token), output);
        assert_eq!(run.code, Some(code), "{run:?}");
    }
    let account = erika.account(&server);
    account.get("/account");
    account.grant();
    assert_eq!(erika.report(&server, 0..4).unwrap().0, 200);
    account.measurements(&erika.meter.to_string());
    for path in ["/management/household", "/management/device"] {
        as_group(&server, "administrators", path, None);
    }

    // What goes wrong: secrets, tokens, paths and bodies that name people, TLS.
    let wrong = "a-guess-at-the-secret";
    let get = |path: &str| anybody(&server).get(format!("{url}{path}"));
    let guess = get("/metrics").basic_auth("administrators", Some(wrong)).send().unwrap();
    assert_eq!(guess.status(), 401);
    let bearer = "eyJhbGciOiJFZERTQSJ9.eyJlbWFpbCI6ImVyaWthQGV4YW1wbGUub3JnIn0.AAAA";
    assert_eq!(get("/account").bearer_auth(bearer).send().unwrap().status(), 401);
    let lost = get("/erika@example.org/50.0826?email=erika@example.org").send().unwrap();
    assert_eq!(lost.status(), 404);
    let odd = reqwest::Method::from_bytes(b"ERIKA").unwrap();
    anybody(&server).request(odd, format!("{url}/account")).send().unwrap();
    let faulty = registration("Erika Beispiel", "no address of erika@example.org");
    let refused = as_group(&server, "researchers", "/management/household", Some(&faulty));
    assert!(refused.status().is_client_error());
    for bytes in
        [b"GET /erika@example.org HTTP/1.1\r\n\r\n".as_slice(), b"\x16\x03\x01\xff\xff\x01"]
    {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(bytes).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    }
    let answered = get("/healthz").send().unwrap();
    let id = answered.headers()["x-request-id"].to_str().unwrap().to_owned();
    account.revoke();
    assert_eq!(erika.report(&server, 4..5).unwrap().0, 410);

    wait_for("the last answer in the log", || {
        server.log_lines().iter().any(|line| line.contains("\"status\":410")).then_some(())
    });
    let mut lines = server.log_lines();
    let end = server.end().done();
    lines.extend(end.stderr.lines().map(str::to_owned));
    let told: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    for line in &told {
        for member in ["timestamp", "level", "target"] {
            assert!(line[member].is_string(), "{line}");
        }
    }
    let answers: Vec<_> = told.iter().filter(|line| line["message"] == "answered").collect();
    let mut identities = BTreeSet::new();
    for answer in &answers {
        assert!(answer["status"].is_u64() && answer["latency_ms"].is_f64(), "{answer}");
        assert!(answer["span"]["request_id"].is_string(), "{answer}");
        identities.insert(answer["identity"].as_str().unwrap());
    }
    let expected = ["administrators", "device", "none", "participant", "researchers"];
    assert_eq!(identities, expected.into());
    let named = answers.iter().find(|answer| answer["span"]["request_id"] == id.as_str()).unwrap();
    assert_eq!((&named["route"], &named["method"]), (&json!("/healthz"), &json!("GET")));
    let has = |route: &str, status: u16| {
        let found = answers.iter().any(|a| a["route"] == route && a["status"] == status);
        assert!(found, "no {route} {status}");
    };
    has("/household/meter/{uuid}/measurement", 200);
    has("/management/device/{uuid}/enrolment", 201);
    has("/device/enroll", 401);
    has("/household/meter/measurement", 410);
    has("-", 404);

    // The one line that may name an address is the one that says where the server listens.
    let text: String =
        lines.iter().filter(|line| !line.contains("serving https://")).cloned().collect();
    let (household, own_device) = (erika.household.to_string(), erika.device.to_string());
    let meter = erika.meter.to_string();
    for secret in [
        "erika",
        "Erika",
        "max@",
        "example.org",
        "Beispiel",
        "Muster",
        "65183",
        "Wiesbaden",
        "50.08",
        "8.2475",
        "12345.67",
        "127.0.0.1",
        "localhost",
        &household,
        &own_device,
        &meter,
        &device,
        max["household"].as_str().unwrap(),
        &token,
        wrong,
        "wrong-token",
        bearer,
        "the secret of the",
        &erika.device_certificate.serial,
        &erika.own.serial,
    ] {
        assert!(!text.contains(secret), "{secret} is in the log:\n{}", around(&lines, secret));
    }
}

fn around(lines: &[String], secret: &str) -> String {
    lines.iter().filter(|line| line.contains(secret)).take(3).cloned().collect()
}

#[test]
fn a_server_that_cannot_start_says_so_in_json() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = ebp();
    command.args(["serve", "--log-format", "json", "--data"]).arg(folder.path());
    let refused = process::run(command, b"").refused(1, &["found one with `ebp ca init`"]);
    let line: Value = serde_json::from_str(&refused.stderr).unwrap();
    assert_eq!(line["level"], "ERROR");
}

/// Not asked for JSON, people read text.
#[test]
fn text_is_the_default() {
    let server = Server::start();
    assert!(
        server.log_lines().iter().any(|line| line.starts_with("ebp: serving https://127.0.0.1:"))
    );
}
