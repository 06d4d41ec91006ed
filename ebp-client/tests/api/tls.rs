//! Who is let in, and whom the client lets speak.

use std::{io::Write, net::TcpListener, sync::Arc, thread, time::Duration};

use ebp_client::{Client, ClientError, ClientOptions, TlsRefusal};
use ebp_core::clock::FixedClock;
use rustls::version::{TLS12, TLS13};

use crate::{
    authority::{Authority, REVOKED, Wish},
    server::{Server, Setting, answer},
};

const ACCOUNT: &[u8] = br#"{"name":"Erika Mustermann","email":"erika@example.org"}"#;

fn refusal(error: &ClientError) -> TlsRefusal {
    match error {
        ClientError::Tls { refusal, .. } => *refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn with_the_right_certificates_both_versions_speak() {
    let authority = Authority::new();
    let identity = authority.identity(&Wish::default(), &authority);
    for version in [&TLS12, &TLS13] {
        let setting = Setting { versions: &[version], ..Setting::new(&authority) };
        let server = Server::start(&setting, vec![answer("200 OK", "", ACCOUNT)]);
        let account = server.client(&identity).account().unwrap();
        assert_eq!(account.email, "erika@example.org");
        let request = server.requests.recv().unwrap();
        assert_eq!(request.line, "GET /account HTTP/1.1");
        let agent = concat!("ebp/", env!("CARGO_PKG_VERSION"));
        assert_eq!(request.header("user-agent").unwrap(), agent);
    }
}

#[test]
fn a_certificate_that_the_server_does_not_accept_is_told_from_an_outage() {
    let (authority, foreign) = (Authority::new(), Authority::new());
    let cases = [
        (&foreign, Wish::default(), TlsRefusal::OursRefused),
        (&authority, Wish { expired: true, ..Wish::default() }, TlsRefusal::OursExpired),
        (&authority, Wish { serial: REVOKED, ..Wish::default() }, TlsRefusal::OursRevoked),
    ];
    for (issuer, wish, expected) in cases {
        let identity = issuer.identity(&wish, &authority);
        for version in [&TLS12, &TLS13] {
            let setting = Setting { versions: &[version], ..Setting::new(&authority) };
            let server = Server::start(&setting, vec![answer("200 OK", "", ACCOUNT)]);
            let error = server.client(&identity).account().unwrap_err();
            assert_eq!(refusal(&error), expected, "{version:?}");
            assert!(error.not_authorized() && !error.is_temporary());
        }
    }
}

#[test]
fn a_server_that_we_do_not_trust_hears_nothing() {
    let (authority, foreign) = (Authority::new(), Authority::new());
    let identity = authority.identity(&Wish::default(), &authority);
    let cases = [
        (&foreign, Wish::default(), TlsRefusal::TheirsUntrusted),
        (&authority, Wish { expired: true, ..Wish::default() }, TlsRefusal::TheirsExpired),
        (&authority, Wish { name: "example.org", ..Wish::default() }, TlsRefusal::TheirsOtherName),
    ];
    for (issuer, wish, expected) in cases {
        let setting = Setting { wish, ..Setting::new(issuer) };
        let server = Server::start(&setting, vec![answer("200 OK", "", ACCOUNT)]);
        let error = server.client(&identity).account().unwrap_err();
        assert_eq!(refusal(&error), expected);
        assert!(!error.not_authorized() && !error.is_temporary());
        assert!(server.requests.recv().is_err(), "a request was sent");
    }
}

#[test]
fn certificates_are_valid_by_the_clock_that_is_given() {
    let authority = Authority::new();
    let identity = authority.identity(&Wish::default(), &authority);
    let server = Server::start(&Setting::new(&authority), vec![answer("200 OK", "", ACCOUNT)]);
    let clock = Arc::new(FixedClock("1970-01-01T00:10:00Z".parse().unwrap()));
    let options = ClientOptions { clock, ..ClientOptions::default() };
    let error = server.client_with(&identity, options).account().unwrap_err();
    assert_eq!(refusal(&error), TlsRefusal::TheirsNotYetValid);
    assert!(error.to_string().contains("clock"), "{error}");
}

#[test]
fn a_server_without_tls_and_no_server_at_all() {
    let authority = Authority::new();
    let identity = authority.identity(&Wish::default(), &authority);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let client = Client::new(&url, &identity, ClientOptions::default()).unwrap();
    let plain = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        thread::sleep(Duration::from_millis(200));
    });
    assert_eq!(refusal(&client.account().unwrap_err()), TlsRefusal::Protocol);
    plain.join().unwrap();

    let error = client.account().unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error:?}");
    assert!(error.is_temporary() && error.to_string().contains(&url), "{error}");
}
