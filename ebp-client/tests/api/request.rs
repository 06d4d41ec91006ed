//! What goes over the line, and what comes back.

use std::{io::Read, sync::Arc, time::Duration};

use ebp_client::{Client, ClientError, ClientOptions, PageRequest, identity::Identity};
use ebp_core::{
    clock::FixedClock,
    contract::{UploadOutcome, UploadRequest, problem_type},
    model::{ConsentState, DataPoint, Measurement},
    obis::ObisCode,
    trace::TraceContext,
};
use uuid::Uuid;

use crate::{
    authority::{Authority, Wish},
    server::{Request, Server, Setting, answer},
};

fn started(answers: Vec<Vec<u8>>) -> (Server, Identity) {
    let authority = Authority::new();
    let identity = authority.identity(&Wish::default(), &authority);
    (Server::start(&Setting::new(&authority), answers), identity)
}

/// What `ask` gives, and the request that it made.
fn exchange<T>(answer: Vec<u8>, ask: impl FnOnce(&Client) -> T) -> (T, Request) {
    let (server, identity) = started(vec![answer]);
    let result = ask(&server.client(&identity));
    (result, server.requests.recv().unwrap())
}

fn problem(status: &str, headers: &str, kind: &str) -> Vec<u8> {
    let code = &status[..3];
    let body = format!(r#"{{"type":"{kind}","status":{code},"title":"so it is"}}"#);
    let headers = format!("content-type: application/problem+json\r\n{headers}");
    answer(status, &headers, body.as_bytes())
}

#[test]
fn an_upload_is_packed_and_keeps_every_digit() {
    let measurement = Measurement {
        uuid: Uuid::from_u128(1),
        meter: Uuid::from_u128(2),
        measured_at: "2026-01-31T12:00:00.25Z".parse().unwrap(),
        data: vec![DataPoint { obis: ObisCode::SUM_POWER, value: "0.0150".parse().unwrap() }],
        flags: Vec::new(),
    };
    let upload = UploadRequest { measurements: vec![measurement] };
    let items =
        r#"{"items":[{"uuid":"00000000-0000-0000-0000-000000000001","outcome":"accepted"}]}"#;
    let (response, request) =
        exchange(answer("200 OK", "", items.as_bytes()), |client| client.upload(&upload));
    assert_eq!(response.unwrap().items[0].outcome, UploadOutcome::Accepted);
    assert_eq!(request.line, "POST /household/meter/measurement HTTP/1.1");
    assert_eq!(request.header("content-encoding"), Some("gzip"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*request.body).read_to_string(&mut text).unwrap();
    assert!(text.contains(r#""data":[{"0100100700ff":0.0150}]"#), "{text}");
    assert_eq!(serde_json::from_str::<UploadRequest>(&text).unwrap(), upload);
}

#[test]
fn consent_is_read_granted_and_revoked() {
    let granted = br#"{"state":"granted","granted_at":"2026-01-31T12:00:00Z","revoked_at":null}"#;
    let ok = || answer("200 OK", "", granted);
    let (consent, request) = exchange(ok(), Client::consent);
    assert_eq!(consent.unwrap().state, ConsentState::Granted);
    assert_eq!(request.line, "GET /household/consent HTTP/1.1");
    let (_, request) = exchange(ok(), Client::grant_consent);
    assert_eq!(request.line, "POST /household/consent HTTP/1.1");
    let (_, request) = exchange(ok(), Client::revoke_consent);
    assert_eq!(request.line, "DELETE /household/consent HTTP/1.1");
}

#[test]
fn problems_are_told_with_their_type() {
    let revoked = problem("410 Gone", "", problem_type::CONSENT_REVOKED);
    let error = exchange(revoked, Client::consent).0.unwrap_err();
    assert!(error.consent_revoked() && !error.is_temporary());
    assert!(error.to_string().ends_with("answers 410: so it is"), "{error}");
    let unknown = problem("401 Unauthorized", "", problem_type::UNAUTHENTICATED);
    assert!(exchange(unknown, Client::meters).0.unwrap_err().not_authorized());
    let early = problem("409 Conflict", "", problem_type::CONSENT_NOT_GRANTED);
    assert!(exchange(early, Client::household).0.unwrap_err().consent_not_granted());
    let elsewhere = answer("302 Found", "location: https://elsewhere.example/\r\n", b"");
    let error = exchange(elsewhere, Client::pv_systems).0.unwrap_err();
    assert!(matches!(error, ClientError::Problem { status: 302, .. }), "{error:?}");
}

#[test]
fn a_server_says_when_to_come_back() {
    let wait = |status: &str, retry_after: &str| {
        let headers = format!("retry-after: {retry_after}\r\n");
        let answers = vec![problem(status, &headers, problem_type::INTERNAL)];
        let authority = Authority::new();
        let identity = authority.identity(&Wish::default(), &authority);
        let server = Server::start(&Setting::new(&authority), answers);
        let clock = Arc::new(FixedClock("2026-10-21T07:28:00Z".parse().unwrap()));
        let options = ClientOptions { clock, ..ClientOptions::default() };
        let error = server.client_with(&identity, options).meters().unwrap_err();
        error.retry_after().map(|wait| wait.as_secs())
    };
    assert_eq!(wait("503 Service Unavailable", "120"), Some(120));
    assert_eq!(wait("429 Too Many Requests", "Wed, 21 Oct 2026 07:29:30 GMT"), Some(90));
    assert_eq!(wait("429 Too Many Requests", "Wed, 21 Oct 2020 07:28:00 GMT"), Some(0));
    for status in [
        "408 Request Timeout",
        "425 Too Early",
        "429 Too Many Requests",
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway Timeout",
    ] {
        assert_eq!(wait(status, "120"), Some(120), "{status}");
        assert_eq!(wait(status, "1000000000000"), Some(24 * 3600), "{status}");
    }
    assert_eq!(wait("502 Bad Gateway", &"9".repeat(40)), Some(24 * 3600));
    for (status, text) in [("503 Service Unavailable", "soon"), ("404 Not Found", "120")] {
        assert_eq!(wait(status, text), None, "{status} {text}");
    }
}

#[test]
fn answers_that_are_none() {
    for body in ["", "{", "<html>", "{}", r#"{"name":1,"email":"secret@example.org"}"#] {
        let answer = answer("200 OK", "", body.as_bytes());
        let error = exchange(answer, Client::account).0.unwrap_err();
        assert!(matches!(error, ClientError::Garbled { .. }), "{error:?}");
        assert!(error.is_temporary() && !error.to_string().contains("secret"), "{error}");
    }
    let half =
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{\"name\":".to_vec();
    let error = exchange(half, Client::account).0.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error:?}");
    let error = exchange(b"nonsense\r\n\r\n".to_vec(), Client::account).0.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error:?}");
}

#[test]
fn a_server_that_hangs_is_left_after_the_time() {
    let (server, identity) = started(vec![Vec::new()]);
    let options = ClientOptions { timeout: Duration::from_millis(300), ..ClientOptions::default() };
    let error = server.client_with(&identity, options).account().unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().ends_with("no answer in time"), "{error}");
}

#[test]
fn a_packed_answer_is_unpacked() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, b"[]").unwrap();
    let packed = encoder.finish().unwrap();
    let (meters, request) =
        exchange(answer("200 OK", "content-encoding: gzip\r\n", &packed), Client::meters);
    assert_eq!(meters.unwrap(), []);
    assert!(request.header("accept-encoding").unwrap().contains("gzip"));
}

