//! The device's end of the tunnel.
//!
//! Enters: the configuration, the household's switch, sessions that a server opens. Leaves: bytes to
//! and from the services of the device's own list, a log of every session. Absent: any service that
//! the list does not name, and any command: whatever the server or an administrator sends, the device
//! only ever dials what its own file allows, while its household permits it.
//!
//! [`run()`] holds the tunnel until it is stopped or the household's consent ends: it connects, holds
//! what it has connected ([`hold`](mod@hold)), and waits by the cause of a failure ([`wait`](mod@wait)).

mod access;
mod hold;
mod log;
mod run;
mod session;
mod socket;
mod wait;

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use ebp_core::clock::Clock;
use jiff::Timestamp;
use rustls::ClientConfig;
use uuid::Uuid;

use super::{TunnelConfig, dial::Destination, protocol::MOST_SESSIONS, relay::SessionLimits};
pub use access::Choice;
#[doc(hidden)]
pub use hold::serve_hostile;
pub use log::{LogError, LoggedSession, SessionEnd, SessionLog};
pub use run::{TunnelStop, run};
pub use socket::{Answer, Request, SocketError, Status};

/// Loads the device's identity anew: its certificate is renewed by another process.
pub type LoadTls = Box<dyn Fn() -> Result<Arc<ClientConfig>, String> + Send + Sync>;

/// What the device's end needs.
pub struct DeviceSettings {
    /// The section of the configuration.
    pub config: TunnelConfig,
    /// Where the server is.
    pub destination: Destination,
    /// The path of the server's route.
    pub path: &'static str,
    /// Makes the TLS configuration of the device's certificate as it is now.
    pub load_tls: LoadTls,
    /// The certificate's file, which is watched for a change.
    pub certificate: PathBuf,
    /// The program's version.
    pub version: &'static str,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// How long sessions may last.
    pub limits: SessionLimits,
    /// Told of what happens, for the program's output.
    pub hear: Box<dyn Fn(TunnelEvent) + Send + Sync>,
}

/// What happens to a tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TunnelEvent {
    /// It is held.
    Connected,
    /// It has ended, and is built anew.
    Lost(&'static str),
    /// There is none, and the next attempt is after that time.
    Failed(String, Duration),
    /// An administrator is let in to that service.
    Began(String, String),
    /// The session of that administrator has ended.
    Ended(String),
}

/// What the parts of the device's end share.
pub(super) struct Shared {
    pub(super) settings: DeviceSettings,
    /// This run of the program.
    pub(super) instance: Uuid,
    log: Mutex<SessionLog>,
    state: Mutex<State>,
    sessions: AtomicU32,
    /// Whether a round trip succeeded since the watchdog was fed last.
    alive: AtomicBool,
}

/// What the page is told.
#[derive(Debug, Clone, Default)]
struct State {
    connected_since: Option<Timestamp>,
    trouble: Option<String>,
    choice: Choice,
}

impl Shared {
    fn lock_log(&self) -> MutexGuard<'_, SessionLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an administrator may be connected now.
    fn permits(&self) -> bool {
        let now = self.settings.clock.now();
        access::permits(self.settings.config.access, self.lock_state().choice, now)
    }

    /// A place for a session, if there is one left.
    fn take_place(self: &Arc<Self>) -> Option<SessionPlace> {
        let taken = self.sessions.fetch_add(1, Ordering::Relaxed);
        let place = SessionPlace(self.clone());
        (taken < MOST_SESSIONS).then_some(place)
    }

    fn note_alive(&self) {
        self.alive.store(true, Ordering::Relaxed);
    }

    fn hear(&self, event: TunnelEvent) {
        (self.settings.hear)(event);
    }
}

/// A session's place; dropped, it is free again.
struct SessionPlace(Arc<Shared>);

impl Drop for SessionPlace {
    fn drop(&mut self) {
        self.0.sessions.fetch_sub(1, Ordering::Relaxed);
    }
}
