//! Measurements stored per second, by SQLite, by PostgreSQL, and by plain `COPY` of the same rows
//! into the same PostgreSQL: `cargo bench -p ebp-server --bench store`.
//!
//! Every commit is synced. What goes through a store is checked against consent, unique by uuid
//! over all months and answered one by one; `COPY` does nothing of it.

#![allow(clippy::unwrap_used, reason = "a bench that fails has failed")]

#[allow(dead_code, reason = "the tests of the store use the rest")]
#[path = "../tests/support/cluster.rs"]
mod cluster;

use std::{
    fmt::Write as _,
    io::Write as _,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use cluster::Cluster;
use ebp_core::{
    model::{DataPoint, Measurement},
    obis::ObisCode,
};
use ebp_server::{
    open_store,
    store::{Database, HouseholdId, Outcome, Store},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

/// A household's meter, and what it measured: four registers every 15 minutes.
#[derive(Clone)]
struct Source {
    household: HouseholdId,
    meter: Uuid,
    seed: u128,
}

const START: &str = "2026-01-01T00:00:00Z";

impl Source {
    fn rows(&self, from: usize, count: usize) -> Vec<Measurement> {
        let start: Timestamp = START.parse().unwrap();
        let point = |obis, value: String| DataPoint { obis, value: value.parse().unwrap() };
        (from..from + count)
            .map(|i| {
                let name = [self.seed.to_be_bytes(), (i as u128).to_be_bytes()].concat();
                Measurement {
                    // As random as those that follow from meter and slot.
                    uuid: Uuid::new_v5(&self.meter, &name),
                    meter: self.meter,
                    measured_at: start + SignedDuration::from_mins(15) * i32::try_from(i).unwrap(),
                    data: vec![
                        point(
                            ObisCode::POSITIVE_ENERGY,
                            format!("{}.{:04}", 12_345 + i, i % 10_000),
                        ),
                        point(
                            ObisCode([1, 0, 2, 8, 0, 255]),
                            format!("{}.{:04}", 345 + i, i % 7_919),
                        ),
                        point(ObisCode([1, 0, 16, 7, 0, 255]), format!("0.{:03}", i % 1_000)),
                    ],
                    flags: Vec::new(),
                }
            })
            .collect()
    }
}

async fn sources(store: &dyn Store, count: usize) -> Vec<Source> {
    let mut sources = Vec::new();
    for i in 0..count {
        let registration = serde_json::from_value(json!({
            "participant": {"name": "Bench", "email": format!("{}@example.org", Uuid::new_v4())},
            "address": {"street": "a 1", "postal_code": "51147", "city": "Köln", "country": "DE"},
            "metadata": {"children": 0, "adults": 2, "adults_with_job": 2, "heat_pump": false,
                         "electric_vehicle_charger": false, "home_battery": false},
            "meters": [{"type": "ELECTRICITY", "model": "EHZ"}], "pv_systems": []
        }));
        let start = START.parse().unwrap();
        let made = store.register(registration.unwrap(), start).await.unwrap();
        let household = HouseholdId(made.household);
        store.grant_consent(household, start).await.unwrap();
        sources.push(Source { household, meter: made.meters[0], seed: i as u128 });
    }
    sources
}

/// So many senders at once, each of its household, store so many reports of that size; rows a
/// second.
async fn stored(store: &Arc<dyn Store>, senders: usize, reports: usize, size: usize) -> f64 {
    let sources = sources(&**store, senders).await;
    // Months and statements are there already.
    for source in &sources {
        let rows = source.rows(0, reports * size).into_iter().step_by(1000).collect();
        let source = Source { seed: u128::MAX, ..source.clone() };
        drop(store.insert_measurements(source.household, rows, late()).await.unwrap());
    }
    let sources: Vec<_> =
        sources.into_iter().map(|source| Source { seed: source.seed + 1000, ..source }).collect();
    let prepared: Vec<Vec<Vec<Measurement>>> = sources
        .iter()
        .map(|source| (0..reports).map(|i| source.rows(i * size, size)).collect())
        .collect();
    let start = Instant::now();
    let tasks: Vec<_> = sources
        .into_iter()
        .zip(prepared)
        .map(|(source, reports)| {
            let store = store.clone();
            tokio::spawn(async move {
                for rows in reports {
                    let outcomes =
                        store.insert_measurements(source.household, rows, late()).await.unwrap();
                    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Accepted));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    rate(senders * reports * size, start.elapsed())
}

fn late() -> Timestamp {
    "2040-01-01T00:00:00Z".parse().unwrap()
}

#[allow(clippy::cast_precision_loss, reason = "a rate")]
fn rate(rows: usize, took: Duration) -> f64 {
    rows as f64 / took.as_secs_f64()
}

/// The same rows by `psql` and `COPY`, in one piece or in batches that are each committed.
fn copied(cluster: &Cluster, database: &str, table: &str, rows: usize, batch: usize) -> f64 {
    let source = Source { household: HouseholdId(Uuid::nil()), meter: Uuid::new_v4(), seed: 1 };
    let mut script = String::new();
    for from in (0..rows).step_by(batch) {
        writeln!(script, "COPY {table} (meter, measured_at, uuid, received_at, data) FROM STDIN;")
            .unwrap();
        for row in source.rows(from, batch) {
            let data = serde_json::to_string(&row.data).unwrap();
            writeln!(
                script,
                "{}\t{}\t{}\t{}\t{data}",
                row.meter,
                row.measured_at,
                row.uuid,
                late()
            )
            .unwrap();
        }
        script.push_str("\\.\n");
    }
    let start = Instant::now();
    let mut psql = Command::new(cluster::binaries().unwrap().join("psql"))
        .args(["-q", "-v", "ON_ERROR_STOP=1", &cluster.url(database)])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    psql.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(psql.wait().unwrap().success());
    rate(rows, start.elapsed())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let dir = tempfile::tempdir().unwrap();
    let sqlite = open_store(&Database::Sqlite(dir.path().join("ebp.sqlite"))).await.unwrap();
    let cluster = Cluster::start("shared_buffers = 256MB\nmax_wal_size = 2GB\n");
    let (url, settings) = cluster.database().await;
    let database = url.rsplit('=').next().unwrap().to_owned();
    let postgres = open_store(&Database::Postgres(settings)).await.unwrap();
    let db = cluster.client(&database).await;
    db.batch_execute(
        "CREATE TABLE bare (LIKE measurement);
         CREATE TABLE keyed (LIKE measurement INCLUDING INDEXES, UNIQUE (uuid))",
    )
    .await
    .unwrap();

    const ROWS: usize = 100_000;
    let one_piece = copied(&cluster, &database, "bare", ROWS, ROWS);
    let show = |what: &str, rate: f64| {
        println!("{what:<58} {rate:>9.0} rows/s {:>5.0} % of plain COPY", 100.0 * rate / one_piece);
    };
    show("COPY, one transaction, table without keys", one_piece);
    let keyed = copied(&cluster, &database, "keyed", ROWS, ROWS);
    show("COPY, one transaction, table with the same two keys", keyed);
    let batches = copied(&cluster, &database, "bare", ROWS, 1000);
    show("COPY, batches of 1,000, table without keys", batches);
    db.batch_execute("TRUNCATE keyed").await.unwrap();
    let batches = copied(&cluster, &database, "keyed", ROWS, 1000);
    show("COPY, batches of 1,000, table with the same two keys", batches);
    for (name, store) in [("PostgreSQL", &postgres), ("SQLite", &sqlite)] {
        let batches = stored(store, 1, ROWS / 1000, 1000).await;
        show(&format!("{name} store, batches of 1,000, one sender"), batches);
        let batches = stored(store, 4, ROWS / 4000, 1000).await;
        show(&format!("{name} store, batches of 1,000, four senders"), batches);
        let reports = stored(store, 1, 2_000, 4).await;
        show(&format!("{name} store, reports of 4, one sender"), reports);
        let reports = stored(store, 16, 500, 4).await;
        show(&format!("{name} store, reports of 4, sixteen senders"), reports);
    }
    let size = db
        .query_one(
            "SELECT (SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits
                     WHERE inhparent = 'measurement'::regclass)::float8
                        / (SELECT count(*) FROM measurement),
                    pg_total_relation_size('measurement_key')::float8
                        / (SELECT count(*) FROM measurement)",
            &[],
        )
        .await
        .unwrap();
    println!(
        "PostgreSQL: {:.0} bytes a measurement, and {:.0} for its key over all months",
        size.get::<_, f64>(0),
        size.get::<_, f64>(1)
    );
}
