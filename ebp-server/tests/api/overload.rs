//! More than the server can do at a time: who is sent away, and who gives way.

use std::time::Duration;

use ebp_core::contract::{paths, problem_type};
use ebp_server::Limits;
use reqwest::StatusCode;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use crate::harness::{Server, measurement, outcomes};

const SOON: Duration = Duration::from_secs(20);

/// The only place is taken by an upload that is slow to arrive: another one is told when to come
/// back, everything else is answered, and when the place is free the upload is stored.
#[tokio::test]
async fn uploads_beyond_the_places_are_put_off() {
    let limits = Limits { connections: 3, rate: None, ..Limits::default() };
    let server = Server::with_limits(limits).await;
    let (registered, api) = server.consenting("erika@example.org").await;
    let now = ebp_core::clock::Clock::now(&*server.clock);
    let item = |uuid| measurement(uuid, registered.meters[0], now);
    let body = json!({ "measurements": [item(1)] }).to_string();
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        paths::MEASUREMENT,
        body.len()
    );
    let mut slow = server.raw(&api).await;
    slow.write_all(head.as_bytes()).await.unwrap();
    slow.write_all(&body.as_bytes()[..10]).await.unwrap();

    // It has to be there first, or it would be the one that is sent away.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let refused = loop {
        let response = api.upload(&[item(2)]).send().await.unwrap();
        if response.status() != StatusCode::OK {
            break response;
        }
    };
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..60).contains(&wait), "{wait}");
    let problem: ebp_core::contract::Problem = refused.json().await.unwrap();
    assert_eq!(problem.kind, problem_type::OVERLOADED);
    api.get(paths::HOUSEHOLD).ok().await;

    slow.write_all(&body.as_bytes()[10..]).await.unwrap();
    let mut answer = String::new();
    timeout(SOON, slow.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.contains(r#""accepted""#), "{answer}");
    let answer = api.upload(&[item(3)]).ok().await;
    assert_eq!(outcomes(&answer), ["accepted"]);
}

/// Kept connections that ask for nothing take up all places, for half a minute each by default:
/// they give way as soon as somebody waits.
#[tokio::test]
async fn idle_connections_give_way() {
    let limits = Limits { connections: 4, ..Limits::default() };
    let server = Server::with_limits(limits).await;
    let api = server.api(None);
    let mut idle = Vec::new();
    for _ in 0..3 {
        let mut stream = server.raw(&api).await;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        idle.push(stream);
    }
    let start = std::time::Instant::now();
    for _ in 0..8 {
        let mut stream = server.raw(&api).await;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        assert!(timeout(SOON, stream.read(&mut [0; 4096])).await.unwrap().unwrap() > 0);
        idle.push(stream);
    }
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}
