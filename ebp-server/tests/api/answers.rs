//! What every answer says of itself: how long it may be kept, how it is compressed, and by which
//! identifier the request is found in logs.

use std::io::Read;

use ebp_core::{
    contract::{Problem, paths, problem_type},
    scope::Group,
    trace::TraceContext,
};
use ebp_server::endpoints;
use reqwest::{Method, Response, StatusCode, header::HeaderMap};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Api, Call, Server};

/// What anybody may keep.
const KEPT: [&str; 5] =
    [paths::ROOT, paths::OPENAPI, paths::DOCS, paths::GEO_REGIONS, paths::GEO_REGION];
/// What is never compressed.
const SECRET: [&str; 6] = [
    paths::MANAGED_ENROLMENT,
    paths::MANAGED_SIGN_IN_CODE,
    paths::DEVICE_FRONTEND,
    paths::DEVICE_SIGN_IN,
    paths::ENROLL,
    paths::RENEW,
];

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// Checks what holds for all answers; returns the problem that it is, if it is one.
async fn check(what: &str, kept: bool, compressed: bool, response: Response) -> Option<Problem> {
    let (status, headers) = (response.status(), response.headers().clone());
    assert_eq!(headers.get_all("cache-control").iter().count(), 1, "{what}: {headers:?}");
    let keeping = text(&headers, "cache-control");
    match kept && status == StatusCode::OK {
        true => {
            assert!(keeping.starts_with("public, max-age="), "{what}: {keeping}");
            assert!(text(&headers, "etag").starts_with("W/\""), "{what}: {headers:?}");
        }
        // A text that has changed is seen at once: who has the survey asks whether it is the same.
        false if status == StatusCode::OK && what.contains(paths::SURVEY) => {
            assert_eq!(keeping, "no-cache", "{what}");
        }
        false => assert_eq!(keeping, "no-store", "{what}"),
    }
    let varies = text(&headers, "vary").to_ascii_lowercase().contains("accept-encoding");
    assert_eq!(varies, compressed, "{what}: {headers:?}");
    let id = text(&headers, "x-request-id").replace('-', "");
    assert_eq!(id.len(), 32, "{what}: {headers:?}");
    if text(&headers, "content-type") != "application/problem+json" {
        assert!(!status.is_client_error() && !status.is_server_error(), "{what}: {status}");
        return None;
    }
    let problem: Problem = response.json().await.unwrap();
    // Without a `traceparent` both are the same.
    assert_eq!(problem.trace_id.map(|id| id.to_string()), Some(id), "{what}");
    Some(problem)
}

#[tokio::test]
async fn every_answer_says_how_long_it_may_be_kept() {
    let server = Server::start().await;
    let (registered, device) = server.household("erika@example.org").await;
    let apis: [(&str, Api); 4] = [
        ("nobody", server.api(None)),
        ("device", device),
        ("researchers", server.manager(Group::Researchers)),
        ("administrators", server.manager(Group::Administrators)),
    ];
    let (mut good, mut problems) = (0, 0);
    for endpoint in endpoints() {
        let path = endpoint
            .path
            .replace("{household}", &registered.household.to_string())
            .replace("{uuid}", &registered.meters[0].to_string())
            .replace("{serial}", &"0".repeat(32))
            .replace("{file}", "DEA23.svg");
        // It would end what the others ask about.
        if endpoint.method == Method::DELETE {
            continue;
        }
        for (who, api) in &apis {
            let what = format!("{} {path} for {who}", endpoint.method);
            let kept = KEPT.contains(&endpoint.path);
            let compressed = !SECRET.contains(&endpoint.path);
            let call = match endpoint.method == Method::GET {
                true => api.get(&path),
                false => api.json(endpoint.method.clone(), &path, &json!([])),
            };
            match check(&what, kept, compressed, call.send().await.unwrap()).await {
                Some(_) => problems += 1,
                None => good += 1,
            }
            if endpoint.method == Method::GET {
                let head = api.request(Method::HEAD, &path).send().await.unwrap();
                let plain = api.get(&path).send().await.unwrap();
                assert_eq!(head.status(), plain.status(), "{what}");
                for name in ["cache-control", "vary", "etag", "content-type"] {
                    assert_eq!(head.headers().get(name), plain.headers().get(name), "{what}");
                }
                assert!(head.bytes().await.unwrap().is_empty(), "{what}");
            }
        }
    }
    assert!(good > 40 && problems > 60, "{good} good, {problems} problems");
    let nobody = &apis[0].1;
    for (method, path) in [(Method::GET, "/nowhere"), (Method::PATCH, paths::HEALTHZ)] {
        let response = nobody.request(method, path).send().await.unwrap();
        assert!(check(path, false, true, response).await.is_some());
    }
    server.stop().await;
}

