//! Builds the tunnel, keeps it, and builds it anew: the loop of `ebp tunnel`.

use std::{
    future::Future,
    net::{IpAddr, SocketAddr},
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime},
};

use sd_notify::NotifyState;
use tokio::{
    sync::{Notify, mpsc},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until},
};
use uuid::Uuid;

use super::{
    hold::{Held, HoldEnd, Wish, hold},
    log::{LogError, SessionLog},
    shared::{DeviceSettings, Shared, TunnelEvent},
    socket::{Socket, SocketError},
    wait::{Cause, Waits},
};
use crate::tunnel::{
    Upgraded,
    dial::{Connection, Dial, DialError, local_address},
    protocol,
};

/// How often network and certificate are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// A connection that ends sooner has not been one.
const LASTING: Duration = Duration::from_secs(10);

/// How long sessions have to write their end when the program is stopped.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why the tunnel is held no longer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TunnelStop {
    /// It was asked to stop.
    #[error("stopped")]
    Asked,
    /// The household has revoked its consent: there is never a tunnel again.
    #[error("the household has revoked its consent")]
    ConsentRevoked,
    /// The log of sessions cannot be used.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The page's socket cannot be used.
    #[error(transparent)]
    Socket(#[from] SocketError),
}

/// Holds the tunnel until `shutdown`, or until consent is revoked.
///
/// Has to run on a runtime of its own thread with time, network and signals enabled.
pub async fn run(
    settings: DeviceSettings,
    log: SessionLog,
    shutdown: impl Future<Output = ()>,
) -> TunnelStop {
    let shared = match Shared::open(settings, log) {
        Ok(shared) => shared,
        Err(error) => return error.into(),
    };
    let page = match shared.settings.config.socket.as_deref().map(Socket::listen) {
        Some(Err(error)) => return error.into(),
        Some(Ok(socket)) => Some(socket),
        None => None,
    };
    let answering = async {
        match &page {
            Some(socket) => socket.answer(&shared).await,
            None => std::future::pending().await,
        }
    };
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    let stop = {
        let mut keeper = Keeper::new(shared.clone());
        tokio::select! {
            () = shutdown => TunnelStop::Asked,
            () = keeper.keep() => TunnelStop::ConsentRevoked,
            () = answering => TunnelStop::Asked,
        }
    };
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    // With their connections gone, sessions end by themselves.
    let begun = Instant::now();
    while shared.sessions.load(Ordering::Relaxed) > 0 && begun.elapsed() < FAREWELL {
        sleep(Duration::from_millis(10)).await;
    }
    stop
}

type Attempt = Pin<Box<dyn Future<Output = Result<Upgraded<Connection>, Failure>> + Send>>;

/// Why an attempt failed.
enum Failure {
    Identity(String),
    Dial(DialError),
}

/// The connection in use.
struct Current {
    number: u64,
    since: Instant,
    leave: Arc<Notify>,
    server: Option<SocketAddr>,
    local: Option<IpAddr>,
}

struct Keeper {
    shared: Arc<Shared>,
    waits: Waits,
    /// Connections: the one in use, and those that are left and end behind their sessions.
    holds: JoinSet<(u64, HoldEnd)>,
    current: Option<Current>,
    attempt: Option<Attempt>,
    next: Option<Instant>,
    connections: u64,
    certificate: Option<SystemTime>,
    wishes: (mpsc::Sender<Wish>, mpsc::Receiver<Wish>),
}

impl Keeper {
    fn new(shared: Arc<Shared>) -> Self {
        Self {
            certificate: changed_at(&shared),
            shared,
            waits: Waits::default(),
            holds: JoinSet::new(),
            current: None,
            attempt: None,
            next: Some(Instant::now()),
            connections: 0,
            wishes: mpsc::channel(4),
        }
    }

