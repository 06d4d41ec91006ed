//! Connections: accepted, encrypted, served and in the end seen out.
//!
//! Enters: a listening socket, the TLS configuration, the service. Leaves: nothing. Absent: what
//! is asked and answered.

mod progress;

use std::{
    future::Future,
    net::IpAddr,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode, header::CONNECTION},
};
use ebp_fleet::tunnel::ReadAhead;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use self::progress::{Progress, watch};
use crate::{
    auth::{Peer, Source},
    limit::{Client, Connections, Requests, Shares, are_scarce},
    settings::Limits,
    telemetry::{Handshake, Telemetry},
};

/// The age of a device's connection, in pauses between its requests, after which it is closed: devices
/// spread over the servers that there are by then.
const DEVICE_PAUSES: u32 = 12;

/// How long idle connections have to close before they are notified again.
const GIVE_WAY: Duration = Duration::from_millis(100);

/// How long a connection may take from its handshake to its first request while others wait. Who has
/// just come is about to ask; who does not, holds a place that somebody needs.
const GRACE: Duration = Duration::from_secs(2);

/// How long the handshake may take meanwhile, of which the server does a part.
const HANDSHAKE_GRACE: Duration = Duration::from_secs(5);

/// How what a connection carries is protected.
#[derive(Clone)]
pub enum Transport {
    /// By TLS.
    Tls(TlsAcceptor),
    /// By nothing: a proxy or this machine itself is at its other end.
    Plain,
}

/// What bounds and counts connections.
pub struct Listening {
    /// How many there may be, and how long each of their parts may take.
    pub limits: Limits,
    /// Those of each address.
    pub connections: Arc<Connections>,
    /// Those of each holder of a certificate.
    pub holders: Arc<Shares>,
    /// Tells holders apart.
    pub requests: Arc<Requests>,
    /// Counts handshakes and connections that are refused.
    pub telemetry: Arc<Telemetry>,
}