#[tokio::test]
async fn what_a_client_has_it_is_not_sent_again() {
    let server = Server::start().await;
    let api = server.api(None);
    for path in KEPT {
        let path = path.replace("{file}", "DEA23.svg");
        let first = api.get(&path).send().await.unwrap();
        assert_eq!(first.status(), StatusCode::OK, "{path}");
        let tag = text(first.headers(), "etag").to_owned();
        let with = |method: Method, tag: &str| {
            Call(api.request(method, &path).0.header("if-none-match", tag)).send()
        };
        for (method, tags) in [(Method::GET, tag.clone()), (Method::HEAD, format!("\"x\", {tag}"))]
        {
            let again = with(method, &tags).await.unwrap();
            let (status, headers) = (again.status(), again.headers().clone());
            assert_eq!(status, StatusCode::NOT_MODIFIED, "{path}");
            assert_eq!(text(&headers, "etag"), tag, "{path}");
            assert!(text(&headers, "cache-control").starts_with("public"), "{path}: {headers:?}");
            assert!(text(&headers, "vary").contains("Accept-Encoding"), "{path}: {headers:?}");
            for none in ["content-type", "content-encoding"] {
                assert!(!headers.contains_key(none), "{path}: {headers:?}");
            }
            assert!(again.bytes().await.unwrap().is_empty(), "{path}");
        }
        let other = with(Method::GET, "W/\"0\"").await.unwrap();
        assert_eq!(other.status(), StatusCode::OK, "{path}");
    }
    // What is personal has no mark that a client could ask with.
    let (_, device) = server.household("erika@example.org").await;
    let call = device.get(paths::CONSENT);
    let answer = Call(call.0.header("if-none-match", "*")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    server.stop().await;
}

/// An answer as it comes: this client's library would unpack it.
async fn raw(
    server: &Server,
    api: &Api,
    method: Method,
    path: &str,
    accepted: &str,
) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut stream = server.raw(api).await;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\naccept-encoding: {accepted}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Some end without the alert that says so.
    let _ = stream.read_to_end(&mut answer).await;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: HeaderMap = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect();
    let mut rest = &answer[end + 4..];
    if text(&headers, "transfer-encoding") != "chunked" || rest.is_empty() {
        return (status, headers, rest.to_vec());
    }
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n").unwrap();
        let size = std::str::from_utf8(&rest[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return (status, headers, body);
        }
        body.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 4 + size..];
    }
}

fn unpacked(encoding: &str, packed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match encoding {
        "gzip" => drop(flate2::read::GzDecoder::new(packed).read_to_end(&mut plain).unwrap()),
        "zstd" => plain = zstd::decode_all(packed).unwrap(),
        _ => plain = packed.to_vec(),
    }
    plain
}

