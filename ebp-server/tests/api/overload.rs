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

/// A body that is slow to arrive takes no place, though there is only one: others are stored. Where
/// more come than there are places, they are told when to come back, and everything else is answered.
#[tokio::test]
async fn uploads_beyond_the_places_are_put_off() {
    let limits = Limits { connections: 3, rate: None, ..Limits::default() };
    let server = Server::with_limits(limits).await;
    let (registered, api) = server.consenting("erika@example.org").await;
    let (also_registered, other) = server.consenting("max@example.org").await;
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
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(outcomes(&api.upload(&[item(2)]).ok().await), ["accepted"]);
    slow.write_all(&body.as_bytes()[10..]).await.unwrap();
    let mut answer = String::new();
    timeout(SOON, slow.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.contains(r#""accepted""#), "{answer}");

    // One that takes its time, again and again, until another one meets it.
    let refused = async {
        let mut number = 100_000;
        let large = async {
            loop {
                let items: Vec<_> = (number..number + 2000).map(item).collect();
                number += 2000;
                let status = api.upload(&items).send().await.unwrap().status();
                assert!([200, 429].contains(&status.as_u16()), "{status}");
            }
        };
        let small = async {
            loop {
                let item = measurement(2, also_registered.meters[0], now);
                let response = other.upload(&[item]).send().await.unwrap();
                if response.status() != StatusCode::OK {
                    break response;
                }
            }
        };
        tokio::select! { never = large => never, refused = small => refused }
    };
    let refused: reqwest::Response = timeout(3 * SOON, refused).await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..60).contains(&wait), "{wait}");
    let problem: ebp_core::contract::Problem = refused.json().await.unwrap();
    assert_eq!(problem.kind, problem_type::OVERLOADED);
    other.get(paths::HOUSEHOLD).ok().await;
}

/// What a client hangs up on while it is stored is stored as a whole, and what it took up is free
/// afterwards.
#[tokio::test]
async fn what_is_hung_up_is_finished() {
    let limits = Limits { connections: 3, rate: None, ..Limits::default() };
    let server = Server::with_limits(limits).await;
    let (registered, api) = server.consenting("erika@example.org").await;
    let now = ebp_core::clock::Clock::now(&*server.clock);
    let items: Vec<_> = (0..5000).map(|i| measurement(i, registered.meters[0], now)).collect();
    let body = json!({ "measurements": items }).to_string();
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
        paths::MEASUREMENT,
        body.len()
    );
    let path = format!("{}?limit=10000", paths::measurements_of(registered.meters[0]));
    let stored = async || api.get(&path).ok().await["items"].as_array().unwrap().len();
    let mut attempts = 0;
    while stored().await == 0 {
        attempts += 1;
        assert!(attempts < 30, "never stored");
        let mut stream = server.raw(&api).await;
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        // Not before the body is in.
        tokio::time::sleep(Duration::from_millis(20 * attempts)).await;
        drop(stream);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(stored().await, items.len());
    assert_eq!(outcomes(&api.upload(&items[..1]).ok().await), ["duplicate"]);
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

/// Connections that finish their handshake and ask nothing, and others that do not even finish it:
/// all places are theirs until somebody comes.
#[tokio::test]
async fn connections_that_ask_nothing_give_way() {
    let server = Server::with_limits(Limits { connections: 4, ..Limits::default() }).await;
    let api = server.api(None);
    let mut idle = Vec::new();
    for _ in 0..2 {
        idle.push(server.raw(&api).await);
    }
    let silent = [
        tokio::net::TcpStream::connect(server.address).await.unwrap(),
        tokio::net::TcpStream::connect(server.address).await.unwrap(),
    ];
    let start = std::time::Instant::now();
    timeout(SOON, api.get(paths::HEALTHZ).ok()).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(9), "{:?}", start.elapsed());
    drop((idle, silent));
}
