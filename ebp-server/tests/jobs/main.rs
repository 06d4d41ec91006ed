//! Servers are killed in the midst of jobs, and each job has one result.

#![allow(clippy::unwrap_used, reason = "what a test unwraps is what it asserts")]

#[cfg(feature = "export")]
mod exports;

use std::{
    collections::HashSet,
    io::Read,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use ebp_core::{
    clock::SystemClock,
    contract::{ImportReport, Job, JobState, LineOutcome},
    scope::Group,
};
use ebp_needs::needs;
use ebp_server::{JobSettings, Settings, serve};
use ebp_store::{
    Database, JobOrder, JobPolicy, ListQuery, PostgresSettings, Store, Subject, open_store,
};
use ebp_survey::authority::Authority;
use ebp_testkit::cluster;
use serde_json::json;
use uuid::Uuid;

/// Where a server that is killed finds its data.
const FOLDER: &str = "EBP_TEST_FOLDER";

/// How often each is killed; `cargo xtask long jobs` sets more.
const KILLS: &str = "EBP_TEST_KILLS";

/// The registrations of a job.
const LINES: usize = 100;

fn settings(folder: &Path) -> Settings {
    let mut settings = Settings::in_folder(folder, vec!["127.0.0.1".into()], Arc::new(SystemClock));
    if let Ok(url) = std::fs::read_to_string(folder.join("url")) {
        let few = PostgresSettings { connections: 4, ..PostgresSettings::new(url) };
        settings.database = Database::Postgres(few);
    }
    let policy = JobPolicy {
        lease: Duration::from_millis(600),
        allowance: Duration::from_millis(100),
        losses: u32::MAX,
        losses_at_once: u32::MAX,
        ..JobPolicy::default()
    };
    let (poll, look) = (Duration::from_millis(20), Duration::from_millis(50));
    settings.jobs = JobSettings { policy, poll, look, ..settings.jobs };
    settings
}

#[tokio::test]
#[ignore = "a server that the tests here start and kill"]
async fn server_that_is_killed() {
    let folder = std::env::var_os(FOLDER).expect("a folder");
    // It does not outlive whoever started it.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    serve(settings(folder.as_ref()), listener, std::future::pending()).await.unwrap();
}

/// A server in a process of its own.
fn start(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "server_that_is_killed"])
        .env(FOLDER, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn kill(mut server: Child) {
    // SIGKILL: it notices nothing.
    server.kill().unwrap();
    server.wait().unwrap();
}

/// Numbers that look random and are the same in each run.
struct Numbers(u64);

impl Numbers {
    /// A part of `whole`.
    fn part(&mut self, whole: Duration) -> Duration {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        whole.mul_f64((self.0 >> 33) as f64 / f64::from(1_u32 << 31))
    }
}

async fn order(store: &dyn Store, round: usize) -> Uuid {
    let email = |i: usize| format!("p{round}.{i}@example.org");
    let line = |i: usize| {
        json!({
            "participant": {"name": "Erika Mustermann", "email": email(i)},
            "address": {"street": "Heidestraße 17", "postal_code": "51147", "city": "Köln",
                        "country": "DE"},
            "location": {"latitude": 50.8503, "longitude": 7.1017},
            "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": true,
                         "electric_vehicle_charger": false, "home_battery": false},
            "meters": [{"type": "ELECTRICITY", "model": "MT175"}]
        })
        .to_string()
    };
    let file = (0..LINES).map(line).collect::<Vec<_>>().join("\n");
    let order = JobOrder {
        kind: "household-import".into(),
        input: serde_json::to_vec(&json!({ "file": file, "dry_run": false })).unwrap(),
        subjects: (0..LINES).map(|i| Subject::Participant(email(i))).collect(),
        created_by: Group::Researchers,
        key: None,
        trace_id: None,
    };
    store.add_job(order).await.unwrap().uuid
}

/// The job, asked for again where the database answers late.
async fn show(store: &dyn Store, job: Uuid) -> Job {
    loop {
        match store.job(job).await {
            Err(error) if error.is_temporary() => {}
            shown => return shown.unwrap(),
        }
    }
}

