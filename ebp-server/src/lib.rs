//! The Data API of the `ebp` measurement system: the single source of truth for registrations,
//! consents, devices and measurements.
//!
//! Enters: requests over mutual TLS, registrations, an administrator's orders to the certificate
//! authority. Leaves: the contract's bodies, certificates. Deliberately absent: serial ports,
//! the command line, geometry (`ebp-anon` knows it).
//!
//! A request is answered in this order: [`listener`](crate::serve) (TLS, who is there), `router`
//! (which route, with which scope), [`auth`] (may they), `api` (what they asked for), [`store`]
//! (what is known).
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::{path::Path, sync::Arc};
//! use ebp_core::clock::SystemClock;
//! use ebp_server::{Settings, authority::Authority, serve};
//!
//! let clock = Arc::new(SystemClock);
//! let data = Path::new("/var/lib/ebp");
//! Authority::init(&data.join("authority"), "Survey 2026", clock.clone())?;
//! let settings = Settings::in_folder(data, vec!["ebp.example.org".into()], clock);
//! let listener = tokio::net::TcpListener::bind("[::]:8443").await?;
//! serve(settings, listener, std::future::pending()).await?;
//! # Ok(()) }
//! ```

mod api;
pub mod auth;
pub mod authority;
mod config;
mod database_clock;
mod drain;
pub mod geocoding;
pub mod limit;
mod listener;
pub mod masking;
pub mod openapi;
mod overload;
mod problem;
mod revocations;
mod router;
mod settings;
mod telemetry;

use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ebp_core::{
    clock::Clock,
    private_file::{self, Exposed},
};
use tokio::sync::Semaphore;

pub use config::PREFIX as ENVIRONMENT_PREFIX;
pub use config::{
    ConfigError, EXAMPLE, GeocodingConfig, LimitsConfig, LogFormat, ServerConfig, TokensConfig,
};
pub use problem::ApiError;
pub use revocations::{
    Applied, InvalidLine, KeptRevocations, KeptRevocationsError, Revocations, issued,
};
pub use router::{Endpoint, endpoints};
pub use settings::{Limits, Settings};

/// Reads an upload's body of that content encoding as the server does, and returns how many
/// measurements it has, and how many octets unpacked. For tests and fuzzing of its bounds.
///
/// # Errors
/// What an upload would be answered.
#[doc(hidden)]
pub fn read_upload(body: &[u8], encoding: Option<&str>) -> Result<(usize, usize), ApiError> {
    api::measurement::read(body, encoding)
}

use auth::{RegisterWatch, Secrets, Tokens};
use authority::{Authority, AuthorityError};
use database_clock::DatabaseClock;
use ebp_store::{Database, Quota, Store, StoreError, masking::MaskingError, open_store};
use geocoding::{GeocodeError, Geocoder};
use overload::Overload;
use revocations::Keeper;
use telemetry::Telemetry;

/// Connections that the holder of a certificate may have, however few there are in all: a program
/// opens several.
const LEAST_CONNECTIONS: usize = 8;

/// Addresses that are looked up at the same time.
const LOCATING: usize = 8;

/// What handlers share.
pub(crate) struct App {
    store: Arc<dyn Store>,
    register: RegisterWatch,
    authority: Authority,
    secrets: Secrets,
    tokens: Option<Tokens>,
    telemetry: Telemetry,
    requests: limit::Requests,
    device_certificates: Duration,
    connections: Arc<limit::Connections>,
    clock: Arc<dyn Clock>,
    database_clock: Arc<DatabaseClock>,
    limits: Limits,
    quota: Option<Quota>,
    geocoder: Option<Arc<Geocoder>>,
    revocations: Arc<Keeper>,
    overload: Overload,
    /// Connections of those who showed a certificate.
    holders: Arc<limit::Shares>,
    /// Bounds the memory that bodies take while they come in.
    receiving: Arc<limit::Shares>,
    /// Bounds the memory that uploads take while they are unpacked and read.
    unpacking: Arc<limit::Turns>,
    /// Bounds the threads that wait for the location of an address.
    locating: Arc<Semaphore>,
}

