//! The listener: few connections, short waits, private peers.

use std::{
    convert::Infallible, future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration,
};

use axum::{Router, body::Body, extract::Request};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tower::ServiceExt;

use super::{defence::Defence, host::is_private};

/// The limits of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; further ones wait until one ends.
    pub connections: usize,
    /// How long a request's headers may take, and how long a connection may be idle.
    pub headers: Duration,
    /// How long a connection may last.
    pub connection: Duration,
    /// Whether peers with public addresses are served.
    pub public_peers: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16,
            headers: Duration::from_secs(10),
            connection: Duration::from_secs(300),
            public_peers: false,
        }
    }
}

/// The longest request head, bytes.
const LONGEST_HEAD: usize = 16 * 1024;

/// Serves until `shutdown`, then lets the requests in progress end, at most for five seconds.
///
/// # Errors
/// Returns an error if the listener itself fails; what happens on one connection ends only that.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let permits = Arc::new(Semaphore::new(limits.connections));
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            () = &mut shutdown => break,
            accepted = accepted => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files, or the peer is gone already: there may be room soon.
                tracing::debug!("a connection cannot be accepted: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        if !limits.public_peers && !is_private(peer.ip()) {
            continue;
        }
        let router = router.clone();
        tokio::spawn(async move {
            let connection = serve_connection(stream, peer, router, limits);
            // Whoever reads slowly does not keep one of the few connections for ever.
            let _ = tokio::time::timeout(limits.connection, connection).await;
            drop(permit);
        });
    }
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(Duration::from_secs(5), permits.acquire_many(all)).await;
    Ok(())
}

async fn serve_connection(stream: TcpStream, peer: SocketAddr, router: Router, limits: Limits) {
    let service = hyper::service::service_fn(move |request: hyper::Request<_>| {
        let router = router.clone();
        async move {
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            Ok::<_, Infallible>(
                router.oneshot(request).await.unwrap_or_else(|never| match never {}),
            )
        }
    });
    let wait = if Defence::HeaderTime.is_on() { limits.headers } else { limits.connection };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(wait)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!("a connection ends: {error}");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn start(limits: Limits) -> (SocketAddr, tokio::sync::oneshot::Sender<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let router = Router::new().route("/", get(async || "ok"));
        tokio::spawn(serve(listener, router, limits, async { drop(stopped.await) }));
        (address, stop)
    }

    async fn request(stream: &mut TcpStream) -> String {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    #[tokio::test]
    async fn a_connection_that_says_nothing_gives_way() {
        let limits =
            Limits { connections: 2, headers: Duration::from_millis(200), ..Limits::default() };
        let (address, stop) = start(limits).await;
        let mut silent = Vec::new();
        for _ in 0..2 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
            silent.push(stream);
        }
        let mut third = TcpStream::connect(address).await.unwrap();
        assert!(request(&mut third).await.starts_with("HTTP/1.1 200"));
        drop(stop);
    }

    #[tokio::test]
    async fn a_head_that_is_too_long_is_refused() {
        let (address, stop) = start(Limits::default()).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(LONGEST_HEAD));
        let _ = stream.write_all(head.as_bytes()).await;
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text).await;
        assert!(text.starts_with(b"HTTP/1.1 431") || text.is_empty(), "{}", text.len());
        drop(stop);
    }
}
