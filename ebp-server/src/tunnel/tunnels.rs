//! The tunnels of this server and its sessions, and how they end with it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use ebp_fleet::tunnel::{relay::SessionLimits, server::TunnelHandle};
use ebp_survey::Survey;
use rustls::ClientConfig;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    auth::{Authenticator, ClientCertificate, OwnCertificate},
    telemetry::Telemetry,
};

/// How a server keeps tunnels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TunnelSettings {
    /// Where the other servers of the database reach this one, if there are any.
    pub url: Option<String>,
    /// How long sessions may go on when the server is stopped.
    pub linger: Duration,
    /// Whether the administrators' shared secret is enough to connect.
    pub shared_secret: bool,
    /// Tunnels at the same time.
    pub most: usize,
}

impl Default for TunnelSettings {
    fn default() -> Self {
        Self { url: None, linger: Duration::from_secs(300), shared_secret: false, most: 10_000 }
    }
}

/// What the parts use.
pub(crate) struct Tunnels {
    pub(super) survey: Arc<Survey>,
    pub(super) authenticator: Arc<Authenticator>,
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) settings: TunnelSettings,
    /// By which other servers are asked, if they can be.
    pub(super) peers: Option<Arc<ClientConfig>>,
    /// This process.
    pub(super) server: Uuid,
    open: Mutex<HashMap<Uuid, OpenTunnel>>,
    sessions: Mutex<HashMap<Uuid, OpenSession>>,
    /// Tunnels that are held, those included that were replaced and still have sessions.
    pub(super) held: AtomicUsize,
    /// Sessions that are carried, for other servers, too.
    pub(super) carrying: AtomicUsize,
    pub(super) is_closing: AtomicBool,
    pub(super) limits: SessionLimits,
}

/// A device's tunnel at this server.
pub(super) struct OpenTunnel {
    pub(super) epoch: i64,
    pub(super) instance: Uuid,
    pub(super) handle: TunnelHandle,
    pub(super) certificate: Arc<ClientCertificate>,
}

/// An administrator's session that came in at this server.
pub(super) struct OpenSession {
    /// Of the person who connected; none for the shared secret.
    pub(super) certificate: Option<Arc<OwnCertificate>>,
    /// Ends it.
    pub(super) revoked: Arc<Notify>,
    /// Ends it for an administrator.
    pub(super) ended: Arc<Notify>,
}

impl Tunnels {
    /// None yet.
    pub(crate) fn new(
        survey: Arc<Survey>,
        authenticator: Arc<Authenticator>,
        telemetry: Arc<Telemetry>,
        settings: TunnelSettings,
        peers: Option<Arc<ClientConfig>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            survey,
            authenticator,
            telemetry,
            settings,
            peers,
            server: Uuid::new_v4(),
            open: Mutex::default(),
            sessions: Mutex::default(),
            held: AtomicUsize::new(0),
            carrying: AtomicUsize::new(0),
            is_closing: AtomicBool::new(false),
            limits: SessionLimits::default(),
        })
    }

    /// How many tunnels there are at this server.
    pub(crate) fn count(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    pub(super) fn lock_open(&self) -> MutexGuard<'_, HashMap<Uuid, OpenTunnel>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lock_sessions(&self) -> MutexGuard<'_, HashMap<Uuid, OpenSession>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handles(&self) -> Vec<TunnelHandle> {
        self.lock_open().values().map(|tunnel| tunnel.handle.clone()).collect()
    }

    /// No tunnel is accepted any more, and devices are asked to build theirs elsewhere, spread over
    /// `time`.
    pub(crate) async fn begin_close(&self, time: Duration) {
        self.is_closing.store(true, Ordering::Relaxed);
        let handles = self.handles();
        let pause = time / u32::try_from(handles.len().max(1)).unwrap_or(u32::MAX);
        for handle in handles {
            handle.ask_to_move().await;
            tokio::time::sleep(pause).await;
        }
    }

    /// Waits for sessions, and ends all tunnels.
    pub(crate) async fn close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
        let is_carrying = || self.carrying.load(Ordering::Relaxed) > 0;
        wait_while(is_carrying, self.settings.linger).await;
        for handle in self.handles() {
            handle.end().await;
        }
        // Each writes down that it has ended.
        let is_writing = || self.count() > 0 || !self.lock_sessions().is_empty();
        wait_while(is_writing, LAST_WORDS).await;
    }
}

/// Waits as long as that is so, for so long at most.
async fn wait_while(is_so: impl Fn() -> bool, most: Duration) {
    let begun = tokio::time::Instant::now();
    while is_so() && begun.elapsed() < most {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How long ended tunnels have to write that down.
const LAST_WORDS: Duration = Duration::from_secs(2);