/// Why the server cannot start or end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The authority cannot be used.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] auth::TlsError),
    /// Others than its owner may use the file of the shared secrets' hashes.
    #[error("the hashes of the secrets: {0}")]
    Exposed(#[from] Exposed),
    /// Tokens cannot be accepted.
    #[error(transparent)]
    Token(#[from] auth::TokenError),
    /// Households cannot be masked by what is configured.
    #[error(transparent)]
    Masking(#[from] MaskingError),
    /// Addresses cannot be located as it is configured.
    #[error(transparent)]
    Geocoding(#[from] GeocodeError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server's own list of revocations cannot be used.
    #[error(transparent)]
    Revocations(#[from] KeptRevocationsError),
}

/// Serves the Data API on `listener` until `shutdown`; then no connection is accepted any more and
/// requests in flight are answered. `shutdown` is not polled before everything is ready to serve, so
/// that it can tell of it.
///
/// The server's certificate is issued here when there is none that fits, provided that the
/// authority's key is at hand.
///
/// # Errors
/// If authority, certificate or database cannot be used.
pub async fn serve(
    settings: Settings,
    listener: tokio::net::TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let Settings {
        data,
        database,
        authority: dir,
        device_certificates,
        certificate,
        key,
        secrets,
        tokens,
        masking,
        geocoding,
        hostnames,
        limits,
        quota,
        clock,
        trust_database_clock,
    } = settings;
    let database_clock = Arc::new(DatabaseClock::new(clock));
    let clock: Arc<dyn Clock> = database_clock.clone();
    let authority = Authority::open(&dir, clock.clone())?;
    if let Some(exposed) = private_file::exposure(&secrets) {
        return Err(exposed.into());
    }
    warn_of_exposed(&data, &dir, &database);
    if let Some(behind) = authority.clock_behind()? {
        tracing::error!(
            "this machine's clock is behind by {behind:#} at least, by the certificates that were \
             issued: set it, or devices are turned away"
        );
    }
    if authority.can_issue() {
        authority.require_private_key()?;
        authority.ensure_server(&hostnames, &certificate, &key)?;
    }
    let tls =
        auth::server_config(&authority::certificate_path(&dir), &certificate, &key, clock.clone())?;
    let geocoder = match geocoding {
        // It waits for its client, which an asynchronous task must not.
        Some(settings) => {
            let clock = clock.clone();
            let made = tokio::task::spawn_blocking(move || Geocoder::new(settings, clock)).await;
            Some(Arc::new(made.map_err(|error| GeocodeError::SetUp(error.to_string()))??))
        }
        None => None,
    };
    let store = open_store(&database).await?;
    if trust_database_clock {
        database_clock.compare(&*store).await?;
        database_clock.keep_comparing(Arc::downgrade(&store));
    }
    if let Some(quota) = quota {
        store.limit_measurements(quota);
    }
    masking::mask_by(&store, &masking, false).await?;
    let revocations = Arc::new(Keeper {
        list: KeptRevocations::in_folder(&data),
        database,
        masking,
        geocoder: geocoder.clone(),
    });
    revocations.apply(&*store).await?;
    let keeping = revocations.clone().keep(store.clone());
    masking::mask_pending_soon(store.clone());
    let app = Arc::new(App {
        store: store.clone(),
        register: RegisterWatch::new(authority::register_path(&dir)),
        authority,
        secrets: Secrets::new(secrets),
        tokens: tokens.map(Tokens::new).transpose()?,
        telemetry: Telemetry::default(),
        requests: limit::Requests::new(limits.rate),
        device_certificates,
        connections: limit::Connections::new(limits.connections_per_address),
        clock,
        database_clock,
        geocoder,
        revocations,
        // A connection has one request at a time; half of them are left for whatever else is asked.
        overload: Overload::new(limits.connections / 2),
        holders: limit::Shares::with_least(limits.connections, LEAST_CONNECTIONS),
        receiving: api::receive::room(),
        unpacking: limit::Turns::new(limits.unpacking),
        locating: Arc::new(Semaphore::new(LOCATING)),
        limits,
        quota,
    });
    let router = router::router(app.clone());
    listener::run(listener, tls.into(), router, &app, shutdown).await;
    keeping.abort();
    store.close().await?;
    Ok(())
}

/// Warns of folders and databases that others than their owner may read. They are not refused: whoever
/// has the group of a backup program's may mean it, and a survey does not stop by it.
fn warn_of_exposed(data: &Path, authority: &Path, database: &Database) {
    let mut paths = vec![data.to_owned(), authority.to_owned()];
    if let Database::Sqlite(path) = database {
        paths.extend(["", "-wal", "-shm"].map(|ending| {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            name.into()
        }));
    }
    for exposed in paths.iter().filter_map(|path: &PathBuf| private_file::exposure(path)) {
        tracing::warn!("households' data may be read by others: {exposed}");
    }
}
