//! Serving the Data API: everything is opened, put together, and closed in the end.

use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    time::Duration,
};

use ebp_core::{clock::Clock, private_file};
use ebp_errors::Folder;
use ebp_store::{Database, open_store};
use ebp_survey::{
    Keeper, KeptRevocations, SeriesKept, Survey,
    authority::{self, Authority},
    geocoding::{Geocode, Geocoder},
    masking,
    price::PriceSeries,
    text::load_texts,
};

use crate::{
    ServeError, Settings,
    alert::{AlertWatch, Watcher},
    api::{description::Description, intake::Intake},
    app::App,
    auth::{self, Authenticator, Secrets, Tokens},
    database_clock::DatabaseClock,
    job::{JobAdded, Runner},
    limit,
    listener::{self, Listening, Transport},
    machine::Machine,
    openapi,
    rollout::RolloutWatch,
    router,
    telemetry::Telemetry,
    tunnel::{self, TunnelSettings, Tunnels},
    web::{self, OwnPages, PageParts, PageServer},
};

/// Connections that the holder of a certificate may have, however few there are in all: a program
/// opens several.
const LEAST_CONNECTIONS: usize = 8;

/// How long after the start days of energy are kept, and the pause between two passes.
const SERIES_BEGIN: Duration = Duration::from_secs(60);
const SERIES_PAUSE: Duration = Duration::from_secs(6 * 3_600);

/// For each second of work on them that many seconds of rest.
const SERIES_REST: u32 = 4;

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
    serve_with_pages(settings, listener, None, shutdown).await
}