/// The job once it is as wanted.
async fn wait(store: &dyn Store, job: Uuid, is_wanted: impl Fn(&Job) -> bool) -> Job {
    let begun = Instant::now();
    loop {
        let shown = show(store, job).await;
        if is_wanted(&shown) {
            return shown;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "{shown:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The job has succeeded once: its households are registered once, and are what its result says.
async fn assert_once(store: &dyn Store, job: Uuid, known: &mut HashSet<Uuid>) {
    let ended = wait(store, job, |job| job.state.is_final()).await;
    assert_eq!((ended.state, ended.failures), (JobState::Succeeded, 0), "{ended:?}");
    let report: ImportReport =
        serde_json::from_slice(&store.job_result(job).await.unwrap()).unwrap();
    assert_eq!(report.lines.len(), LINES);
    for line in report.lines {
        assert_eq!(line.outcome, LineOutcome::Registered, "{}", line.line);
        assert!(known.insert(line.registered.unwrap().household));
    }
    let mut there = HashSet::new();
    let mut query = ListQuery { after: None, limit: 1_000 };
    loop {
        let page = store.registrations(query).await.unwrap();
        there.extend(page.items.into_iter().map(|household| household.uuid));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(there, *known);
}

/// Kills servers at instants spread over an attempt: at first anywhere in it, then where it has
/// registered and records, then when it has recorded and does not know yet.
async fn one_result_however_often_killed(folder: &Path) {
    let kills: usize = std::env::var(KILLS).map_or(10, |kills| kills.parse().unwrap());
    Authority::init(&folder.join("authority"), "Test CA", Arc::new(SystemClock)).unwrap();
    let store = open_store(&settings(folder).database).await.unwrap();
    let mut known = HashSet::new();
    // How long an attempt takes that is left alone.
    let job = order(&*store, 0).await;
    let server = start(folder);
    wait(&*store, job, |job| job.state == JobState::Running).await;
    let begun = Instant::now();
    assert_once(&*store, job, &mut known).await;
    let span = begun.elapsed();
    kill(server);

    let (mut numbers, mut round, mut killed, mut after_record) = (Numbers(17), 0, 0, 0);
    let (mut of_this, mut most) = (0, 0);
    let mut job = Uuid::nil();
    while killed < kills {
        if round == 0 || show(&*store, job).await.state.is_final() {
            if round > 0 {
                assert_once(&*store, job, &mut known).await;
            }
            round += 1;
            of_this = 0;
            job = order(&*store, round).await;
        }
        let before = show(&*store, job).await.attempt;
        let server = start(folder);
        wait(&*store, job, |job| job.attempt > before).await;
        match killed % 4 {
            // Anywhere.
            0 | 1 => tokio::time::sleep(numbers.part(span)).await,
            // Where its households are registered and it is recorded, which is one transaction.
            2 => tokio::time::sleep(span / 2 + numbers.part(span / 2)).await,
            // Recorded a moment ago, at most some milliseconds.
            _ => {
                wait(&*store, job, |job| job.state.is_final()).await;
                after_record += 1;
            }
        }
        kill(server);
        killed += 1;
        of_this += 1;
        most = most.max(of_this);
    }
    let server = start(folder);
    assert_once(&*store, job, &mut known).await;
    kill(server);
    println!(
        "{killed} kills in {round} jobs of {LINES} households, {most} in one job, {after_record} \
         just after the record; an attempt takes {span:?}: one result each"
    );
    store.close().await.unwrap();
}

#[tokio::test]
async fn one_result_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    one_result_however_often_killed(folder.path()).await;
}

#[needs(postgresql)]
#[tokio::test]
async fn one_result_on_postgresql() {
    let folder = tempfile::tempdir().unwrap();
    let url = cluster::shared().database().await.0;
    std::fs::write(folder.path().join("url"), url).unwrap();
    one_result_however_often_killed(folder.path()).await;
}