#[tokio::test]
async fn large_answers_are_compressed_as_the_client_accepts() {
    let server = Server::start().await;
    let api = server.api(None);
    let asked = async |method: Method, path: &str, accepted: &str| {
        let (status, headers, body) = raw(&server, &api, method, path, accepted).await;
        assert!(text(&headers, "vary").contains("Accept-Encoding"), "{path}: {headers:?}");
        (status, headers, body)
    };
    let (_, _, plain) = asked(Method::GET, paths::OPENAPI, "identity").await;
    assert!(plain.len() > 100_000 && plain.starts_with(b"{"), "{}", plain.len());
    for (accepted, encoding) in [
        ("gzip", "gzip"),
        ("zstd", "zstd"),
        ("gzip, zstd", "zstd"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("br, gzip;q=0.1", "gzip"),
        ("GZIP", "gzip"),
        ("gzip;q=0", ""),
        ("gzip;q=0, zstd;q=0, identity", ""),
        ("identity;q=1, gzip;q=0.5", ""),
        ("br", ""),
        ("", ""),
        ("gzip;q=2, zstd;q=x, ;;;,,, \t", ""),
    ] {
        let (status, headers, body) = asked(Method::GET, paths::OPENAPI, accepted).await;
        assert_eq!(status, StatusCode::OK, "{accepted}");
        assert_eq!(text(&headers, "content-encoding"), encoding, "{accepted}");
        assert!(unpacked(encoding, &body) == plain, "{accepted}: other content");
        assert_eq!(headers.contains_key("content-length"), encoding.is_empty(), "{accepted}");
        if !encoding.is_empty() {
            assert!(body.len() * 4 < plain.len(), "{accepted}: {} octets", body.len());
        }
        let (status, head, body) = asked(Method::HEAD, paths::OPENAPI, accepted).await;
        assert!(status == StatusCode::OK && body.is_empty(), "{accepted}");
        for name in ["content-encoding", "content-length", "etag", "content-type"] {
            assert_eq!(head.get(name), headers.get(name), "{accepted}: {name}");
        }
    }
    // A packet's worth, and what is shorter, goes as it is.
    let (_, headers, body) = asked(Method::GET, paths::HEALTHZ, "gzip").await;
    assert!(!headers.contains_key("content-encoding") && body.len() < 1_024, "{headers:?}");
    server.stop().await;
}

/// An answer's length must not tell how much a secret in it has in common with what was sent.
#[tokio::test]
async fn secrets_are_not_compressed() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let administrator = server.manager(Group::Administrators);
    let path =
        paths::MANAGED_ENROLMENT.replace("{uuid}", &registered.measurement_device.to_string());
    let made = administrator.json(Method::POST, &path, &json!({}));
    let made = made.expect(StatusCode::CREATED).await;
    let key = rcgen::KeyPair::generate().unwrap();
    let csr = rcgen::CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
    let body = json!({ "token": made["token"], "csr": csr });
    let call = server.api(None).json(Method::POST, paths::ENROLL, &body);
    let answer = Call(call.0.header("accept-encoding", "gzip, zstd")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let headers = answer.headers().clone();
    assert!(!headers.contains_key("content-encoding"), "{headers:?}");
    assert_eq!(text(&headers, "cache-control"), "no-store");
    assert!(answer.bytes().await.unwrap().len() > 1_024, "it would be compressed otherwise");
    server.stop().await;
}

#[tokio::test]
async fn a_request_keeps_its_identifier() {
    let server = Server::start().await;
    let api = server.api(None);
    let traced = async |values: &[&str]| {
        let mut call = api.get(paths::ACCOUNT);
        for value in values {
            call = Call(call.0.header("traceparent", *value));
        }
        let problem = call.problem(401, problem_type::UNAUTHENTICATED).await;
        problem.trace_id.unwrap().to_string()
    };
    let valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let id = &valid[3..35];
    assert_eq!(traced(&[valid]).await, id);
    let sent = TraceContext::begin();
    assert_eq!(traced(&[&sent.to_string()]).await, sent.id().to_string());
    let long = "0".repeat(20_000);
    for hostile in [
        "",
        &valid.to_uppercase(),
        &valid.replacen("00", "01", 1),
        &valid.replacen("00", "ff", 1),
        &valid.replace(id, &"0".repeat(32)),
        &valid.replace("00f067aa0ba902b7", &"0".repeat(16)),
        &format!("{valid}-extra"),
        &format!("{valid}\" level=ERROR forged=\""),
        &valid[..54],
        &long,
    ] {
        let made = traced(&[hostile]).await;
        assert!(made != id && made.len() == 32, "{hostile}: {made}");
    }
    // Which of two is meant is open.
    assert_ne!(traced(&[valid, valid]).await, id);
    // A line's end cannot be sent by this client.
    let mut raw = server.raw(&api).await;
    let head = format!("GET /account HTTP/1.1\r\nhost: x\r\ntraceparent: {id}\n forged\r\n\r\n");
    raw.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4_096];
    let read = raw.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(!answer.contains(id) && answer.starts_with("HTTP/1.1 4"), "{answer}");
    server.stop().await;
}
