//! The server's end of a tunnel: one task holds it, sessions are opened by a [`TunnelHandle`].
//!
//! Enters: an upgraded connection, requests for sessions. Leaves: streams, and how the tunnel ended.
//! Absent: which device it is of, and who may use it.

use std::{future::Future, io, sync::Arc, time::Duration};

use bytes::Bytes;
use h2::{RecvStream, SendStream, client::SendRequest};
use http::{Method, Request, StatusCode, Uri};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};

use super::{Counted, Heartbeat, Traffic, protocol, protocol::Signal};

/// Requests that wait for a tunnel's task.
const WAITING: usize = 16;

/// How long a replaced tunnel is left to hear of it.
const FAREWELL: Duration = Duration::from_secs(1);

/// How a tunnel ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TunnelEnd {
    /// The device ended it.
    Closed,
    /// The connection broke off.
    Broken,
    /// The device was silent for too long.
    Silent,
    /// Another tunnel of the device has replaced it.
    Superseded,
    /// This server ended it.
    Ended,
}

/// Why there is no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The tunnel has ended.
    #[error("the device is not connected")]
    Gone,
    /// The device does not answer in time.
    #[error("the device does not answer")]
    Silent,
    /// The device refuses with that status.
    #[error("the device refuses with status {}", .0.as_u16())]
    Refused(StatusCode),
}

/// Who asks for what.
#[derive(Debug, Clone)]
pub struct OpenRequest {
    /// The name of the service.
    pub service: String,
    /// Who connects.
    pub administrator: String,
    /// The session's identifier.
    pub session: uuid::Uuid,
}

/// A session that the device has taken.
pub struct OpenSession {
    /// Towards the device.
    pub send: SendStream<Bytes>,
    /// From the device.
    pub receive: RecvStream,
}

enum Command {
    Start(oneshot::Sender<SendRequest<Bytes>>),
    Move,
    Supersede,
    End,
}

/// By which sessions are opened, and the tunnel is ended.
#[derive(Clone)]
pub struct TunnelHandle {
    commands: mpsc::Sender<Command>,
}

impl TunnelHandle {
    /// Opens a session, within [`protocol::OPEN`].
    ///
    /// # Errors
    /// [`OpenError`]: the tunnel has ended, the device does not answer in time, or refuses.
    pub async fn open(&self, request: OpenRequest) -> Result<OpenSession, OpenError> {
        timeout(protocol::OPEN, self.open_now(request)).await.unwrap_or(Err(OpenError::Silent))
    }

    async fn open_now(&self, request: OpenRequest) -> Result<OpenSession, OpenError> {
        let (sender, started) = oneshot::channel();
        self.commands.send(Command::Start(sender)).await.map_err(|_| OpenError::Gone)?;
        let requests = started.await.map_err(|_| OpenError::Gone)?;
        let mut requests = requests.ready().await.map_err(|_| OpenError::Gone)?;
        let refused = OpenError::Refused(StatusCode::NOT_FOUND);
        let service = Uri::builder().authority(request.service).build().map_err(|_| refused)?;
        let connect = Request::builder()
            .method(Method::CONNECT)
            .uri(service)
            .header(protocol::ADMINISTRATOR, request.administrator)
            .header(protocol::SESSION, request.session.to_string())
            .body(())
            .map_err(|_| refused)?;
        let (answer, send) = requests.send_request(connect, false).map_err(|_| OpenError::Gone)?;
        let answer = answer.await.map_err(|_| OpenError::Gone)?;
        match answer.status() {
            StatusCode::OK => Ok(OpenSession { send, receive: answer.into_body() }),
            status => Err(OpenError::Refused(status)),
        }
    }

    /// Asks the device to build another tunnel, and to end this one behind its sessions.
    pub async fn ask_to_move(&self) {
        let _ = self.commands.send(Command::Move).await;
    }

    /// Tells the device that another tunnel has replaced this one, and ends it.
    pub async fn supersede(&self) {
        let _ = self.commands.send(Command::Supersede).await;
    }

    /// Ends the tunnel and its sessions.
    pub async fn end(&self) {
        let _ = self.commands.send(Command::End).await;
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.commands.is_closed()
    }

    /// Waits until it has ended.
    pub async fn ended(&self) {
        self.commands.closed().await;
    }
}

/// A tunnel over that connection, and the future that holds it: it has to be polled, by a task of its
/// own, until it ends.
pub fn tunnel<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    connection: S,
    heartbeat: Heartbeat,
) -> (TunnelHandle, impl Future<Output = TunnelEnd> + Send) {
    let (commands, receiver) = mpsc::channel(WAITING);
    let connection = Counted::new(connection, Bytes::new());
    (TunnelHandle { commands }, hold(connection, heartbeat, receiver))
}

