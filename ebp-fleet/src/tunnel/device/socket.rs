//! The socket at which the device's page asks: a line of JSON for each request and answer.

use std::{
    fs, io,
    os::unix::{fs::PermissionsExt, net::UnixStream as BlockingStream},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    time::timeout,
};

use super::{access::Choice, log::LogError, shared::Shared};
use crate::tunnel::{
    TunnelAccess,
    local::{Answer, Request, Status},
};

/// The maximum number of connections; further ones are closed at once.
const MOST_CONNECTIONS: usize = 16;
/// The longest line of a request.
const LONGEST_LINE: u64 = 4096;
/// A connection is closed if the client sends nothing for this long.
const IDLE: Duration = Duration::from_secs(300);
/// The most sessions of an answer.
const MOST_SESSIONS: u32 = 1_000;

/// Why the socket cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("the socket {}: {source}", path.display())]
pub struct SocketError {
    /// Its path.
    pub path: PathBuf,
    /// The cause: its folder is missing, another process listens there, or no permission.
    pub source: io::Error,
}

/// The socket.
pub(super) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Listens at that path. Users of the socket's group may connect (mode 0660). A socket file
    /// without a listener is replaced.
    pub(super) fn listen(path: &Path) -> Result<Self, SocketError> {
        let fault = |source| SocketError { path: path.to_owned(), source };
        if BlockingStream::connect(path).is_ok() {
            return Err(fault(io::ErrorKind::AddrInUse.into()));
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fault(error)),
            _ => {}
        }
        let listener = UnixListener::bind(path).map_err(fault)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o660)).map_err(fault)?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Answers for ever.
    pub(super) async fn answer(&self, shared: &Arc<Shared>) {
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        loop {
            let Ok((stream, _)) = self.listener.accept().await else {
                // Too many open files: there may be fewer soon.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let Ok(place) = places.clone().try_acquire_owned() else { continue };
            let shared = shared.clone();
            tokio::spawn(async move {
                let _place = place;
                // A client that disconnects ends its connection.
                let _ = serve(stream, &shared).await;
            });
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

async fn serve(stream: UnixStream, shared: &Shared) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader);
    loop {
        let mut line = Vec::new();
        let mut bounded = (&mut lines).take(LONGEST_LINE);
        timeout(IDLE, bounded.read_until(b'\n', &mut line)).await??;
        if !line.ends_with(b"\n") {
            return Ok(());
        }
        let answer = match serde_json::from_slice(&line) {
            Ok(request) => answer(shared, request),
            Err(error) => Answer::Refusal(format!("no request that is known: {error}")),
        };
        let mut text = serde_json::to_vec(&answer)?;
        text.push(b'\n');
        writer.write_all(&text).await?;
    }
}

fn answer(shared: &Shared, request: Request) -> Answer {
    let answered = match request {
        Request::Status {} => status(shared).map(Answer::Status),
        Request::Sessions { most } => {
            shared.lock_log().latest(most.min(MOST_SESSIONS)).map(Answer::Sessions)
        }
        Request::SetAccess { until } => {
            if until.is_some() && shared.settings.config.access == TunnelAccess::Never {
                return Answer::Refusal("the device's configuration permits it never".to_owned());
            }
            let choice = until.map_or(Choice::None, Choice::Until);
            let stored = shared.lock_log().choose(choice);
            stored.and_then(|()| {
                shared.lock_state().choice = choice;
                status(shared).map(Answer::Status)
            })
        }
    };
    answered.unwrap_or_else(|error| Answer::Refusal(error.to_string()))
}

fn status(shared: &Shared) -> Result<Status, LogError> {
    let latest = shared.lock_log().latest(MOST_SESSIONS)?;
    let permitted = shared.permits();
    let state = shared.lock_state().clone();
    let config = &shared.settings.config;
    Ok(Status {
        connected_since: state.connected_since,
        trouble: state.trouble,
        permitted,
        access: config.access,
        access_until: match state.choice {
            Choice::None => None,
            Choice::Until(until) => Some(until),
        },
        services: config.allow.iter().map(|service| service.name.clone()).collect(),
        connected: latest.into_iter().filter(|session| session.ended_at.is_none()).collect(),
    })
}
