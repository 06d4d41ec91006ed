//! One session: asked for by the server, permitted by the household, logged, then carried.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use h2::{RecvStream, server::SendResponse};
use http::{Method, Request, Response, StatusCode};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};
use uuid::Uuid;

use super::shared::{SessionPlace, Shared, TunnelEvent};
use crate::tunnel::{
    dial::send_at_once,
    local::{LoggedSession, SessionEnd},
    protocol,
    relay::{Carried, RelayEnd, relay},
};

/// How long the service may take to accept a connection.
const DIAL: Duration = Duration::from_secs(3);

/// How often an open session is held against the household's choice.
const LOOK: Duration = Duration::from_secs(1);

/// The name of an administrator that the server does not tell.
const UNKNOWN: &str = "unknown";

/// Answers a request for a session, and carries it to its end.
pub(super) async fn serve(
    shared: Arc<Shared>,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) {
    let opened = open(&shared, &request).await;
    let Opened { number, service, record, _place } = match opened {
        Ok(opened) => opened,
        Err(status) => {
            tracing::debug!(%status, "a session is refused");
            let _ = respond.send_response(answer(status), true);
            return;
        }
    };
    let LoggedSession { administrator, .. } = &record;
    let (carried, ended) = match respond.send_response(answer(StatusCode::OK), false) {
        Err(_) => (Arc::default(), SessionEnd::Broken),
        Ok(send) => {
            shared.hear(TunnelEvent::Began(administrator.clone(), record.service.clone()));
            let carried = Arc::<Carried>::default();
            let limits = shared.settings.limits;
            let ended = tokio::select! {
                ended = relay(service, send, request.into_body(), &carried, limits) => match ended {
                    RelayEnd::Closed => SessionEnd::Closed,
                    RelayEnd::Broken => SessionEnd::Broken,
                    RelayEnd::Idle => SessionEnd::Idle,
                    RelayEnd::TooLong => SessionEnd::TooLong,
                },
                () = wait_until_switched_off(&shared) => SessionEnd::SwitchedOff,
            };
            shared.hear(TunnelEvent::Ended(administrator.clone()));
            (carried, ended)
        }
    };
    let bytes = [carried.from_tunnel(), carried.to_tunnel()];
    let now = shared.settings.clock.now();
    if let Err(error) = shared.lock_log().end(number, now, bytes, ended) {
        tracing::warn!(%error, "the end of a session is not stored");
    }
}

/// A session that is permitted, connected and stored.
struct Opened {
    number: i64,
    service: TcpStream,
    record: LoggedSession,
    _place: SessionPlace,
}

async fn open(shared: &Arc<Shared>, request: &Request<RecvStream>) -> Result<Opened, StatusCode> {
    if request.method() != Method::CONNECT {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    let name = request.uri().authority().map_or("", |name| name.as_str());
    let service = shared.settings.config.allow.find(name).ok_or(StatusCode::NOT_FOUND)?;
    if !shared.permits() {
        return Err(StatusCode::FORBIDDEN);
    }
    let place = shared.take_place().ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
    let dialled = timeout(DIAL, TcpStream::connect(service.address)).await;
    let stream = dialled.ok().and_then(Result::ok).ok_or(StatusCode::BAD_GATEWAY)?;
    send_at_once(&stream);
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let administrator = header(protocol::ADMINISTRATOR)
        .filter(|name| protocol::is_administrator_name(name))
        .unwrap_or(UNKNOWN)
        .to_owned();
    let session = header(protocol::SESSION).and_then(|text| text.parse().ok());
    let record = LoggedSession {
        session: session.unwrap_or_else(Uuid::new_v4),
        administrator,
        service: service.name.clone(),
        began_at: shared.settings.clock.now(),
        ended_at: None,
        bytes_in: 0,
        bytes_out: 0,
        end: None,
    };
    // Nobody is let in whom the household could not see.
    let LoggedSession { session, administrator, service, began_at, .. } = &record;
    let stored = shared.lock_log().begin(*session, administrator, service, *began_at);
    let number = stored.map_err(|error| {
        tracing::warn!(%error, "a session is refused: it cannot be stored");
        StatusCode::INSUFFICIENT_STORAGE
    })?;
    Ok(Opened { number, service: stream, record, _place: place })
}

async fn wait_until_switched_off(shared: &Shared) {
    while shared.permits() {
        sleep(LOOK).await;
    }
}

fn answer(status: StatusCode) -> Response<()> {
    let mut answer = Response::new(());
    *answer.status_mut() = status;
    answer
}