/// Accepts connections until `shutdown`, then gives those in flight the time to end.
pub async fn run(
    listener: TcpListener,
    transport: Transport,
    router: Router,
    listening: Listening,
    shutdown: impl Future<Output = ()>,
) {
    let (close, closing) = watch::channel(false);
    // A separate task, so that it runs where connections do: whoever waits for the server is on
    // another thread, which would have to be woken for each of them. It ends with this call.
    let mut accepting = JoinSet::new();
    accepting.spawn(accept(listener, transport, router, Arc::new(listening), closing));
    let ended = tokio::select! {
        () = shutdown => {
            let _ = close.send(true);
            accepting.join_next().await
        }
        // By itself it ends only in a panic.
        ended = accepting.join_next() => ended,
    };
    if let Some(Err(error)) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

async fn accept(
    listener: TcpListener,
    transport: Transport,
    router: Router,
    listening: Arc<Listening>,
    mut closing: watch::Receiver<bool>,
) {
    let limits = &listening.limits;
    let places = Arc::new(Semaphore::new(limits.connections));
    let (crowd, crowded) = watch::channel(());
    let mut connections = JoinSet::new();
    let signals = Signals { closing: closing.clone(), crowded };
    loop {
        let accepted = async {
            while places.available_permits() == 0 {
                // Those that wait for nothing give way to those that wait for a place.
                crowd.send_replace(());
                let _ = timeout(GIVE_WAY, places.acquire()).await;
            }
            let place = places.clone().acquire_owned().await;
            (listener.accept().await, place)
        };
        let (stream, source, place) = tokio::select! {
            () = wait_for_shutdown(&mut closing) => break,
            // Forgets the connections that have ended.
            Some(_) = connections.join_next() => continue,
            (accepted, place) = accepted => match accepted {
                Ok((stream, source)) => (stream, source.ip(), place),
                Err(error) => {
                    // No file descriptors, mostly: others have to end first.
                    tracing::warn!(%error, "a connection was not accepted");
                    crowd.send_replace(());
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        // One address does not take all the places; a closed connection says so soonest.
        let Some(own_place) = listening.connections.enter(source) else {
            listening.telemetry.refused();
            continue;
        };
        let (transport, router, listening, signals) =
            (transport.clone(), router.clone(), listening.clone(), signals.clone());
        let places = places.clone();
        connections.spawn(async move {
            let _place = place;
            let all = listening.limits.connections;
            let scarce = || are_scarce(places.available_permits(), all) || own_place.is_scarce();
            serve_connection(stream, source, transport, router, &listening, scarce, signals).await;
        });
    }
    drop(listener);
    let drained = timeout(limits.drain, async { while connections.join_next().await.is_some() {} });
    if drained.await.is_err() {
        tracing::warn!(left = connections.len(), "connections did not end in time");
        connections.shutdown().await;
    }
}

/// Waits for the announced shutdown; the sender is dropped only when the server ends.
async fn wait_for_shutdown(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Waits until the handshake should have ended and others wait for a place.
async fn crowded_late(crowded: &mut watch::Receiver<()>) {
    sleep(HANDSHAKE_GRACE).await;
    // They are notified again as long as connections wait; the sender is dropped only when the
    // server ends.
    crowded.mark_unchanged();
    if crowded.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Notifications for connections.
#[derive(Clone)]
struct Signals {
    /// To end behind the request that they are at.
    closing: watch::Receiver<bool>,
    /// To end if they are at none.
    crowded: watch::Receiver<()>,
}

async fn serve_connection(
    stream: TcpStream,
    source: IpAddr,
    transport: Transport,
    router: Router,
    listening: &Listening,
    scarce: impl Fn() -> bool,
    mut signals: Signals,
) {
    let limits: &Limits = &listening.limits;
    // Answers are small and awaited; a failure only costs time.
    let _ = stream.set_nodelay(true);
    let tls = match transport {
        Transport::Tls(tls) => tls,
        Transport::Plain => {
            let peer = Peer::Anonymous;
            return serve_stream(stream, peer, source, router, listening, scarce, signals).await;
        }
    };
    let handshake = tokio::select! {
        biased;
        handshake = timeout(limits.handshake, tls.accept(ReadAhead::new(stream))) => handshake,
        () = crowded_late(&mut signals.crowded) => {
            listening.telemetry.handshake(Handshake::Slow);
            return tracing::debug!("the handshake gave way to others");
        }
    };
    let stream = match handshake {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            listening.telemetry.handshake(Handshake::Failed);
            return tracing::debug!(%error, "the handshake failed");
        }
        Err(_) => {
            listening.telemetry.handshake(Handshake::Slow);
            return tracing::debug!("the handshake took too long");
        }
    };
    listening.telemetry.handshake(Handshake::from_kind(stream.get_ref().1.handshake_kind()));
    let peer = Peer::from_chain(stream.get_ref().1.peer_certificates());
    serve_stream(stream, peer, source, router, listening, scarce, signals).await;
}

async fn serve_stream<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: Peer,
    source: IpAddr,
    router: Router,
    listening: &Listening,
    scarce: impl Fn() -> bool,
    Signals { mut closing, mut crowded }: Signals,
) {
    let limits: &Limits = &listening.limits;
    let begun = Instant::now();
    // One holder does not take all the places, from however many addresses.
    let held = match &peer {
        Peer::Certificate(certificate) => {
            let client = listening.requests.id(certificate.client());
            let Ok(held) = listening.holders.take(client, 1) else {
                return listening.telemetry.refused();
            };
            Some(held)
        }
        Peer::Anonymous | Peer::Unreadable | Peer::Own(_) => None,
    };
    let progress = Arc::<Progress>::default();
    let stream = TokioIo::new(watch(stream, progress.clone()));
    let service = service_fn(|mut request: Request<Incoming>| {
        progress.ask();
        request.extensions_mut().insert(peer.clone());
        request.extensions_mut().insert(Source(source));
        let answer = router.clone().oneshot(request.map(Body::new));
        let (progress, scarce) = (&progress, &scarce);
        async move {
            let mut response = answer.await;
            progress.answer();
            if let Ok(response) = &mut response
                && response.status() != StatusCode::SWITCHING_PROTOCOLS
                && scarce()
            {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            response
        }
    });
    let is_device = matches!(&peer, Peer::Certificate(certificate)
        if matches!(certificate.client(), Client::Device(_)));
    let (idle, age) = match is_device {
        true => (limits.idle, limits.idle.saturating_mul(DEVICE_PAUSES)),
        false => (limits.headers, limits.connection_age),
    };
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(idle)
            .max_buf_size(64 << 10)
            .serve_connection(stream, service)
            // A tunnel or session goes on by itself; this connection and its places end here.
            .with_upgrades()
    );
    let mut late_head = pin!(progress.wait_for_late_head(limits.headers));
    let mut aged = pin!(sleep(age));
    let ended = loop {
        tokio::select! {
            // A request that has arrived already is processed first.
            biased;
            ended = connection.as_mut() => break Some(ended),
            () = wait_for_shutdown(&mut closing) => break None,
            Ok(()) = crowded.changed() => {
                let asked = progress.has_asked();
                if !asked && begun.elapsed() > GRACE {
                    return tracing::debug!("a connection asked nothing and gave way to others");
                }
                if asked && !progress.is_busy() {
                    break None;
                }
            }
            () = aged.as_mut() => break None,
            () = late_head.as_mut() => {
                return tracing::debug!("a request's head took too long");
            }
        }
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            // One that has asked nothing has nothing to finish.
            let patience = if progress.has_asked() { limits.request } else { GRACE };
            match timeout(patience, connection).await {
                Ok(ended) => ended,
                Err(_) => return tracing::debug!("a connection was broken off"),
            }
        }
    };
    drop(held);
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}