fn page(numbers: &[u128], next: Option<&str>) -> Vec<u8> {
    let items: Vec<String> = numbers
        .iter()
        .map(|number| {
            format!(
                r#"{{"uuid":"{}","measured_at":"2026-01-31T12:00:00Z",
                "received_at":"2026-01-31T13:00:00Z","data":[]}}"#,
                Uuid::from_u128(*number)
            )
        })
        .collect();
    let next = next.map_or("null".into(), |next| format!("\"{next}\""));
    let body = format!(r#"{{"items":[{}],"next":{next}}}"#, items.join(","));
    answer("200 OK", "", body.as_bytes())
}

#[test]
fn measurements_come_page_by_page() {
    let (server, identity) =
        started(vec![page(&[1, 2], Some("a b&c")), page(&[], Some("d")), page(&[3], None)]);
    let client = server.client(&identity);
    let from = "2026-01-31T00:00:00Z".parse().unwrap();
    let measurements = client.measurements(Uuid::nil(), Some(from), None);
    let numbers: Vec<u128> = measurements.map(|m| m.unwrap().uuid.as_u128()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let lines: Vec<String> = server.requests.iter().map(|request| request.line).collect();
    let path = format!("GET /household/meter/{}/measurement", Uuid::nil());
    assert_eq!(
        lines,
        [
            format!("{path}?from=2026-01-31T00%3A00%3A00Z HTTP/1.1"),
            format!("{path}?from=2026-01-31T00%3A00%3A00Z&cursor=a+b%26c HTTP/1.1"),
            format!("{path}?from=2026-01-31T00%3A00%3A00Z&cursor=d HTTP/1.1"),
        ]
    );
}

#[test]
fn pages_end_at_an_error_and_at_a_page_that_repeats() {
    let answers = vec![page(&[1], Some("a")), page(&[2], Some("a")), page(&[3], None)];
    let (server, identity) = started(answers);
    let client = server.client(&identity);
    let mut measurements = client.measurements(Uuid::nil(), None, None);
    assert!(measurements.next().unwrap().is_ok());
    let error = measurements.next().unwrap().unwrap_err();
    assert!(matches!(error, ClientError::Garbled { .. }), "{error:?}");
    assert!(measurements.next().is_none());
    let limited = PageRequest { limit: Some(10), ..PageRequest::default() };
    let page = client.measurements_page(Uuid::nil(), &limited).unwrap();
    assert_eq!(page.items.len(), 1);
    let last = server.requests.iter().last().unwrap();
    assert!(last.line.contains("?limit=10 "), "{}", last.line);
}

#[test]
fn an_address_that_is_none_is_refused() {
    let authority = Authority::new();
    let identity = authority.identity(&Wish::default(), &authority);
    let bad = [
        "",
        "localhost",
        "http://localhost",
        "https://",
        "https://a:b@host",
        "https://h/?q=1",
        "https://host/#x",
        "file:///etc",
    ];
    for url in bad {
        let client = Client::new(url, &identity, ClientOptions::default());
        assert!(matches!(client.err(), Some(ClientError::InvalidUrl { .. })), "{url}");
    }
    let client = Client::new("https://host:1/ebp/", &identity, ClientOptions::default()).unwrap();
    assert_eq!(client.server(), "https://host:1/ebp");
}

#[test]
fn each_request_has_an_identifier_and_keeps_the_one_of_a_page() {
    let granted = br#"{"state":"granted","granted_at":null,"revoked_at":null}"#;
    let ok = || answer("200 OK", "", granted);
    let sent = |request: &Request| -> TraceContext {
        request.header("traceparent").unwrap().parse().unwrap()
    };
    let own: Vec<_> = (0..2).map(|_| sent(&exchange(ok(), Client::consent).1).id()).collect();
    assert_ne!(own[0], own[1]);
    let page = TraceContext::begin();
    let (_, request) = exchange(ok(), |client| client.clone().within(page).consent());
    assert!(sent(&request).id() == page.id() && sent(&request) != page);

    // An administrator finds what the server failed at; what the client can mend has no number.
    let failed = problem("500 Internal Server Error", "", problem_type::INTERNAL);
    let (error, request) = exchange(failed, Client::consent);
    assert_eq!(error.unwrap_err().failed_request(), Some(sent(&request).id()));
    let refused = problem("403 Forbidden", "", problem_type::SCOPE);
    assert_eq!(exchange(refused, Client::consent).0.unwrap_err().failed_request(), None);
}
