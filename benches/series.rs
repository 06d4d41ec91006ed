//! A household's year by days and a month by quarter hours, beside its measurements page by page, on
//! both databases: `cargo bench -p ebp-server --bench series`.
//!
//! The household has two meters with 35,040 measurements each. The first view reads all of them and
//! keeps the days; it is told by itself.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails has failed")]

#[path = "server_support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use ebp_core::{
    clock::{Clock, SystemClock},
    contract::{NewMeter, paths},
    cycle::Cycle,
    model::{DataPoint, Measurement, MeterType, measurement_id},
    obis::ObisCode,
};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use support::{
    client::{Connection, get},
    cluster::{self, Cluster},
    household::Household,
    machine, parameter, quantile,
    server::{self, Server},
    skipped,
};
use uuid::Uuid;

/// The year's first midnight in Berlin.
const FIRST: &str = "2024-12-31T23:00:00Z";

/// The household's measurements begin some days before, and end some days after.
const SLOTS: i64 = 35_040 + 10 * 96;

fn main() {
    server::serve_if_asked();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    machine("A household's energy through the Data API");
    let cluster = cluster::binaries().is_some().then(|| Cluster::as_installed(""));
    if cluster.is_none() {
        skipped("PostgreSQL, which is not installed (Debian: postgresql-15)");
    }
    println!(
        "{:<58} {:>9} {:>9} {:>9} {:>9}",
        "milliseconds; `server` is its processor time for one", "p50", "p99", "server", "bytes"
    );
    for (name, cluster) in [("SQLite", None), ("PostgreSQL", cluster.as_ref())] {
        if name == "SQLite" || cluster.is_some() {
            household(name, &Server::start(cluster).await).await;
        }
    }
}

/// What a meter measured, `import` and `export` 10^-4 kWh each quarter hour.
fn measurements(meter: Uuid, import: i64, export: i64) -> Vec<Measurement> {
    let start = FIRST.parse::<Timestamp>().unwrap() - SignedDuration::from_hours(5 * 24);
    let point = |obis, value: i64| DataPoint { obis, value: Decimal::new(value, 4) };
    (0..SLOTS)
        .map(|number| {
            let at = start
                + SignedDuration::from_secs(number * 900)
                + SignedDuration::from_micros(1_000_000 + number * 7_919 % 2_000_000);
            let (import, export) = (123_456_789 + number * import, 3_456_789 + number * export);
            Measurement {
                uuid: measurement_id(meter, Cycle::QUARTER_HOUR.slot(at)),
                meter,
                measured_at: at,
                data: vec![
                    point(ObisCode::POSITIVE_ENERGY, import + number % 97),
                    point(ObisCode::NEGATIVE_ENERGY, export + number % 89),
                    point(ObisCode::SUM_POWER, number % 90_000),
                ],
                flags: Vec::new(),
            }
        })
        .collect()
}

async fn household(engine: &str, server: &Server) {
    let household = Household::register(&*server.store).await;
    let new = NewMeter {
        uuid: None,
        kind: MeterType::PvGeneration,
        model: "MT681".into(),
        measurement_device: None,
        generation_register: None,
    };
    let generation = server.store.add_meter(household.id, new).await.unwrap();
    let now = SystemClock.now();
    for rows in [measurements(household.meter, 800, 300), measurements(generation, 3, 700)] {
        for some in rows.chunks(8_000) {
            server.store.insert_measurements(household.id, some.to_vec(), now).await.unwrap();
        }
    }
    let mut connection =
        Connection::tls(server.address, &household.identity(server)).await.unwrap();
    let series = |from: &str, to: &str, step: &str| {
        get(&format!("{}?from={from}&to={to}&step={step}", paths::SERIES), "")
    };
    let year = series("2025-01-01", "2026-01-01", "P1D");
    let start = (Instant::now(), server.process.cpu());
    let answer = connection.send(&year).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let took = (start.0.elapsed(), server.process.cpu() - start.1);
    show(&format!("{engine}: a year by days, first view"), &[took.0], took.1, answer.body.len());
    let by_days =
        measure(&format!("{engine}: a year by days"), server, &mut connection, &[year]).await;
    let month = [series("2025-10-01", "2025-11-01", "PT15M")];
    measure(&format!("{engine}: a month by quarter hours"), server, &mut connection, &month).await;
    let summary = get(&format!("{}?from=2025-01-01&to=2026-01-01", paths::SUMMARY), "");
    measure(&format!("{engine}: a year's figures"), server, &mut connection, &[summary]).await;

    // As it was: both meters' measurements, as many a page as there may be.
    let mut pages = Vec::new();
    for meter in [household.meter, generation] {
        let path = paths::measurements_of(meter);
        let stretch = format!("limit=10000&from={FIRST}&to=2025-12-31T23:00:00Z");
        let mut cursor = String::new();
        loop {
            let page = get(&format!("{path}?{stretch}{cursor}"), "");
            let answer = connection.send(&page).await.unwrap();
            pages.push(page);
            let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            let Some(next) = body["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
    }
    assert_eq!(pages.len(), 8);
    let what = format!("{engine}: a year's measurements, {} pages", pages.len());
    let by_pages = measure(&what, server, &mut connection, &pages).await;
    println!(
        "{engine}: {:.0} times less data and {:.0} times less time by days than by pages",
        by_pages.1 as f64 / by_days.1 as f64,
        by_pages.0.as_secs_f64() / by_days.0.as_secs_f64()
    );
}

fn show(what: &str, took: &[Duration], used: Duration, octets: usize) {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{what:<58} {:>9.1} {:>9.1} {:>9.1} {octets:>9}",
        ms(quantile(took, 0.5)),
        ms(quantile(took, 0.99)),
        ms(used)
    );
}

/// Sends all of the requests, again and again; half of the rounds take that time or less.
async fn measure(
    what: &str,
    server: &Server,
    connection: &mut Connection,
    requests: &[Vec<u8>],
) -> (Duration, usize) {
    let rounds = parameter("EBP_BENCH_SERIES", 200) / requests.len();
    let (mut took, mut octets) = (Vec::new(), 0);
    let before = server.process.cpu();
    for _ in 0..rounds {
        let start = Instant::now();
        octets = 0;
        for request in requests {
            let answer = connection.send(request).await.unwrap();
            assert_eq!(answer.status, 200, "{answer:?}");
            octets += answer.body.len();
        }
        took.push(start.elapsed());
    }
    let used = (server.process.cpu() - before) / u32::try_from(rounds).unwrap();
    took.sort_unstable();
    show(what, &took, used, octets);
    (quantile(&took, 0.5), octets)
}
