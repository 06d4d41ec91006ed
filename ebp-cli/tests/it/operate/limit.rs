//! What one client may take up of a server.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use ebp_client::{Client, ClientOptions, identity::Identity};
use serde_json::Value;

use super::people::{Participant, anybody, as_group};
use crate::support::{LIMIT, server::Server, wait_for};

#[test]
fn whoever_asks_too_often_is_told_when_to_come_back() {
    let server = Server::start_in(&[
        ("EBP_SERVER_LIMITS__REQUESTS_PER_SECOND", "1"),
        ("EBP_SERVER_LIMITS__REQUESTS_BURST", "3"),
    ]);
    server.set_secrets();
    let erika = Participant::register(&server, "Erika Beispiel", "erika@example.org");
    let http = anybody(&server);
    let ask = |path: &str| http.get(format!("{}{path}", server.url())).send().unwrap();
    // Paths that there are not count as well.
    let refused = wait_for("a refusal", || {
        let answer = ask("/nowhere");
        (answer.status() == 429).then_some(answer)
    });
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=3).contains(&wait), "{wait}");
    let problem: Value = refused.json().unwrap();
    assert_eq!(problem["type"], "urn:ebp:problem:too-many-requests", "{problem}");
    // Those at the same address who prove who they are do not pay for it.
    assert_eq!(as_group(&server, "administrators", "/metrics", None).status(), 200);
    erika.account(&server).grant();
    // A device is told as well, and its client understands.
    let certificate = &erika.device_certificate;
    let identity = Identity::load(&certificate.chain, &certificate.key, &server.ca()).unwrap();
    let client = Client::new(&server.url(), &identity, ClientOptions::default()).unwrap();
    let error = wait_for("a refusal", || client.consent().err());
    assert!(error.is_temporary(), "{error}");
    let wait = error.retry_after().unwrap();
    std::thread::sleep(wait);
    client.consent().unwrap();
}

#[test]
fn one_address_does_not_take_all_connections() {
    let server = Server::start_in(&[
        ("EBP_SERVER_LIMITS__CONNECTIONS_PER_ADDRESS", "3"),
        ("EBP_SERVER_LIMITS__HANDSHAKE_SECONDS", "60"),
    ]);
    let connect = || {
        let stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream
    };
    let held: Vec<_> = (0..3).map(|_| connect()).collect();
    let begun = Instant::now();
    // Closed, long before a handshake would be given up.
    assert_eq!(connect().read(&mut [0; 16]).unwrap_or(0), 0);
    assert!(begun.elapsed() < Duration::from_secs(30));
    drop(held);
    wait_for("a place", || anybody(&server).get(format!("{}/healthz", server.url())).send().ok());
}

#[test]
fn slow_clients_are_given_up() {
    let server = Server::start_in(&[
        ("EBP_SERVER_LIMITS__HANDSHAKE_SECONDS", "1"),
        ("EBP_SERVER_LIMITS__HEADERS_SECONDS", "1"),
    ]);
    // Half a record of TLS, a byte at a time.
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    wait_for("the server to hang up", || {
        let _ = stream.write_all(b"\x16");
        match stream.read(&mut [0; 64]) {
            Ok(0) => Some(()),
            Ok(_) => None,
            Err(error) => (error.kind() != std::io::ErrorKind::WouldBlock).then_some(()),
        }
    });
    let answer = anybody(&server).get(format!("{}/healthz", server.url())).send().unwrap();
    assert_eq!(answer.status(), 200);
}

/// A household's measurements are bounded by the survey's slots, which have just begun.
#[test]
fn one_device_does_not_fill_the_database() {
    let server = Server::start_in(&[("EBP_SERVER_LIMITS__SLOTS_PERCENT", "110")]);
    let erika = Participant::register(&server, "Erika Beispiel", "erika@example.org");
    erika.account(&server).grant();
    let http = erika.device(&server);
    let (mut stored, mut statuses) = (0, Vec::new());
    for report in 0..10_u128 {
        let numbers = report * 2_000..(report + 1) * 2_000;
        let (status, answer) = erika.report_by(&http, &server, numbers).unwrap();
        let items = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        stored += items.iter().filter(|item| item["outcome"] == "accepted").count();
        statuses.push((status, answer["type"].as_str().map(str::to_owned)));
    }
    // Those of the first report; of a slot that ended meanwhile one more.
    assert!((4..=5).contains(&stored), "{stored}");
    assert_eq!(statuses[0], (200, None));
    assert_eq!(statuses[9], (429, Some("urn:ebp:problem:quota".to_owned())));
    // Confirmed again, though there is no room.
    let (status, answer) = erika.report_by(&http, &server, 0..1).unwrap();
    assert_eq!((status, &answer["items"][0]["outcome"]), (200, &"duplicate".into()));
}
