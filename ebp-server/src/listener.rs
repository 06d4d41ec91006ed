//! Connections: accepted, encrypted, served and in the end seen out.
//!
//! Enters: a listening socket, the TLS configuration, the service. Leaves: nothing. Absent: what
//! is asked and answered.

use std::{future::Future, net::IpAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::{
    App,
    auth::{Peer, Source},
    settings::Limits,
    telemetry::Handshake,
};

/// Accepts connections until `shutdown`, then gives those in flight the time to end.
pub async fn run(
    listener: TcpListener,
    tls: TlsAcceptor,
    router: Router,
    app: &Arc<App>,
    shutdown: impl Future<Output = ()>,
) {
    let limits = &app.limits;
    let places = Arc::new(Semaphore::new(limits.connections));
    let (close, closing) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = async {
            let place = places.clone().acquire_owned().await;
            (listener.accept().await, place)
        };
        let (stream, source, place) = tokio::select! {
            () = shutdown.as_mut() => break,
            // Forgets the connections that have ended.
            Some(_) = connections.join_next() => continue,
            (accepted, place) = accepted => match accepted {
                Ok((stream, source)) => (stream, source.ip(), place),
                Err(error) => {
                    // No file descriptors, mostly: others have to end first.
                    tracing::warn!(%error, "a connection was not accepted");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        // One address does not take all the places; a closed connection says so soonest.
        let Some(own_place) = app.connections.enter(source) else {
            app.telemetry.refused();
            continue;
        };
        let (tls, router) = (tls.clone(), router.clone());
        let (app, closing) = (app.clone(), closing.clone());
        connections.spawn(async move {
            let _places = (place, own_place);
            serve_connection(stream, source, tls, router, &app, closing).await;
        });
    }
    drop(listener);
    // Nobody to tell if there is no connection.
    let _ = close.send(true);
    let drained = timeout(limits.drain, async { while connections.join_next().await.is_some() {} });
    if drained.await.is_err() {
        tracing::warn!(left = connections.len(), "connections did not end in time");
        connections.shutdown().await;
    }
}

async fn serve_connection(
    stream: TcpStream,
    source: IpAddr,
    tls: TlsAcceptor,
    router: Router,
    app: &App,
    mut closing: watch::Receiver<bool>,
) {
    let limits: &Limits = &app.limits;
    // Answers are small and awaited; a failure only costs time.
    let _ = stream.set_nodelay(true);
    let stream = match timeout(limits.handshake, tls.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            app.telemetry.handshake(Handshake::Failed);
            return tracing::debug!(%error, "the handshake failed");
        }
        Err(_) => {
            app.telemetry.handshake(Handshake::Slow);
            return tracing::debug!("the handshake took too long");
        }
    };
    app.telemetry.handshake(Handshake::of(stream.get_ref().1.handshake_kind()));
    let peer = Peer::of(stream.get_ref().1.peer_certificates());
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        request.extensions_mut().insert(Source(source));
        router.clone().oneshot(request.map(Body::new))
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.headers)
            .max_buf_size(64 << 10)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        // The sender is gone only when the server is.
        _ = closing.wait_for(|closing| *closing) => None,
        () = sleep(limits.connection_age) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            match timeout(limits.request, connection).await {
                Ok(ended) => ended,
                Err(_) => return tracing::debug!("a connection was broken off"),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}
