//! Measurements stored per second through the Data API over mutual TLS, on both databases, beside
//! the same rows by plain `COPY` into the same PostgreSQL and the same points sent to other time
//! series servers: `cargo bench -p ebp-server --bench through_api`.
//!
//! Server, databases and the senders share the machine's processors; each one's processor time is
//! told, for a reader who has them on machines of their own. What the API acknowledges is synced,
//! checked against consent, unique by identifier over all time, and answered one by one. `COPY`
//! does nothing of it. Samples: `EBP_BENCH_ROUNDS` (3) rounds, of which the median counts.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails has failed")]

#[path = "server_support/mod.rs"]
mod support;

use std::{
    fmt::Write as _,
    io::Write as _,
    net::SocketAddr,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::ClientConfig;
use support::{
    client::Connection,
    cluster::{self, Cluster},
    household::Household,
    machine, parameter,
    process::Process,
    rate,
    rival::{self, Rival},
    server::{self, Server},
    skipped,
};

/// How many send at once, each over a connection that it keeps.
struct Workload {
    name: &'static str,
    senders: usize,
    reports: usize,
    size: usize,
}

const SHAPES: [Workload; 2] = [
    Workload { name: "batches of 1,000", senders: 32, reports: 10, size: 1000 },
    Workload { name: "reports of 4", senders: 64, reports: 400, size: 4 },
];

/// One line of the table: rows and reports a second, and processor time for a row.
struct Line {
    what: String,
    rows: f64,
    reports: f64,
    cpu: [f64; 3],
}

fn main() {
    server::serve_if_asked();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    machine("Measurements through the Data API");
    let cluster = if cluster::binaries().is_some() {
        Some(Cluster::as_installed("shared_buffers = 256MB\nmax_wal_size = 2GB\n"))
    } else {
        skipped("PostgreSQL, which is not installed (Debian: postgresql-15)");
        None
    };
    let (rivals, missing) = rival::all().await;
    for package in missing {
        skipped(&format!("the server of Debian's package {package}, which is not installed"));
    }
    for shape in SHAPES {
        let total = shape.senders * shape.reports * shape.size;
        println!("## {}, {} senders, {total} measurements a round", shape.name, shape.senders);
        println!(
            "{:<44} {:>9} {:>9} {:>10} {:>30}",
            "", "rows/s", "reports/s", "% of COPY", "µs/row: sender, server, database"
        );
        let mut plain = None;
        if let Some(cluster) = &cluster {
            let line = median(async |round| copied(cluster, &shape, false, round).await).await;
            plain = Some(line.rows);
            show(&line, plain);
            show(&median(async |round| copied(cluster, &shape, true, round).await).await, plain);
            let server = Server::start(Some(cluster)).await;
            let name = "the API on PostgreSQL";
            show(&through(&server, Some(cluster), &shape, name).await, plain);
        }
        let server = Server::start(None).await;
        show(&through(&server, None, &shape, "the API on SQLite").await, plain);
        for rival in &rivals {
            let line = median(async |round| rivalled(rival, &shape, round).await).await;
            show(&line, plain);
        }
        println!();
    }
}

fn show(line: &Line, plain: Option<f64>) {
    let share = plain.map_or("-".into(), |plain| format!("{:.0}", 100.0 * line.rows / plain));
    let [sender, server, database] = line.cpu;
    let (rows, reports) = (line.rows, line.reports);
    println!(
        "{:<44} {rows:>9.0} {reports:>9.0} {share:>10} {sender:>10.1} {server:>9.1} {database:>9.1}",
        line.what
    );
}

/// The median of the rounds, and their range.
async fn median(round: impl AsyncFn(usize) -> Line) -> Line {
    let mut lines = Vec::new();
    for number in 0..parameter("EBP_BENCH_ROUNDS", 3) {
        lines.push(round(number).await);
    }
    lines.sort_by(|a, b| a.rows.total_cmp(&b.rows));
    let range = format!(" ({:.0}-{:.0})", lines[0].rows, lines[lines.len() - 1].rows);
    let mut line = lines.swap_remove(lines.len() / 2);
    line.what.push_str(&range);
    line
}

/// Processor time of sender, server and database so far.
fn used(server: Option<Process>, database: Option<Process>) -> [Duration; 3] {
    let of = |process: Option<Process>| process.map_or(Duration::ZERO, Process::cpu);
    [of(Some(Process::own())), of(server), of(database)]
}

#[allow(clippy::cast_precision_loss, reason = "a rate")]
fn line(
    what: String,
    shape: &Workload,
    took: Duration,
    before: [Duration; 3],
    after: [Duration; 3],
) -> Line {
    let rows = shape.senders * shape.reports * shape.size;
    let per_row = |i: usize| (after[i] - before[i]).as_secs_f64() * 1e6 / rows as f64;
    Line {
        what,
        rows: rate(rows, took),
        reports: rate(shape.senders * shape.reports, took),
        cpu: [per_row(0), per_row(1), per_row(2)],
    }
}

/// All senders send what they have, each over its connection; none begins before all are ready.
async fn sent(
    connections: Vec<Connection>,
    reports: Vec<Vec<Vec<u8>>>,
    ok: fn(&support::client::Answer) -> bool,
) -> Duration {
    let start = Instant::now();
    let tasks: Vec<_> = connections
        .into_iter()
        .zip(reports)
        .map(|(mut connection, reports)| {
            tokio::spawn(async move {
                for report in reports {
                    let answer = connection.send(&report).await.unwrap();
                    assert!(ok(&answer), "{answer:?}");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    start.elapsed()
}

async fn through(server: &Server, cluster: Option<&Cluster>, shape: &Workload, name: &str) -> Line {
    let mut senders = Vec::new();
    for _ in 0..shape.senders {
        let household = Household::register(&*server.store).await;
        let identity = household.identity(server);
        senders.push((household, identity));
    }
    let database = cluster.map(|cluster| Process(cluster.pid()));
    let connect = async |senders: &[(Household, Arc<ClientConfig>)], address: SocketAddr| {
        let mut connections = Vec::new();
        for (_, identity) in senders {
            connections.push(Connection::tls(address, identity).await.unwrap());
        }
        connections
    };
    // The months are there already, made by the first of all households.
    let first = Household::register(&*server.store).await;
    let first = [(first.clone(), first.identity(server))];
    let slots = parameter("EBP_BENCH_ROUNDS", 3) * shape.reports * shape.size;
    let months = (0..=slots / 2688).map(|month| first[0].0.report(2688 * month, 1)).collect();
    sent(connect(&first, server.address).await, vec![months], |answer| answer.status == 200).await;
    median(async |round| {
        if let Some(cluster) = cluster {
            settle(cluster).await;
        }
        let from = round * shape.reports * shape.size;
        let report = |household: &Household, i| household.report(from + i * shape.size, shape.size);
        let reports: Vec<Vec<Vec<u8>>> = senders
            .iter()
            .map(|(household, _)| (0..shape.reports).map(|i| report(household, i)).collect())
            .collect();
        let connections = connect(&senders, server.address).await;
        let before = used(Some(server.process), database);
        let took = sent(connections, reports, |answer| {
            answer.status == 200
                && !answer
                    .body
                    .windows(9)
                    .any(|part| part == b"\"refused\"" || part == b"duplicate")
        })
        .await;
        line(name.to_owned(), shape, took, before, used(Some(server.process), database))
    })
    .await
}

async fn rivalled(rival: &Rival, shape: &Workload, round: usize) -> Line {
    let from = round * shape.reports * shape.size;
    let mut reports: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut connections = Vec::new();
    for _ in 0..shape.senders {
        let household = Household::of_nobody();
        let rows = |i| household.measurements(from + i * shape.size, shape.size);
        reports.push((0..shape.reports).map(|i| Rival::report(&rows(i))).collect());
        connections.push(Connection::plain(rival.address).await.unwrap());
    }
    let before = used(None, Some(rival.process));
    let took = sent(connections, reports, |answer| answer.status == 204).await;
    let what = format!("{} over plain HTTP ({})", rival.name, rival.promise);
    line(what, shape, took, before, used(None, Some(rival.process)))
}

/// What was written so far goes to its files now: nobody pays for another's.
async fn settle(cluster: &Cluster) {
    let db = cluster.client("postgres").await;
    db.batch_execute("CHECKPOINT").await.unwrap();
}

/// The same rows by `psql` and `COPY` into a table without keys: in one transaction, or each
/// batch in one of its own.
async fn copied(cluster: &Cluster, shape: &Workload, in_batches: bool, round: usize) -> Line {
    let (url, _) = cluster.database().await;
    let db = cluster.client(url.rsplit('=').next().unwrap()).await;
    settle(cluster).await;
    let bare = "CREATE TABLE bare (meter uuid NOT NULL, measured_at timestamptz NOT NULL,
                uuid uuid NOT NULL, received_at timestamptz NOT NULL, data json NOT NULL)";
    db.batch_execute(bare).await.unwrap();
    let head = "COPY bare (meter, measured_at, uuid, received_at, data) FROM STDIN;\n";
    let mut script = String::from(head);
    for sender in 0..shape.senders {
        let household = Household::of_nobody();
        for i in 0..shape.reports {
            if in_batches && (sender, i) != (0, 0) {
                script.push_str("\\.\n");
                script.push_str(head);
            }
            for row in household.measurements(i * shape.size, shape.size) {
                let data = serde_json::to_string(&row.data).unwrap();
                let (meter, at, uuid) = (row.meter, row.measured_at, row.uuid);
                writeln!(script, "{meter}\t{at}\t{uuid}\t2026-01-01 00:00Z\t{data}").unwrap();
            }
        }
    }
    script.push_str("\\.\n");
    let database = Process(cluster.pid());
    let before = used(None, Some(database));
    let start = Instant::now();
    let mut psql = Command::new(cluster::binaries().unwrap().join("psql"))
        .args(["-q", "-v", "ON_ERROR_STOP=1", &url])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    psql.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(psql.wait().unwrap().success());
    let took = start.elapsed();
    let how = if in_batches { "a transaction each" } else { "one transaction" };
    let _ = round;
    line(format!("plain COPY, {how}"), shape, took, before, used(None, Some(database)))
}
