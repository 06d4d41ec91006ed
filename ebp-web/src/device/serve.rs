//! Serving the page: everything that the configuration names is opened.

use std::{fs, future::Future, io, path::PathBuf, sync::Arc};

use ebp_client::{ClientError, identity::IdentityError};
use ebp_core::clock::Clock;
use ebp_device::clock::{ClockSource, DeviceSystemClock};
use tokio::net::TcpListener;

use super::{
    cloud_client::{CloudClient, ConnectError},
    config::WebConfig,
    ended::Ended,
    router::router,
    socket_meterside::SocketMeterside,
    state::{DeviceWeb, Parts},
    tunnelside::{SocketTunnelside, Tunnelside},
};
use crate::kit::{
    host::HostNames,
    listener::{self, Limits},
    moment::time_zone,
    session::SessionLimits,
};

/// Why the page cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The certificate or key of this page cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The Data API's client cannot be set up.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// There is no such zone.
    #[error("the time zone `{0}` is not known")]
    Zone(String),
    /// The folder of its state cannot be read.
    #[error("{}: {source}", path.display())]
    State {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The listener failed.
    #[error("the listener: {0}")]
    Listener(#[from] io::Error),
}

impl From<ConnectError> for ServeError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Identity(error) => Self::Identity(error),
            ConnectError::Client(error) => Self::Client(error),
        }
    }
}

/// The opened page, before it listens.
pub struct Opened {
    web: Arc<DeviceWeb>,
    hosts: HostNames,
    limits: Limits,
}

/// Opens what the configuration names, for a page at that port. Call it outside of an asynchronous
/// runtime.
///
/// # Errors
/// Returns [`ServeError`] if a file is missing or wrong. The server and the measuring daemon may be
/// away.
pub fn open(config: &WebConfig, port: u16) -> Result<Opened, ServeError> {
    let cloud = CloudClient::new(config.api.clone(), config.zone.clone())?;
    let clock = DeviceSystemClock::new(ClockSource::Automatic);
    let zone = time_zone(&config.zone).map_err(|_| ServeError::Zone(config.zone.clone()))?;
    let ended = Ended::open(&config.state, clock.now())
        .map_err(|source| ServeError::State { path: config.state.clone(), source })?;
    // Without a name of its own, addresses and `localhost` are left.
    let machine = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let web = DeviceWeb::new(Parts {
        cloud: Arc::new(cloud),
        meterside: Arc::new(SocketMeterside::new(config.socket.clone())),
        tunnelside: config
            .tunnel_socket
            .clone()
            .map(|path| -> Arc<dyn Tunnelside> { Arc::new(SocketTunnelside::new(path)) }),
        clock: Arc::new(clock),
        zone,
        sign_in_hash: config.sign_in_hash.clone(),
        ended,
        port,
        limits: SessionLimits::default(),
    });
    Ok(Opened {
        web: Arc::new(web),
        hosts: HostNames::new(machine.trim(), &config.names),
        limits: Limits { public_peers: config.public_peers, ..Limits::default() },
    })
}

impl Opened {
    /// Serves until `shutdown`.
    ///
    /// # Errors
    /// Returns [`ServeError::Listener`] if the listener fails.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        // Asks for the contacts now, so that the first visitor is told whom to ask.
        let _ = self.web.known_survey();
        let router = router(Arc::clone(&self.web), self.hosts.clone(), "http");
        Ok(listener::serve(listener, router, self.limits, shutdown).await?)
    }
}