    /// Keeps a tunnel until consent is revoked.
    async fn keep(&mut self) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = self.next;
            let attempt = self.attempt.as_mut();
            tokio::select! {
                connected = async { match attempt { Some(attempt) => attempt.await, None => std::future::pending().await } } => {
                    self.attempt = None;
                    match connected {
                        Ok(connection) => self.replace(connection),
                        Err(failure) => if !self.fail(failure) { return },
                    }
                }
                () = async { match due { Some(due) => sleep_until(due).await, None => std::future::pending().await } } => {
                    self.next = None;
                    self.try_now();
                }
                Some(ended) = self.holds.join_next() => self.note_end(ended.ok()),
                Some(Wish::Move) = self.wishes.1.recv() => self.try_now(),
                _ = looks.tick() => self.look(),
            }
        }
    }

    fn try_now(&mut self) {
        if self.attempt.is_none() {
            self.attempt = Some(Box::pin(connect(self.shared.clone())));
        }
    }

    /// Uses a new connection; the old one ends behind its sessions.
    fn replace(&mut self, connection: Upgraded<Connection>) {
        if let Some(old) = self.current.take() {
            old.leave.notify_one();
        }
        self.waits.succeeded();
        self.next = None;
        self.connections += 1;
        let stream = connection.get_ref().get_ref().0.get_ref();
        let leave = Arc::<Notify>::default();
        let number = self.connections;
        self.current = Some(Current {
            number,
            since: Instant::now(),
            leave: leave.clone(),
            server: stream.peer_addr().ok(),
            local: stream.local_addr().ok().map(|address| address.ip()),
        });
        let held = Held { leave, wishes: self.wishes.0.clone() };
        let holding = hold(connection, self.shared.clone(), held);
        self.holds.spawn(async move { (number, holding.await) });
        {
            let mut state = self.shared.lock_state();
            state.connected_since = Some(self.shared.settings.clock.now());
            state.trouble = None;
        }
        self.shared.note_alive();
        let _ = sd_notify::notify(&[NotifyState::Status("connected")]);
        self.shared.hear(TunnelEvent::Connected);
    }

    /// Waits by the cause. False if there is nothing to wait for.
    fn fail(&mut self, failure: Failure) -> bool {
        let (cause, text) = match failure {
            Failure::Identity(text) => (Cause::NotAuthorized, text),
            Failure::Dial(error) => (Cause::from_error(&error), describe(&error)),
        };
        let Some(wait) = self.waits.next(cause, random()) else { return false };
        self.next = Some(Instant::now() + wait);
        self.shared.lock_state().trouble = Some(text.clone());
        let _ = sd_notify::notify(&[NotifyState::Status(&text)]);
        self.shared.hear(TunnelEvent::Failed(text, wait));
        true
    }

    /// A connection has ended.
    fn note_end(&mut self, ended: Option<(u64, HoldEnd)>) {
        let Some(current) = &self.current else { return };
        // A task that panicked took the connection with it; which one is not known.
        let (number, end) = ended.unwrap_or((current.number, HoldEnd::Lost));
        if current.number != number {
            return;
        }
        let lasted = current.since.elapsed() >= LASTING;
        self.current = None;
        self.shared.lock_state().connected_since = None;
        let wait = match end {
            // The other process may be right: whoever comes back at once only replaces it in turn.
            HoldEnd::Superseded => self.waits.next(Cause::Local, random()),
            HoldEnd::Lost | HoldEnd::Silent if !lasted => self.waits.next(Cause::Failing, random()),
            _ => Some(Duration::ZERO),
        };
        self.next = wait.map(|wait| Instant::now() + wait);
        let why = match end {
            HoldEnd::Lost => "the connection ended",
            HoldEnd::Silent => "the server was silent",
            HoldEnd::Superseded => "another tunnel of this device has replaced it",
            HoldEnd::Left => "it was left for another one",
        };
        self.shared.hear(TunnelEvent::Lost(why));
    }

    /// Looks at certificate and network, and feeds the watchdog after a round trip or while waiting.
    fn look(&mut self) {
        let certificate = changed_at(&self.shared);
        if certificate.is_some() && certificate != self.certificate {
            self.certificate = certificate;
            self.try_now();
        }
        if let Some(current) = &mut self.current
            && let Some(now) = current.server.and_then(local_address)
            && current.local.is_some_and(|then| then != now)
        {
            current.local = Some(now);
            self.try_now();
        }
        if self.current.is_none() || self.shared.alive.swap(false, Ordering::Relaxed) {
            let _ = sd_notify::notify(&[NotifyState::Watchdog]);
        }
    }
}

async fn connect(shared: Arc<Shared>) -> Result<Upgraded<Connection>, Failure> {
    let settings = &shared.settings;
    let tls = (settings.load_tls)().map_err(Failure::Identity)?;
    let destination = settings.destination.clone();
    let dial = Dial { destination, tls, proxy: settings.config.proxy.clone() };
    let headers = [
        (protocol::INSTANCE, shared.instance.to_string()),
        (protocol::VERSION, settings.version.to_owned()),
        (protocol::HEARTBEAT, settings.config.heartbeat.get().as_secs().to_string()),
    ];
    let connecting = pin!(dial.upgrade(settings.path, protocol::DEVICE_PROTOCOL, &headers));
    connecting.await.map_err(Failure::Dial)
}

fn describe(error: &DialError) -> String {
    let mut text = error.to_string();
    if error.is_certificate_refused() {
        text.push_str(" (the certificate is not accepted)");
    }
    text
}

fn changed_at(shared: &Shared) -> Option<SystemTime> {
    std::fs::metadata(&shared.settings.certificate).ok()?.modified().ok()
}

fn random() -> u32 {
    u32::try_from(Uuid::new_v4().as_u128() & u128::from(u32::MAX)).unwrap_or_default()
}
