//! How long an import holds back other registrations and revocations: the transaction that registers
//! its households, on both databases: `cargo bench -p ebp-store --bench import`.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails has failed")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ebp_core::{
    contract::{ImportedLine, LineOutcome, Registration},
    scope::Group,
};
use ebp_store::{
    Database, JobEnd, JobOrder, JobPolicy, PostgresSettings, Recorded, Store, open_store,
};
use ebp_testkit::{cluster::Cluster, postgresql::binaries};
use jiff::Timestamp;
use uuid::Uuid;

const SIZES: [usize; 3] = [250, 1_000, 2_000];
const KIND: &str = "import";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    println!("{:<12} {:>10} {:>12} {:>24}", "", "households", "held, ms", "another waited, ms");
    let cluster = binaries().map(|_| Cluster::start(""));
    if cluster.is_none() {
        println!("PostgreSQL is left out: it is not installed (Debian: postgresql)");
    }
    for size in SIZES {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(folder.path().join("ebp.sqlite"));
        import("SQLite", open_store(&database).await.unwrap(), size).await;
        if let Some(cluster) = &cluster {
            let (url, _) = cluster.database().await;
            let settings = PostgresSettings { connections: 4, ..PostgresSettings::new(url) };
            import("PostgreSQL", open_store(&Database::Postgres(settings)).await.unwrap(), size)
                .await;
        }
    }
}

async fn import(engine: &str, store: Arc<dyn Store>, size: usize) {
    let order = JobOrder {
        kind: KIND.into(),
        input: b"a file".to_vec(),
        subjects: Vec::new(),
        created_by: Group::Researchers,
        key: None,
        trace_id: None,
    };
    store.add_job(order).await.unwrap();
    let policy = JobPolicy::default();
    let claimed = store.claim_job(Uuid::new_v4(), vec![KIND], policy).await.unwrap().unwrap();
    let line = |number: usize| {
        let imported = ImportedLine {
            line: number as u64,
            outcome: LineOutcome::New,
            same_as_line: None,
            reason: None,
            faults: Vec::new(),
            household: None,
            registered: None,
        };
        (imported, Some(registration(&format!("p{number}@example.org"))))
    };
    let lines = (1..=size).map(line).collect();
    let at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let begun = Instant::now();
    let (held, waited) = tokio::join!(
        async {
            let end = Arc::new(JobEnd::Registers { lines, label: None });
            let recorded = store.record_job(claimed.lease, end, policy, at).await.unwrap();
            assert!(matches!(recorded, Recorded::As(_)));
            begun.elapsed()
        },
        async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let asked = Instant::now();
            // Behind a lock that is held for too long it is refused.
            let registered = store.register(registration("another@example.org"), at).await;
            registered.ok().map(|_| asked.elapsed())
        }
    );
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    let waited = waited.map_or("refused".to_owned(), |waited| format!("{:.0}", ms(waited)));
    println!("{engine:<12} {size:>10} {:>12.0} {waited:>24}", ms(held));
    store.close().await.unwrap();
}

fn registration(email: &str) -> Registration {
    serde_json::from_value(serde_json::json!({
        "participant": {"name": "Erika Beispiel", "email": email},
        "address": {"street": "Musterstraße 1", "postal_code": "65183", "city": "Wiesbaden",
                    "country": "DE"},
        "location": {"latitude": 50.0826, "longitude": 8.24},
        "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": true,
                     "electric_vehicle_charger": false, "home_battery": false},
        "meters": [{"type": "ELECTRICITY", "model": "MT175"},
                   {"type": "PV-GENERATION", "model": "EHZ"}],
        "pv_systems": [{"nominal_power": 7.48, "azimuth": 180, "tilt": 35,
                        "installed_on": "2019-05-03", "meter": 1}]
    }))
    .unwrap()
}
