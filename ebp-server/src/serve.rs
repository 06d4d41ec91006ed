//! Serving the Data API: everything is opened, put together, and closed in the end.

use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use ebp_core::{clock::Clock, private_file};
use ebp_store::{Database, open_store};
use tokio::sync::Semaphore;

use crate::{
    App, KeptRevocations, ServeError, Settings, api,
    auth::{self, RegisterWatch, Secrets, Tokens},
    authority::{self, Authority},
    database_clock::DatabaseClock,
    geocoding::{GeocodeError, Geocoder},
    limit, listener, masking, openapi,
    overload::Overload,
    revocations::Keeper,
    router,
    telemetry::Telemetry,
};

/// Connections that the holder of a certificate may have, however few there are in all: a program
/// opens several.
const LEAST_CONNECTIONS: usize = 8;

/// Addresses that are looked up at the same time.
const LOCATING: usize = 8;

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
        description: LazyLock::new(openapi::document),
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
