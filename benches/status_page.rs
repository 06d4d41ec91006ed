//! How long the administrators' overview takes, its HTML included, on both databases: 10,000 devices
//! with two meters each, spread over all states; every filter and order:
//! `cargo bench -p ebp-web --all-features --bench status_page`. `EBP_BENCH_DEVICES` makes fewer.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails has failed")]

#[path = "fleet_rows.rs"]
mod fleet_rows;

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use ebp_core::{
    clock::SystemClock,
    contract::{AlertRules, FleetSort, FleetState},
    scope::Group,
};
use ebp_store::{Database, open_store};
use ebp_survey::{BackupState, ErrorGroup, ServerState, SignInError, Survey, VerifySecret};
use ebp_testkit::cluster::{self, Cluster};
use ebp_web::{
    cloud::{CloudParts, router},
    kit::{host::HostNames, moment::time_zone},
};
use http_body_util::BodyExt;
use tower::ServiceExt;

/// Devices by default.
const DEVICES: usize = 10_000;
/// Requests of each kind.
const REQUESTS: usize = 200;
/// What 95 of a hundred requests may take.
const BUDGET: Duration = Duration::from_millis(200);

/// Nobody signs in here.
struct NoServer;

#[async_trait]
impl VerifySecret for NoServer {
    async fn verify_secret(&self, _: Group, _: &str, _: IpAddr) -> Result<(), SignInError> {
        Err(SignInError::Wrong)
    }
}

impl ServerState for NoServer {
    fn configured_rules(&self) -> AlertRules {
        AlertRules::default()
    }
    fn wake_alerts(&self) {}
    fn wake_jobs(&self) {}
    fn fault(&self) -> Option<String> {
        None
    }
    fn backup(&self) -> BackupState {
        BackupState::Unknown
    }
    fn errors(&self) -> Vec<ErrorGroup> {
        Vec::new()
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    let devices = std::env::var("EBP_BENCH_DEVICES").ok().and_then(|text| text.parse().ok());
    let devices = devices.unwrap_or(DEVICES);
    println!("# The overview of {devices} devices, with its HTML\n");
    println!("| what | requests | p50 | p95 | longest | HTML, kB |\n|---|---|---|---|---|---|");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ebp.sqlite");
    let sqlite = Database::Sqlite(file.clone());
    let survey = open(&sqlite).await;
    let filling = rusqlite::Connection::open(&file).unwrap();
    filling.busy_timeout(Duration::from_secs(60)).unwrap();
    let rows = fleet_rows::SQLITE.replace("DEVICES", &devices.to_string());
    filling.execute_batch(&rows).unwrap();
    measure("SQLite", survey).await;
    if cluster::binaries().is_none() {
        println!("\n*** SKIPPED: PostgreSQL, which is not installed (Debian: postgresql) ***");
        return;
    }
    let cluster = Cluster::as_installed("");
    let (url, settings) = cluster.database().await;
    let survey = open(&Database::Postgres(settings)).await;
    let name = url.rsplit('=').next().unwrap();
    let rows = fleet_rows::POSTGRES.replace("DEVICES", &devices.to_string());
    cluster.client(name).await.batch_execute(&rows).await.unwrap();
    measure("PostgreSQL", survey).await;
}

async fn open(database: &Database) -> Arc<Survey> {
    Arc::new(Survey::new(open_store(database).await.unwrap(), Arc::new(SystemClock)))
}

async fn measure(engine: &str, survey: Arc<Survey>) {
    let session = survey.begin_web_session(Group::Administrators, None, None).await.unwrap();
    let cookie = format!("ebp={}", session.as_str());
    let pages = router(CloudParts {
        survey: survey.clone(),
        secrets: Arc::new(NoServer),
        server: Arc::new(NoServer),
        zone: time_zone("Europe/Berlin").unwrap(),
        hosts: HostNames::new("localhost", &[]),
        scheme: "http",
    });
    let states = FleetState::ALL.map(|state| format!("/status?state={state}")).to_vec();
    let sorts: Vec<_> = FleetSort::ALL
        .into_iter()
        .flat_map(|sort| [format!("/status?sort={sort}"), format!("/status?sort=-{sort}")])
        .collect();
    let searches = ["q=Name+7", "q=er+123", "q=nobody", "version=0.2.0&state=late"];
    let searches = searches.map(|query| format!("/status?{query}")).to_vec();
    for (what, paths) in [("each state", states), ("each order", sorts), ("searches", searches)] {
        let (mut times, mut longest) = (Vec::new(), 0);
        for path in paths.iter().cycle().take(REQUESTS.max(paths.len())) {
            let begun = Instant::now();
            let html = ask(&pages, path, &cookie).await;
            times.push(begun.elapsed());
            longest = longest.max(html.len());
        }
        times.sort();
        let part = |percent: usize| times[(times.len() * percent).div_ceil(100) - 1];
        println!(
            "| {engine}: {what} | {} | {:.1?} | {:.1?} | {:.1?} | {} |",
            times.len(),
            part(50),
            part(95),
            part(100),
            longest.div_ceil(1_000)
        );
        if part(95) > BUDGET {
            println!("\n*** {engine}, {what}: more than {BUDGET:?} at the 95th percentile ***\n");
        }
    }
    survey.store().close().await.unwrap();
}

async fn ask(pages: &Router, path: &str, cookie: &str) -> String {
    let request = Request::get(path)
        .header(header::HOST, "localhost")
        .header(header::COOKIE, cookie)
        .body(Body::empty())
        .unwrap();
    let answer = pages.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}
