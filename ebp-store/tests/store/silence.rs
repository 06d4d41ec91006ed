//! PostgreSQL, or something on the way to it, falls silent without closing a connection.

use std::{
    path::PathBuf,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use ebp_core::model::MeasurementIds;
use ebp_needs::needs;
use ebp_store::{
    Database, HouseholdId, InsertOutcome, PostgresSettings, Store, StoreError, open_store,
};
use tokio::net::{UnixListener, UnixStream};

use crate::{
    cluster::{self, Cluster},
    story::{at, measurement, names, registration},
};

/// Within this service has to be back. Without limits of the client it never was; statements that
/// PostgreSQL itself ended were waited for for 50 to 60 seconds.
const BACK: Duration = Duration::from_secs(10);

pub async fn open(settings: &PostgresSettings) -> Arc<dyn Store> {
    open_store(&Database::Postgres(settings.clone())).await.unwrap()
}

/// A device's report of one measurement, and what is asked before it.
pub async fn report(
    store: &dyn Store,
    household: HouseholdId,
    meter: uuid::Uuid,
    number: i64,
) -> bool {
    let now = at("2026-01-01T00:00:00Z");
    let slot = now + jiff::SignedDuration::from_mins(15 * number);
    let item = measurement(MeasurementIds::for_meter(meter).at(slot).as_u128(), meter, slot);
    let temporary = |error: &StoreError| assert!(error.is_temporary(), "{error}");
    let asked = async {
        store.actor(&names("erika@example.org", None)).await.inspect_err(temporary).ok()?;
        store.consent(household).await.inspect_err(temporary).ok()?;
        let stored = store.insert_measurements(household, vec![item], slot).await;
        Some(stored.inspect_err(temporary).ok()? == [InsertOutcome::Accepted])
    };
    asked.await == Some(true)
}

/// Reports until one is stored, and says whether that was in time and the store then is ready.
pub async fn assert_back(store: &dyn Store, household: HouseholdId, meter: uuid::Uuid, from: i64) {
    let begun = Instant::now();
    let mut number = from;
    while !report(store, household, meter, number).await {
        number += 1;
        assert!(begun.elapsed() < 6 * BACK, "service does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(begun.elapsed() < BACK, "{:?}", begun.elapsed());
    store.ping().await.unwrap();
}

pub async fn household(store: &dyn Store) -> (HouseholdId, uuid::Uuid) {
    let now = at("2026-01-01T00:00:00Z");
    let made = store.register(registration("erika@example.org"), now).await.unwrap();
    let household = HouseholdId(made.household);
    store.grant_consent(household, now).await.unwrap();
    assert!(report(store, household, made.meters[0], 0).await);
    (household, made.meters[0])
}

fn signal(name: &str, processes: &[i32]) {
    let processes = processes.iter().map(ToString::to_string);
    assert!(Command::new("kill").arg(name).args(processes).status().unwrap().success());
}

#[needs(postgresql)]
#[tokio::test(flavor = "multi_thread")]
async fn processes_that_serve_are_stopped() {
    let cluster = Cluster::start("fsync = off\n");
    let (url, settings) = cluster.database().await;
    let store = open(&settings).await;
    let (household, meter) = household(&*store).await;
    let db = cluster.client(url.rsplit('=').next().unwrap()).await;
    let serving = "SELECT pid FROM pg_stat_activity
                   WHERE application_name = 'ebp' AND datname = current_database()";
    let pids: Vec<i32> =
        db.query(serving, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert!(!pids.is_empty());
    signal("-STOP", &pids);
    assert!(store.ping().await.is_err(), "a stopped worker is not ready");
    assert_back(&*store, household, meter, 1).await;
    // A stopped process does not hear that it shall end.
    signal("-CONT", &pids);
}

/// Passes everything on, but for connections that were made before it was frozen.
struct Proxy {
    thawed: AtomicUsize,
}

impl Proxy {
    fn start(folder: &std::path::Path, to: PathBuf) -> Arc<Self> {
        let proxy = Arc::new(Self { thawed: AtomicUsize::new(0) });
        let listener = UnixListener::bind(folder.join(".s.PGSQL.5432")).unwrap();
        let this = proxy.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = UnixStream::connect(&to).await.unwrap();
                let (mut near, mut far) = (near, far);
                let (made, this) = (this.thawed.load(Ordering::Relaxed), this.clone());
                tokio::spawn(async move {
                    let frozen = async {
                        while this.thawed.load(Ordering::Relaxed) == made {
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                    };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        // Neither side learns anything.
                        () = frozen => std::future::pending().await,
                    }
                });
            }
        });
        proxy
    }

    /// Old connections stay frozen for ever.
    async fn freeze_what_there_is(&self) {
        self.thawed.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[needs(postgresql)]
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_in_between_forgets_its_connections() {
    let cluster = Cluster::start("fsync = off\n");
    let (url, _) = cluster.database().await;
    let folder = tempfile::tempdir().unwrap();
    let socket = url.split(' ').next().unwrap().trim_start_matches("host=").to_owned();
    let proxy = Proxy::start(folder.path(), PathBuf::from(&socket).join(".s.PGSQL.5432"));
    let by_proxy = url.replace(&socket, folder.path().to_str().unwrap());
    let store = open(&PostgresSettings::new(by_proxy)).await;
    let (household, meter) = household(&*store).await;
    for round in 0..2 {
        proxy.freeze_what_there_is().await;
        assert_back(&*store, household, meter, 1 + round * 1000).await;
    }
}

#[needs(postgresql)]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_revokes_while_a_dump_runs_is_answered_and_keeps_nobody_waiting() {
    let cluster = Cluster::start("fsync = off\n");
    let (url, settings) = cluster.database().await;
    let store = open(&settings).await;
    let (household, meter) = household(&*store).await;
    let now = at("2026-01-01T00:00:00Z");
    let mut others = Vec::new();
    for i in 0..6 {
        let made = store.register(registration(&format!("{i}@example.org")), now).await.unwrap();
        store.grant_consent(HouseholdId(made.household), now).await.unwrap();
        others.push(HouseholdId(made.household));
    }
    // As `pg_dump` holds them.
    let dump = cluster.client(url.rsplit('=').next().unwrap()).await;
    let tables = "BEGIN; LOCK TABLE participant, address, location, withheld_location, pv_system
                  IN ACCESS SHARE MODE";
    dump.batch_execute(tables).await.unwrap();
    let mut number = 1;
    let mut longest = Duration::ZERO;
    for other in others {
        let begun = Instant::now();
        let revoking = tokio::spawn({
            let store = store.clone();
            async move {
                store.revoke_consent(other, now).await.unwrap();
                begun.elapsed()
            }
        });
        while !revoking.is_finished() {
            assert!(report(&*store, household, meter, number).await);
            number += 1;
        }
        longest = longest.max(revoking.await.unwrap());
    }
    // 5 seconds and more before there was one erasure for all.
    assert!(longest < Duration::from_secs(3), "{longest:?}");
    let due = "SELECT count(*) FROM erasure_due";
    assert!(dump.query_one(due, &[]).await.unwrap().get::<_, i64>(0) > 0);
    dump.batch_execute("COMMIT").await.unwrap();
    let db = cluster.client(url.rsplit('=').next().unwrap()).await;
    for _ in 0..600 {
        if db.query_one(due, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("what was removed is not erased after the dump");
}

/// Everybody's connections wait for one who holds a table: who asks is put off, the store is not ready,
/// and both end with the wait.
#[needs(postgresql)]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_pool_puts_off_and_serves_again() {
    let cluster = Cluster::start("fsync = off\n");
    let (url, settings) = cluster.database().await;
    let store = open(&PostgresSettings { connections: 2, ..settings }).await;
    let (household, meter) = household(&*store).await;
    let holder = cluster.client(url.rsplit('=').next().unwrap()).await;
    let tables = "BEGIN; LOCK TABLE measurement, consent, participant IN ACCESS EXCLUSIVE MODE";
    holder.batch_execute(tables).await.unwrap();
    let begun = Instant::now();
    let reports: Vec<_> = (0..50)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { report(&*store, household, meter, 1000 + number).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(store.ping().await.is_err(), "no connection is free");
    for report in reports {
        assert!(!report.await.unwrap(), "nothing can have been stored");
    }
    // Look-ups have 5 seconds, and who waits for a connection no more than that either.
    assert!(begun.elapsed() < 3 * BACK, "{:?}", begun.elapsed());
    holder.batch_execute("COMMIT").await.unwrap();
    assert_back(&*store, household, meter, 1).await;
}

#[needs(postgresql)]
#[tokio::test]
async fn a_database_that_cannot_be_written_to_is_refused() {
    let cluster = cluster::shared();
    let (url, settings) = cluster.database().await;
    open(&settings).await;
    let name = url.rsplit('=').next().unwrap().to_owned();
    let admin = cluster.client("postgres").await;
    let set = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    admin.batch_execute(&set).await.unwrap();
    let error = open_store(&Database::Postgres(settings)).await.err().unwrap();
    assert!(error.to_string().contains("read-only standby"), "{error}");
}