async fn hold<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    mut connection: Counted<S>,
    heartbeat: Heartbeat,
    mut commands: mpsc::Receiver<Command>,
) -> TunnelEnd {
    let traffic = connection.traffic();
    // Between two looks of half a limit each there was a byte, or the silence lasted the limit.
    let silent = wait_for_silence(traffic, heartbeat.get().mul_f32(1.25));
    let held = async {
        let first = match rest(&mut connection, &mut commands).await {
            Ok(Rested::Start(first)) => first,
            Ok(Rested::Ended(end)) => return end,
            Err(_) => return TunnelEnd::Broken,
        };
        // In the heap: tunnels at rest do not carry what HTTP/2 needs.
        Box::pin(carry(connection, commands, first)).await
    };
    tokio::select! {
        end = held => end,
        () = silent => TunnelEnd::Silent,
    }
}

/// Waits until no byte has arrived between two looks.
async fn wait_for_silence(traffic: Arc<Traffic>, pause: Duration) {
    let mut looks = interval_at(Instant::now() + pause, pause);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut quiet = 0;
    let mut seen = traffic.received();
    loop {
        looks.tick().await;
        let now = traffic.received();
        quiet = if now == seen { quiet + 1 } else { 0 };
        seen = now;
        if quiet == 2 {
            return;
        }
    }
}

/// Why a tunnel rests no more.
enum Rested {
    Start(oneshot::Sender<SendRequest<Bytes>>),
    Ended(TunnelEnd),
}

/// Answers heartbeats until a session is wanted.
async fn rest<S: AsyncRead + AsyncWrite + Unpin>(
    connection: &mut Counted<S>,
    commands: &mut mpsc::Receiver<Command>,
) -> io::Result<Rested> {
    let mut byte = [0];
    loop {
        tokio::select! {
            read = connection.read(&mut byte) => match (read?, Signal::from_byte(byte[0])) {
                (0, _) => return Ok(Rested::Ended(TunnelEnd::Closed)),
                (_, Some(Signal::Heartbeat)) => tell(connection, Signal::Heartbeat).await?,
                _ => return Ok(Rested::Ended(TunnelEnd::Broken)),
            },
            command = commands.recv() => match command {
                Some(Command::Start(first)) => {
                    let started = timeout(protocol::ANSWER, start(connection)).await;
                    return Ok(match started.map(Result::unwrap_or_default) {
                        Ok(true) => Rested::Start(first),
                        Ok(false) => Rested::Ended(TunnelEnd::Broken),
                        Err(_) => Rested::Ended(TunnelEnd::Silent),
                    });
                }
                Some(Command::Move) => tell(connection, Signal::Move).await?,
                Some(Command::Supersede) => {
                    let told = timeout(FAREWELL, async {
                        tell(connection, Signal::Superseded).await?;
                        connection.shutdown().await
                    });
                    let _ = told.await;
                    return Ok(Rested::Ended(TunnelEnd::Superseded));
                }
                Some(Command::End) | None => return Ok(Rested::Ended(TunnelEnd::Ended)),
            },
        }
    }
}

/// Agrees with the device on HTTP/2. False if it answers something else.
async fn start<S: AsyncRead + AsyncWrite + Unpin>(connection: &mut S) -> io::Result<bool> {
    tell(connection, Signal::Start).await?;
    let mut byte = [0];
    loop {
        connection.read_exact(&mut byte).await?;
        match Signal::from_byte(byte[0]) {
            // Sent before the device read the start; it needs no answer any more.
            Some(Signal::Heartbeat) => {}
            signal => return Ok(signal == Some(Signal::Start)),
        }
    }
}

async fn tell<S: AsyncWrite + Unpin>(connection: &mut S, signal: Signal) -> io::Result<()> {
    connection.write_all(&[signal as u8]).await?;
    connection.flush().await
}

/// Carries sessions until the connection ends.
async fn carry<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    connection: Counted<S>,
    mut commands: mpsc::Receiver<Command>,
    first: oneshot::Sender<SendRequest<Bytes>>,
) -> TunnelEnd {
    let shaken = protocol::server_side().handshake(connection).await;
    let Ok((requests, mut connection)) = shaken else { return TunnelEnd::Broken };
    let _ = first.send(requests.clone());
    loop {
        tokio::select! {
            ended = &mut connection => {
                return if ended.is_ok() { TunnelEnd::Closed } else { TunnelEnd::Broken };
            }
            command = commands.recv() => match command {
                Some(Command::Start(sender)) => drop(sender.send(requests.clone())),
                Some(Command::Move) => notify(&requests, protocol::MOVE_PATH),
                Some(Command::Supersede) => {
                    notify(&requests, protocol::SUPERSEDED_PATH);
                    let _ = timeout(FAREWELL, &mut connection).await;
                    return TunnelEnd::Superseded;
                }
                Some(Command::End) | None => return TunnelEnd::Ended,
            },
        }
    }
}

/// Sends a request without a body, whose answer tells nothing.
fn notify(requests: &SendRequest<Bytes>, path: &str) {
    let uri = Uri::builder().scheme("https").authority("device").path_and_query(path).build();
    let Ok(uri) = uri else { return };
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    // Sent while the connection is polled; dropping the answer's future does not take it back before.
    if let Ok((answer, _)) = requests.clone().send_request(request, true) {
        tokio::spawn(async move { drop(answer.await) });
    }
}
