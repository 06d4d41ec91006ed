//! The server itself: unknown paths, bad clients, a good end.

use std::{sync::Arc, time::Duration};

use ebp_core::{
    clock::SystemClock,
    contract::{paths, problem_type},
};
use ebp_server::{Limits, ServeError, Settings, serve};
use ebp_survey::{OpenError, authority::AuthorityError};
use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::harness::Server;

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn unknown_paths_and_methods() {
    let server = Server::start().await;
    let (_, api) = server.household("erika@example.org").await;
    for path in ["/households", "/household/", "/household/meter/x", "/%ff"] {
        api.get(path).problem(404, problem_type::NOT_FOUND).await;
        server.api(None).get(path).problem(404, problem_type::NOT_FOUND).await;
    }
    for path in [paths::ACCOUNT, paths::CONSENT, paths::HEALTHZ] {
        let call = api.request(Method::PATCH, path);
        call.problem(405, problem_type::METHOD_NOT_ALLOWED).await;
    }
}

#[tokio::test]
async fn what_is_no_tls_is_closed() {
    let server = Server::start().await;
    for bytes in [b"GET / HTTP/1.1\r\n\r\n".as_slice(), &[0; 512], b"\x16\x03\x01\xff\xff\x01"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // An alert or a reset, but not silence.
        let _ = timeout(SOON, stream.read_to_end(&mut answer)).await.unwrap();
        assert!(answer.len() < 64);
    }
    server.api(None).get(paths::HEALTHZ).ok().await;
}

#[tokio::test]
async fn clients_that_dawdle_make_way() {
    let short = Duration::from_secs(1);
    let limits = Limits {
        connections: 2,
        handshake: short,
        headers: short,
        body: short,
        ..Limits::default()
    };
    let server = Server::with_limits(limits).await;
    let (_, api) = server.consenting("erika@example.org").await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let mut other = TcpStream::connect(server.address).await.unwrap();
    // Both places are taken until they are told to go.
    timeout(SOON, server.api(None).get(paths::HEALTHZ).ok()).await.unwrap();
    assert_eq!(timeout(SOON, silent.read(&mut [0; 64])).await.unwrap().unwrap_or(0), 0);
    assert_eq!(timeout(SOON, other.read(&mut [0; 64])).await.unwrap().unwrap_or(0), 0);

    // A body that is promised and never comes.
    let mut raw = server.raw(&api).await;
    let head =
        "POST /household/meter/measurement HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{";
    raw.write_all(head.as_bytes()).await.unwrap();
    let answer = timeout(SOON, read_all(&mut raw)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");

    // Headers that never end.
    let mut raw = server.raw(&api).await;
    raw.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    timeout(SOON, read_all(&mut raw)).await.unwrap();
    api.get(paths::HOUSEHOLD).ok().await;
}

async fn read_all(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut answer = Vec::new();
    // A connection that is cut has no farewell; what came before it counts.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn it_ends_when_told_and_starts_again_as_it_was() {
    let server = Server::start().await;
    let (registered, api) = server.consenting("erika@example.org").await;
    let consent = api.get(paths::CONSENT).ok().await;
    let certificate = std::fs::read(server.data().join("server.pem")).unwrap();
    // The idle connection that the client keeps does not hold it up.
    let dir = timeout(SOON, server.stop()).await.unwrap();
    assert!(api.get(paths::CONSENT).send().await.is_err());

    let server = Server::open(dir, Limits::default()).await;
    let api = server.device("erika@example.org", &registered);
    assert_eq!(api.get(paths::CONSENT).ok().await, consent);
    assert_eq!(std::fs::read(server.data().join("server.pem")).unwrap(), certificate);
}

#[tokio::test]
async fn what_is_in_flight_is_finished() {
    let server = Server::start().await;
    let (_, api) = server.consenting("erika@example.org").await;
    let mut raw = server.raw(&api).await;
    let head =
        "POST /household/meter/measurement HTTP/1.1\r\nhost: x\r\ncontent-length: 19\r\n\r\n";
    raw.write_all(head.as_bytes()).await.unwrap();
    api.get(paths::HOUSEHOLD).ok().await;
    let finish = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        raw.write_all(br#"{"measurements":[]}"#).await.unwrap();
        read_all(&mut raw).await
    };
    let (_dir, answer) =
        timeout(SOON, async { tokio::join!(server.stop(), finish) }).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(r#"{"items":[]}"#), "{answer}");
}

#[tokio::test]
async fn nothing_is_served_without_an_authority() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings::in_folder(dir.path(), vec!["localhost".into()], Arc::new(SystemClock));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = serve(settings, listener, std::future::pending()).await.unwrap_err();
    assert!(
        matches!(error, ServeError::Survey(OpenError::Authority(AuthorityError::Missing { .. }))),
        "{error}"
    );
}

/// Who stands between client and server could understand another host than we do.
#[tokio::test]
async fn a_request_has_one_host() {
    let server = Server::start().await;
    let api = server.api(None);
    for (version, headers, status) in [
        ("1.1", "host: x\r\n", 200),
        ("1.1", "host: [::1]:8443\r\n", 200),
        ("1.1", "host:\r\n", 200),
        ("1.1", "", 400),
        ("1.1", "host: x\r\nhost: x\r\n", 400),
        ("1.1", "host: x\r\nHost: y\r\n", 400),
        ("1.1", "host: a b\r\n", 400),
        ("1.1", "host: a@b\r\n", 400),
        ("1.0", "", 200),
        ("1.0", "host: x\r\nhost: y\r\n", 400),
    ] {
        let mut raw = server.raw(&api).await;
        let request = format!("GET /healthz HTTP/{version}\r\n{headers}connection: close\r\n\r\n");
        raw.write_all(request.as_bytes()).await.unwrap();
        let answer = timeout(SOON, read_all(&mut raw)).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/{version} {status} ")), "{headers:?}: {answer}");
        assert_eq!(answer.contains("application/problem+json"), status == 400, "{answer}");
    }
}
