//! What the parts of the device's end share: settings, state, places of sessions.

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

use super::{
    access::{self, Choice},
    log::{LogError, SessionLog},
};
use crate::tunnel::{
    TunnelConfig, dial::Destination, protocol::MOST_SESSIONS, relay::SessionLimits,
};

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
    pub(super) sessions: AtomicU32,
    /// Whether a round trip succeeded since the watchdog was fed last.
    pub(super) alive: AtomicBool,
}

/// What the page is told.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) connected_since: Option<Timestamp>,
    pub(super) trouble: Option<String>,
    pub(super) choice: Choice,
}

impl Shared {
    /// With the household's choice as it is stored.
    pub(super) fn open(settings: DeviceSettings, log: SessionLog) -> Result<Arc<Self>, LogError> {
        let choice = log.choice()?;
        Ok(Arc::new(Self {
            settings,
            instance: Uuid::new_v4(),
            log: Mutex::new(log),
            state: Mutex::new(State { choice, ..State::default() }),
            sessions: 0.into(),
            alive: false.into(),
        }))
    }

    pub(super) fn lock_log(&self) -> MutexGuard<'_, SessionLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lock_state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an administrator may be connected now.
    pub(super) fn permits(&self) -> bool {
        let now = self.settings.clock.now();
        access::permits(self.settings.config.access, self.lock_state().choice, now)
    }

    /// A place for a session, if there is one left.
    pub(super) fn take_place(self: &Arc<Self>) -> Option<SessionPlace> {
        let taken = self.sessions.fetch_add(1, Ordering::Relaxed);
        let place = SessionPlace(self.clone());
        (taken < MOST_SESSIONS).then_some(place)
    }

    pub(super) fn note_alive(&self) {
        self.alive.store(true, Ordering::Relaxed);
    }

    pub(super) fn hear(&self, event: TunnelEvent) {
        (self.settings.hear)(event);
    }
}

/// A session's place; dropped, it is free again.
pub(super) struct SessionPlace(Arc<Shared>);

impl Drop for SessionPlace {
    fn drop(&mut self) {
        self.0.sessions.fetch_sub(1, Ordering::Relaxed);
    }
}
