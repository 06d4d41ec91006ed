//! How long uploads and revocations take while a dump holds PostgreSQL's tables, beside the same
//! without revocations and dump, in one run: `cargo bench -p ebp-server --bench beside_a_dump`.
//!
//! Devices report four measurements at a time, 100 times a second in all. For `EBP_BENCH_SECONDS` (60) nothing
//! else happens; then as long with a revocation a second; then as long with a revocation a second
//! while a transaction holds the tables as `pg_dump` does.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails has failed")]

#[path = "server_support/mod.rs"]
mod support;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use support::{
    client::Connection,
    cluster::{self, Cluster},
    household::Household,
    machine, parameter, quantile,
    server::{self, Server},
    skipped,
};

const DEVICES: usize = 8;

/// Measurements in a report.
const REPORT: usize = 4;

/// Reports of all devices in a second.
const REPORTS: u32 = 100;

/// What `pg_dump` does for as long as it runs.
const DUMP: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    LOCK TABLE participant, household, address, location, withheld_location, metadata, consent,
        meter, pv_system, measurement_device, measurement, certificate IN ACCESS SHARE MODE";

fn main() {
    server::serve_if_asked();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    machine("Uploads and revocations beside a dump");
    if cluster::binaries().is_none() {
        return skipped("PostgreSQL, which is not installed (Debian: postgresql-15)");
    }
    let cluster = Cluster::as_installed("shared_buffers = 256MB\nmax_wal_size = 2GB\n");
    let server = Arc::new(Server::start(Some(&cluster)).await);
    let mut devices = Devices::register(&server).await;
    let seconds = parameter("EBP_BENCH_SECONDS", 60);
    let length = Duration::from_secs(u64::try_from(seconds).unwrap());
    println!("{DEVICES} devices, {REPORTS} reports of {REPORT} a second, {seconds} s each");
    println!(
        "{:<36} {:>8} {:>8} {:>8} {:>8} {:>12} {:>12}",
        "ms", "uploads", "median", "p99", "longest", "revocations", "longest"
    );
    devices.upload("nothing else", length, None).await;
    let revoking = tokio::spawn(revoke(server.clone(), seconds));
    devices.upload("a revocation a second", length, Some(revoking)).await;
    let db = cluster.client(server.database.as_deref().unwrap()).await;
    db.batch_execute(DUMP).await.unwrap();
    let revoking = tokio::spawn(revoke(server.clone(), seconds));
    devices.upload("a revocation a second and a dump", length, Some(revoking)).await;
    db.batch_execute("COMMIT").await.unwrap();
}

type Revoking = tokio::task::JoinHandle<Vec<Duration>>;

/// Registers a household each second and has its participant's device revoke over the API.
async fn revoke(server: Arc<Server>, seconds: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    for _ in 0..seconds {
        tick.tick().await;
        let household = Household::register(&*server.store).await;
        let mut connection =
            Connection::tls(server.address, &household.identity(&server)).await.unwrap();
        let request = b"DELETE /household/consent HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
        let begun = Instant::now();
        let answer = connection.send(request).await.unwrap();
        times.push(begun.elapsed());
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    times
}

struct Devices {
    households: Vec<Household>,
    connections: Vec<Connection>,
    /// Reports so far, of each.
    sent: usize,
}

impl Devices {
    async fn register(server: &Server) -> Self {
        let (mut households, mut connections) = (Vec::new(), Vec::new());
        for _ in 0..DEVICES {
            let household = Household::register(&*server.store).await;
            connections
                .push(Connection::tls(server.address, &household.identity(server)).await.unwrap());
            households.push(household);
        }
        let mut devices = Self { households, connections, sent: 0 };
        // Months and statements are there before anything is timed.
        devices.reports(200).await;
        devices
    }

    /// So many reports at their rate; how long each took from the instant at which it was due.
    async fn reports(&mut self, count: usize) -> Vec<Duration> {
        let start = Instant::now();
        let pause = Duration::from_secs(1) / REPORTS;
        let from = self.sent;
        let tasks = self.connections.drain(..).enumerate().map(|(number, mut connection)| {
            let household = self.households[number].clone();
            tokio::spawn(async move {
                let mut times = Vec::new();
                for report in (number..count).step_by(DEVICES) {
                    let due = start + pause * u32::try_from(report).unwrap();
                    tokio::time::sleep_until(due.into()).await;
                    let slot = (from + report / DEVICES) * REPORT;
                    let answer = connection.send(&household.report(slot, REPORT)).await.unwrap();
                    times.push(due.elapsed());
                    assert_eq!(answer.status, 200, "{answer:?}");
                }
                (connection, times)
            })
        });
        let tasks: Vec<_> = tasks.collect();
        self.sent += count.div_ceil(DEVICES);
        let mut times = Vec::new();
        for task in tasks {
            let (connection, of_one) = task.await.unwrap();
            self.connections.push(connection);
            times.extend(of_one);
        }
        times
    }

    async fn upload(&mut self, what: &str, length: Duration, revoking: Option<Revoking>) {
        let count = usize::try_from(length.as_secs()).unwrap() * REPORTS as usize;
        let mut times = self.reports(count).await;
        times.sort_unstable();
        let revoked = match revoking {
            Some(revoking) => revoking.await.unwrap(),
            None => Vec::new(),
        };
        let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1000.0);
        let longest = revoked.iter().max().map_or("-".to_owned(), |longest| ms(*longest));
        println!(
            "{what:<36} {:>8} {:>8} {:>8} {:>8} {:>12} {longest:>12}",
            times.len(),
            ms(quantile(&times, 0.5)),
            ms(quantile(&times, 0.99)),
            ms(times[times.len() - 1]),
            revoked.len(),
        );
    }
}
