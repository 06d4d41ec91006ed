//! 100,000 devices that report every hour, on PostgreSQL: spread over the hour, and all in the same
//! minute after an outage: `cargo bench -p ebp-server --bench fleet`.
//!
//! Each device is a household's own with a key and a certificate of its own from the server's
//! authority; each report (one meter, four measurements) comes over a new connection with a full
//! handshake, which is the dearest it can be. Devices do as real ones: told to come back (429 or
//! 503) they wait as long as `Retry-After` says, cut off they wait a few seconds. Households are
//! put into the database by statements of the benchmark, everything else is the server's way.
//! Devices, server and database share the machine's cores; each one's processor time is told.
//!
//! `EBP_BENCH_DEVICES` (100000), `EBP_BENCH_STEADY` (seconds, 120).

#![allow(clippy::unwrap_used, reason = "a benchmark that fails has failed")]

#[path = "server_support/mod.rs"]
mod support;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rustls::RootCertStore;
use support::{
    client::{Connection, roots},
    cluster::{self, Cluster},
    fleet::{Device, Fleet},
    machine, parameter, permit_open_files,
    process::Process,
    quantile,
    server::{self, Server},
    skipped,
};
use tokio::time::{sleep, sleep_until};

fn main() {
    server::serve_if_asked();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    machine("A fleet");
    if cluster::binaries().is_none() {
        return skipped("everything: PostgreSQL is not installed (Debian: postgresql-15)");
    }
    let cluster = Cluster::as_installed("shared_buffers = 256MB\nmax_wal_size = 2GB\n");
    let server = Server::start_limited(Some(&cluster)).await;
    let devices = parameter("EBP_BENCH_DEVICES", 100_000);
    // The devices of a whole fleet have no bound in common, these have.
    permit_open_files(4 * devices as u64, "devices may see errors of their own");
    let start = Instant::now();
    let db = cluster.client(server.database.as_ref().unwrap()).await;
    let fleet = Arc::new(Fleet::make(&server, &db, devices).await);
    println!("{devices} devices made in {:.0} s", start.elapsed().as_secs_f64());
    let roots = roots(&server.authority);
    let postgres = Process(cluster.pid());

    // A report an hour each: so many a second.
    let seconds = parameter("EBP_BENCH_STEADY", 120);
    let count = devices * seconds / 3600;
    let over = Duration::from_secs(seconds as u64);
    let steady = phase("spread over the hour", &fleet, 0, count, over, &server, postgres, &roots);
    let stored = steady.await;
    assert_eq!(count_rows(&db).await, (stored * 4, stored * 4));

    let minute = Duration::from_secs(60);
    let herd = phase("all in one minute", &fleet, 1, devices, minute, &server, postgres, &roots);
    let all = stored + herd.await;
    let (rows, keys) = count_rows(&db).await;
    println!(
        "\nacknowledged measurements: {}; in the database: {rows}, of distinct meters and slots: {keys}",
        all * 4
    );
    assert_eq!((rows, keys), (all * 4, all * 4), "each once, none missing");
}

async fn count_rows(db: &tokio_postgres::Client) -> (usize, usize) {
    let sql = "SELECT count(*), count(DISTINCT (meter, slot)) FROM measurement";
    let row = db.query_one(sql, &[]).await.unwrap();
    let of = |place| usize::try_from(row.get::<_, i64>(place)).unwrap();
    (of(0), of(1))
}

#[derive(Default)]
struct Counts {
    stored: AtomicUsize,
    put_off: AtomicUsize,
    cut_off: AtomicUsize,
    why: Mutex<BTreeMap<String, usize>>,
}