/// The same, and pages on a listener of their own.
///
/// # Errors
/// As [`serve`], and if the pages' certificate cannot be used.
pub async fn serve_with_pages(
    settings: Settings,
    listener: tokio::net::TcpListener,
    own_pages: Option<OwnPages>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let Settings {
        data,
        errors,
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
        cycles,
        jobs,
        zone,
        survey: information,
        texts,
        quarter_prices,
        alerts,
        tunnel: tunnel_settings,
        web: web_settings,
        releases,
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
    let can_issue = authority.can_issue();
    if can_issue {
        authority.require_private_key()?;
    }
    let geocoder: Option<Arc<dyn Geocode>> = match geocoding {
        Some(settings) => Some(Arc::new(Geocoder::open(settings, clock.clone()).await?)),
        None => None,
    };
    // Before the database is opened: with a gap in a text nothing is served.
    let texts = texts.as_deref().map(load_texts).transpose()?;
    let quarter_prices = quarter_prices.as_deref().map(PriceSeries::load).transpose()?;
    let store = open_store(&database).await?;
    if trust_database_clock {
        database_clock.compare(&*store).await?;
    }
    database_clock.keep_looking(Arc::downgrade(&store), trust_database_clock);
    if let Some(quota) = quota {
        store.limit_measurements(quota);
    }
    masking::mask_by(&store, &masking, false).await?;
    let survey = Survey::new(store.clone(), clock.clone())
        .with_cycles(cycles)
        .with_authority(authority, device_certificates)
        .with_geocoder(geocoder)
        .with_zone(&zone)
        .with_information(information)
        .with_quarter_prices(quarter_prices)
        .with_releases(releases.clone().map(crate::releases::in_folder))
        .with_kept_revocations(KeptRevocations::in_folder(&data));
    let survey = Arc::new(survey);
    survey.import_register().await?;
    if let Some(behind) = survey.clock_behind().await? {
        tracing::error!(
            "this machine's clock is behind by {behind:#} at least, by the certificates that were \
             issued: set it, or devices are turned away"
        );
    }
    if can_issue {
        survey.ensure_server_certificate(&hostnames, &certificate, &key).await?;
    }
    let root = authority::certificate_path(&dir);
    let tls = auth::server_config(&root, &certificate, &key, clock.clone())?;
    // Another authority may have issued the server's certificate: then there is one server.
    let peers = tunnel::client_config(&root, &certificate, &key, clock).ok();
    warn_of_unreachable(&database, &tunnel_settings);
    let secrets = Secrets::new(secrets);
    secrets.import(&*store).await?;
    survey.apply_kept_revocations().await?;
    if let Some(texts) = texts {
        survey.publish_texts(texts).await?;
    }
    let keeping = Keeper { survey: survey.clone(), database, masking }.keep();
    masking::mask_pending_soon(store.clone());
    let keeping_series = keep_series(survey.clone());
    let requests = Arc::new(limit::Requests::new(limits.rate));
    let telemetry = Arc::new(Telemetry::default());
    let connections = limit::Connections::new(limits.connections_per_address);
    let job_added = Arc::new(JobAdded::default());
    let runner =
        Runner::start(survey.clone(), telemetry.clone(), database_clock.clone(), jobs, &job_added);
    let alert_watch = Arc::new(AlertWatch::new(alerts.as_ref()));
    let start =
        |alerts| Watcher::start(survey.clone(), telemetry.clone(), alerts, alert_watch.clone());
    let watcher = alerts.map(start).transpose()?;
    let rollout_watch = Arc::new(RolloutWatch::default());
    let judging = rollout_watch.start(survey.clone());
    let authenticator = Arc::new(Authenticator {
        survey: survey.clone(),
        secrets,
        tokens: tokens.map(Tokens::new).transpose()?,
        requests: requests.clone(),
        clock: database_clock.clone(),
    });
    let tunnels = Tunnels::new(
        survey.clone(),
        authenticator.clone(),
        telemetry.clone(),
        tunnel_settings,
        peers,
    );
    let watching = tokio::spawn(tunnels.clone().watch());
    let ending = tokio::spawn(tunnels.clone().watch_ends());
    let (drain, leaving) = (limits.drain, tunnels.clone());
    let shutdown = async move {
        shutdown.await;
        tokio::spawn(async move { leaving.begin_close(drain).await });
    };
    let machine = Arc::new(Machine {
        data,
        errors: Folder::new(errors),
        backups: web_settings.as_ref().and_then(|settings| settings.backups.clone()),
        authority: root,
        certificate,
        releases,
    });
    let (end_pages, mut pages_end) = tokio::sync::watch::channel(false);
    let serving_pages = match own_pages {
        None => None,
        Some(OwnPages { pages, listener }) => {
            let settings = web_settings.unwrap_or_default();
            let parts = PageParts {
                survey: survey.clone(),
                secrets: authenticator.clone(),
                server: Arc::new(PageServer {
                    alert_watch: alert_watch.clone(),
                    job_added: job_added.clone(),
                    clock: database_clock.clone(),
                    machine: machine.clone(),
                }),
                zone,
                hostnames: settings.hostnames.clone(),
                scheme: settings.scheme(),
            };
            let pages =
                web::surrounded(pages(parts), &settings, requests.clone(), telemetry.clone());
            let listening = Listening {
                holders: limit::Shares::with_least(limits.connections, LEAST_CONNECTIONS),
                limits: limits.clone(),
                connections: limit::Connections::new(limits.connections_per_address),
                requests: requests.clone(),
                telemetry: telemetry.clone(),
            };
            let transport = web::transport(&settings)?;
            let end = async move {
                let _ = pages_end.wait_for(|is_over| *is_over).await;
            };
            Some(tokio::spawn(listener::run(listener, transport, pages, listening, end)))
        }
    };
    let app = App {
        survey,
        authenticator,
        tunnels: tunnels.clone(),
        intake: Arc::new(Intake::new(&limits, quota)),
        job_added,
        alert_watch,
        rollout_watch,
        telemetry: telemetry.clone(),
        connections: connections.clone(),
        machine,
        clock: database_clock,
        description: Arc::new(Description(LazyLock::new(openapi::document))),
        patience: limits.request,
    };
    let listening = Listening {
        holders: limit::Shares::with_least(limits.connections, LEAST_CONNECTIONS),
        limits,
        connections,
        requests,
        telemetry,
    };
    let transport = Transport::Tls(tls.into());
    listener::run(listener, transport, router::router(app), listening, shutdown).await;
    let _ = end_pages.send(true);
    if let Some(serving) = serving_pages {
        let _ = serving.await;
    }
    tunnels.close().await;
    watching.abort();
    ending.abort();
    runner.stop().await;
    if let Some(watcher) = watcher {
        watcher.stop().await;
    }
    judging.abort();
    keeping.abort();
    keeping_series.abort();
    store.close().await?;
    Ok(())
}

/// Keeps the days of all meters, soon after the start and some times a day, at low priority.
fn keep_series(survey: Arc<Survey>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        tokio::time::sleep(SERIES_BEGIN).await;
        loop {
            match survey.keep_series(SERIES_REST).await {
                Ok(SeriesKept { meters, days, failed }) => {
                    tracing::info!(meters, days, failed, "days of energy are kept");
                }
                Err(error) => tracing::warn!(%error, "days of energy cannot be kept"),
            }
            tokio::time::sleep(SERIES_PAUSE).await;
        }
    })
}

/// Warns of a server among several whose tunnels the others cannot reach.
fn warn_of_unreachable(database: &Database, settings: &TunnelSettings) {
    if matches!(database, Database::Postgres(_)) && settings.url.is_none() {
        tracing::warn!(
            "other servers of the database cannot reach devices that are connected to this one: set \
             `url` of [tunnel]"
        );
    }
}

/// Warns of folders and databases that others than their owner may read. They are not rejected:
/// whoever has the group of a backup program's may mean it, and a survey does not stop by it.
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
