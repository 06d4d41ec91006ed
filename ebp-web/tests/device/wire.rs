//! Requests as bytes, as no browser sends them.

use ebp_web::kit::listener::{Limits, serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::world::{HOST, World};

/// The first line of each answer to those bytes.
async fn statuses(request: &str) -> Vec<u16> {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { headers: std::time::Duration::from_millis(300), ..Limits::default() };
    tokio::spawn(serve(listener, world.router.clone(), limits, std::future::pending()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    tokio::time::timeout(std::time::Duration::from_secs(5), read).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&answer).into_owned();
    let starts = text.split("HTTP/1.1 ").skip(1).filter_map(|rest| rest.get(..3)?.parse().ok());
    starts.collect()
}

#[tokio::test]
async fn hosts_that_disagree_are_refused() {
    let close = "connection: close\r\n\r\n";
    for (head, expected) in [
        (format!("GET / HTTP/1.1\r\nhost: {HOST}\r\n"), 200),
        ("GET / HTTP/1.1\r\n".to_owned(), 421),
        ("GET / HTTP/1.0\r\n".to_owned(), 421),
        (format!("GET / HTTP/1.1\r\nhost: {HOST}\r\nhost: attacker.example\r\n"), 421),
        (format!("GET http://attacker.example/ HTTP/1.1\r\nhost: {HOST}\r\n"), 421),
        (format!("GET http://{HOST}/ HTTP/1.1\r\nhost: attacker.example\r\n"), 421),
        (format!("GET http://{HOST}/ HTTP/1.1\r\nhost: {HOST}\r\n"), 200),
    ] {
        let found = statuses(&format!("{head}{close}")).await;
        // An answer to HTTP/1.0 begins with its own version.
        let found = found.first().copied().unwrap_or(421);
        assert_eq!(found, expected, "{head}");
    }
}

/// Two requests in what one header says is one: the listener reads them as one party would, or none.
#[tokio::test]
async fn lengths_that_disagree_are_refused() {
    let head = format!("POST /sign-in HTTP/1.1\r\nhost: {HOST}\r\norigin: http://{HOST}\r\n");
    let second = format!("GET /help HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n");
    for lengths in [
        "content-length: 5\r\ncontent-length: 6\r\n",
        "content-length: -1\r\n",
        "content-length: 5x\r\n",
        "content-length : 5\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding: chunked, identity\r\n",
    ] {
        let found = statuses(&format!("{head}{lengths}\r\ncode=\r\n{second}")).await;
        assert_eq!(found, [400], "{lengths}");
    }
}