/// So many devices report once, begun evenly over that time. How many were acknowledged.
#[allow(clippy::too_many_arguments, reason = "a benchmark's one place")]
#[allow(clippy::cast_precision_loss, reason = "figures")]
async fn phase(
    name: &str,
    fleet: &Arc<Fleet>,
    hour: usize,
    count: usize,
    over: Duration,
    server: &Server,
    postgres: Process,
    roots: &Arc<RootCertStore>,
) -> usize {
    let before = [Process::own(), server.process, postgres].map(Process::cpu);
    let counts = Arc::new(Counts::default());
    let begin = tokio::time::Instant::now();
    let mut tasks = Vec::with_capacity(count);
    for i in 0..count {
        // Not in the order in which they were made.
        let device = (i * 7919) % fleet.devices.len();
        let at = begin + over.mul_f64(i as f64 / count as f64);
        sleep_until(at).await;
        let (fleet, roots, counts) = (fleet.clone(), roots.clone(), counts.clone());
        let address = server.address;
        tasks.push(tokio::spawn(async move {
            report(&fleet.devices[device], device, hour, address, &roots, &counts, at).await
        }));
    }
    let (mut first, mut stored) = (Vec::new(), Vec::new());
    for task in tasks {
        let (answered, done) = task.await.unwrap();
        first.push(answered);
        stored.push(done);
    }
    let took = begin.elapsed();
    let after = [Process::own(), server.process, postgres].map(Process::cpu);
    first.sort_unstable();
    stored.sort_unstable();
    let s = |sorted: &[Duration], share: f64| quantile(sorted, share).as_secs_f64();
    let number = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    let share =
        |place: usize| 100.0 * (after[place] - before[place]).as_secs_f64() / took.as_secs_f64();
    let (resident, most) = server.process.memory();
    println!("\n## {name}: {count} reports begun within {} s", over.as_secs());
    println!("all stored after {:.1} s", took.as_secs_f64());
    println!(
        "from the beginning to an answer: p50 {:.3} s, p99 {:.3} s, most {:.3} s",
        s(&first, 0.5),
        s(&first, 0.99),
        s(&first, 1.0)
    );
    println!(
        "from the beginning until stored: p50 {:.3} s, p99 {:.3} s, most {:.3} s",
        s(&stored, 0.5),
        s(&stored, 0.99),
        s(&stored, 1.0)
    );
    println!(
        "told to come back {} times, cut off {} times {:?}",
        number(&counts.put_off),
        number(&counts.cut_off),
        counts.why.lock().unwrap()
    );
    println!(
        "processor, % of one core: devices {:.1}, server {:.1}, PostgreSQL {:.1}",
        share(0),
        share(1),
        share(2)
    );
    println!("the server's memory: {resident} MiB, at most {most} MiB");
    number(&counts.stored)
}

/// Reports until it is stored: when the first answer came, whatever it was, and when it was stored.
async fn report(
    device: &Device,
    number: usize,
    hour: usize,
    address: SocketAddr,
    roots: &Arc<RootCertStore>,
    counts: &Counts,
    begun: tokio::time::Instant,
) -> (Duration, Duration) {
    let config = device.tls(roots);
    let request = device.household.report(4 * hour, 4);
    let mut first = None;
    // Each has an address, so that ports last.
    let source = [127, 0, u8::try_from(number % 200).unwrap() + 1, 1];
    loop {
        let attempt = async {
            let mut connection = Connection::tls_from(source, address, &config).await?;
            connection.send(&request).await
        };
        match tokio::time::timeout(Duration::from_secs(30), attempt).await {
            Ok(Ok(answer)) => {
                first.get_or_insert_with(|| begun.elapsed());
                match answer.status {
                    200 => {
                        let body = String::from_utf8_lossy(&answer.body);
                        assert_eq!(
                            body.matches("accepted").count() + body.matches("duplicate").count(),
                            4,
                            "{body}"
                        );
                        counts.stored.fetch_add(1, Ordering::Relaxed);
                        return (first.unwrap_or_default(), begun.elapsed());
                    }
                    429 | 503 => {
                        counts.put_off.fetch_add(1, Ordering::Relaxed);
                        sleep(answer.retry_after.unwrap_or(Duration::from_secs(30))).await;
                    }
                    status => panic!("{status}: {}", String::from_utf8_lossy(&answer.body)),
                }
            }
            cut_off => {
                let why = match cut_off {
                    Ok(Err(error)) => format!("{:?}", error.kind()),
                    _ => "no answer in 30 s".to_owned(),
                };
                *counts.why.lock().unwrap().entry(why).or_default() += 1;
                counts.cut_off.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_secs(3)).await;
            }
        }
    }
}
