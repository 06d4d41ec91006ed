//! A body whose length says that it is too long is refused before it is read, on every route.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use ebp_core::scope::Group;
use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use uuid::Uuid;

use crate::harness::{Api, Server};

/// The answers to a head alone, which says that octets follow: the first lines.
async fn answer(server: &Server, api: &Api, head: &str) -> String {
    let mut stream = server.raw(api).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = async {
        while !answer.windows(4).any(|part| part == b"\r\n\r\n") {
            if stream.read_buf(&mut answer).await.is_ok_and(|count| count > 0) {
                continue;
            }
            break;
        }
    };
    // What others are refused for may wait for the body.
    let _ = timeout(Duration::from_secs(5), read).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Methods and paths of all operations that have a body.
fn operations() -> Vec<String> {
    let document: Value = serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap();
    let mut operations = Vec::new();
    for (template, methods) in document["paths"].as_object().unwrap() {
        let mut path = template.clone();
        while let Some((begin, end)) = path.find('{').zip(path.find('}')) {
            path.replace_range(begin..=end, &Uuid::from_u128(7).to_string());
        }
        for (method, operation) in methods.as_object().unwrap() {
            if !operation["requestBody"].is_null() {
                operations.push(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    operations
}

#[tokio::test]
async fn too_long_a_body_is_refused_before_it_is_read() {
    let server = Server::start().await;
    let (_, device) = server.consenting("erika@example.org").await;
    let [researchers, administrators] = [Group::Researchers, Group::Administrators].map(|group| {
        server.manager(group);
        let credentials = format!("{group}:the secret of {group}");
        format!("authorization: Basic {}\r\n", BASE64_STANDARD.encode(credentials))
    });
    let anybody = server.api(None);
    let identities = [(&device, ""), (&anybody, &*researchers), (&anybody, &*administrators)];
    let expectations = ["", "expect: 100-continue\r\n"];
    let operations = operations();
    assert!(operations.len() > 25, "{}", operations.len());
    let asked = operations.iter().map(async |operation| {
        let mut answers = Vec::new();
        for (api, credentials) in identities {
            for expectation in expectations {
                let head = format!(
                    "{operation} HTTP/1.1\r\nhost: localhost\r\n{credentials}{expectation}\
                     content-type: application/json\r\ncontent-length: 30000000\r\n\r\n"
                );
                let said = answer(&server, api, &head).await;
                assert!(!said.contains("100 Continue"), "{operation}: {said}");
                answers.push(said.lines().next().unwrap_or_default().to_owned());
            }
        }
        let refused = |pair: &[String]| pair.iter().all(|it| it.starts_with("HTTP/1.1 413 "));
        assert!(answers.chunks(2).any(refused), "{operation}: {answers:?}");
    });
    stream::iter(asked).buffer_unordered(24).collect::<()>().await;
}

#[tokio::test]
async fn whoever_sends_too_much_reads_why() {
    let server = Server::start().await;
    let (_, device) = server.consenting("erika@example.org").await;
    let mut stream = server.raw(&device).await;
    let head = "POST /household/message HTTP/1.1\r\nhost: localhost\r\n\
                content-type: application/json\r\ncontent-length: 8000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    // The answer is there before the body is.
    let mut first = [0; 12];
    let read = timeout(Duration::from_secs(5), stream.read_exact(&mut first)).await;
    assert!(read.is_ok_and(|read| read.is_ok()), "no answer before the body");
    assert_eq!(&first, b"HTTP/1.1 413");
    // A client that sends first and reads then is not cut off.
    stream.write_all(&vec![b' '; 8_000_000]).await.unwrap();
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
    assert!(String::from_utf8_lossy(&rest).contains("urn:ebp:problem:too-large"));
}
