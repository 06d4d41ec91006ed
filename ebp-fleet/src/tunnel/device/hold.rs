//! Holds one connection: heartbeats, and sessions once the server wants one.

use std::{future::poll_fn, io, sync::Arc, time::Duration};

use bytes::Bytes;
use h2::Ping;
use http::{Method, StatusCode};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::{Notify, mpsc},
    time::{Instant, sleep_until},
};

use super::{
    log::SessionLog,
    session,
    shared::{DeviceSettings, Shared},
};
use crate::tunnel::{Counted, Traffic, protocol, protocol::Signal};

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HoldEnd {
    /// The server closed it, or it broke off.
    Lost,
    /// The server was silent.
    Silent,
    /// Another tunnel of this device has replaced it.
    Superseded,
    /// It was left for another one, and its sessions are done.
    Left,
}

/// What a connection tells while it is held.
pub(super) enum Wish {
    /// The server wants another tunnel in its place.
    Move,
}

/// A connection that is held.
pub(super) struct Held {
    /// Told once, it ends behind its sessions.
    pub(super) leave: Arc<Notify>,
    /// What the server wants.
    pub(super) wishes: mpsc::Sender<Wish>,
}

/// When the next heartbeat is due, and whether the last one was answered by any byte.
struct Beat {
    traffic: Arc<Traffic>,
    pause: Duration,
    /// How long the answer may take.
    answer: Duration,
    next: Instant,
    /// What had arrived when the last heartbeat was sent, if that is not answered.
    unanswered: Option<u64>,
}

impl Beat {
    fn new(traffic: Arc<Traffic>, pause: Duration) -> Self {
        let answer = protocol::ANSWER.min(pause / 3);
        Self { traffic, pause, answer, next: Instant::now() + pause, unanswered: None }
    }

    async fn wait(&self) {
        sleep_until(self.next).await;
    }

    /// What is due: a heartbeat is to be sent, or nothing. None if the other end is silent.
    fn turn(&mut self, shared: &Shared) -> Option<bool> {
        let received = self.traffic.received();
        match self.unanswered.take() {
            Some(before) if before == received => None,
            Some(_) => {
                shared.note_alive();
                self.next = Instant::now() + self.pause.saturating_sub(self.answer);
                Some(false)
            }
            None => {
                self.unanswered = Some(received);
                self.next = Instant::now() + self.answer;
                Some(true)
            }
        }
    }
}

/// Holds the connection to its end.
pub(super) async fn hold<S>(mut connection: Counted<S>, shared: Arc<Shared>, held: Held) -> HoldEnd
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let heartbeat = shared.settings.config.heartbeat.get();
    let mut beat = Beat::new(connection.traffic(), heartbeat);
    match rest(&mut connection, &mut beat, &shared, &held).await {
        Ok(None) => carry(connection, beat, shared, held).await,
        Ok(Some(end)) => end,
        Err(error) => {
            tracing::debug!(%error, "the tunnel broke off");
            HoldEnd::Lost
        }
    }
}

/// Sends heartbeats until the server wants a session, which is no end.
async fn rest<S: AsyncRead + AsyncWrite + Unpin>(
    connection: &mut Counted<S>,
    beat: &mut Beat,
    shared: &Shared,
    held: &Held,
) -> io::Result<Option<HoldEnd>> {
    let mut byte = [0];
    loop {
        tokio::select! {
            read = connection.read(&mut byte) => match (read?, Signal::from_byte(byte[0])) {
                (0, _) => return Ok(Some(HoldEnd::Lost)),
                (_, Some(Signal::Heartbeat)) => {}
                (_, Some(Signal::Start)) => {
                    send(connection, Signal::Start).await?;
                    return Ok(None);
                }
                (_, Some(Signal::Move)) => drop(held.wishes.try_send(Wish::Move)),
                (_, Some(Signal::Superseded)) => return Ok(Some(HoldEnd::Superseded)),
                (_, None) => return Ok(Some(HoldEnd::Lost)),
            },
            () = beat.wait() => match beat.turn(shared) {
                None => return Ok(Some(HoldEnd::Silent)),
                Some(true) => send(connection, Signal::Heartbeat).await?,
                Some(false) => {}
            },
            () = held.leave.notified() => return Ok(Some(HoldEnd::Left)),
        }
    }
}

async fn send<S: AsyncWrite + Unpin>(connection: &mut S, signal: Signal) -> io::Result<()> {
    connection.write_all(&[signal as u8]).await?;
    connection.flush().await
}

/// Carries sessions until the connection ends.
async fn carry<S>(
    connection: Counted<S>,
    mut beat: Beat,
    shared: Arc<Shared>,
    held: Held,
) -> HoldEnd
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shaking = tokio::time::timeout(
        protocol::ANSWER,
        protocol::device_side().handshake::<_, Bytes>(connection),
    );
    let Ok(Ok(mut connection)) = shaking.await else { return HoldEnd::Lost };
    let Some(mut pings) = connection.ping_pong() else { return HoldEnd::Lost };
    let (mut is_left, mut is_pinging) = (false, false);
    loop {
        tokio::select! {
            accepted = connection.accept() => match accepted {
                None if is_left => return HoldEnd::Left,
                None => return HoldEnd::Lost,
                Some(Err(error)) => {
                    tracing::debug!(%error, "the tunnel broke off");
                    return HoldEnd::Lost;
                }
                Some(Ok((request, mut respond))) => {
                    let path = (request.method() == Method::POST).then(|| request.uri().path());
                    match path {
                        Some(protocol::MOVE_PATH) => drop(held.wishes.try_send(Wish::Move)),
                        Some(protocol::SUPERSEDED_PATH) => return HoldEnd::Superseded,
                        _ => {
                            // By itself: a session whose connection is gone still writes its end.
                            tokio::spawn(session::serve(shared.clone(), request, respond));
                            continue;
                        }
                    }
                    let mut done = http::Response::new(());
                    *done.status_mut() = StatusCode::NO_CONTENT;
                    let _ = respond.send_response(done, true);
                }
            },
            pong = poll_fn(|context| pings.poll_pong(context)), if is_pinging => {
                is_pinging = false;
                if pong.is_err() {
                    return HoldEnd::Lost;
                }
            }
            () = beat.wait() => match beat.turn(&shared) {
                None => return HoldEnd::Silent,
                Some(true) if !is_pinging => is_pinging = pings.send_ping(Ping::opaque()).is_ok(),
                Some(_) => {}
            },
            () = held.leave.notified(), if !is_left => {
                is_left = true;
                connection.graceful_shutdown();
            }
        }
    }
}

/// The device's end over any stream, for tests with hostile servers: no session is ever permitted
/// that the settings do not allow.
#[doc(hidden)]
pub async fn serve_hostile<S>(stream: S, settings: DeviceSettings, log: SessionLog)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Ok(shared) = Shared::open(settings, log) else { return };
    let (wishes, _wished) = mpsc::channel(1);
    let held = Held { leave: Arc::default(), wishes };
    hold(Counted::new(stream, Bytes::new()), shared, held).await;
}
