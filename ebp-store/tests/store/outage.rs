//! PostgreSQL goes, in the midst of uploads, and comes again.

use std::{sync::Arc, time::Duration};

use ebp_core::model::MeasurementIds;
use ebp_needs::needs;
use ebp_store::{
    Database, HouseholdId, InsertOutcome, PageQuery, PostgresSettings, Store, StoreError,
    open_store,
};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::{
    cluster::{self, Cluster},
    story::{at, measurement, names, registration},
};

const SENDERS: u128 = 4;

/// Sends report after report, each again until it is answered, as a device does; says how many
/// measurements were acknowledged and how often it was put off.
async fn send(
    store: Arc<dyn Store>,
    household: HouseholdId,
    meter: Uuid,
    sender: u128,
    mut end: tokio::sync::watch::Receiver<bool>,
) -> (u128, usize) {
    let start = at("2026-01-01T00:00:00Z");
    let ids = MeasurementIds::for_meter(meter);
    let (mut sent, mut put_off) = (0, 0);
    loop {
        let items: Vec<_> = (sent..sent + 25)
            .map(|i| {
                let slot = start + SignedDuration::from_mins(15) * i32::try_from(i).unwrap();
                // Every other one is a source of its own.
                if sender.is_multiple_of(2) {
                    let slot = slot + SignedDuration::from_secs(i64::try_from(sender).unwrap());
                    measurement(ids.at(slot).as_u128(), meter, slot)
                } else {
                    measurement(sender << 64 | i, meter, slot)
                }
            })
            .collect();
        let now = start + SignedDuration::from_hours(24 * 3000);
        match store.insert_measurements(household, items, now).await {
            Ok(outcomes) => {
                // Stored by the answer that was lost, it is there already.
                let there = |o: &InsertOutcome| {
                    matches!(o, InsertOutcome::Accepted | InsertOutcome::Duplicate)
                };
                assert!(outcomes.iter().all(there), "{outcomes:?}");
                sent += 25;
                if *end.borrow_and_update() {
                    return (sent, put_off);
                }
            }
            Err(error) => {
                assert!(error.is_temporary(), "{error}");
                put_off += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

#[needs(postgresql)]
#[tokio::test]
async fn killed_and_stopped_in_the_midst_of_uploads() {
    // As an operator has it: what is acknowledged is synced.
    let cluster = Cluster::start("");
    let (url, settings) = cluster.database().await;
    let open = async || open_store(&Database::Postgres(settings.clone())).await.unwrap();
    // Two servers on one database.
    let stores = [open().await, open().await];
    let start = at("2026-01-01T00:00:00Z");
    let made = stores[0].register(registration("erika@example.org"), start).await.unwrap();
    let (household, meter) = (HouseholdId(made.household), made.meters[0]);
    stores[0].grant_consent(household, start).await.unwrap();

    let (end, ended) = tokio::sync::watch::channel(false);
    let senders: Vec<_> = (0..SENDERS)
        .map(|i| {
            let store = stores[usize::try_from(i % 2).unwrap()].clone();
            tokio::spawn(send(store, household, meter, i, ended.clone()))
        })
        .collect();
    let cluster = Arc::new(cluster);
    for round in 0..4 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let cluster = cluster.clone();
        tokio::task::spawn_blocking(move || {
            if round % 2 == 0 {
                cluster.kill()
            } else {
                cluster.stop()
            }
            std::thread::sleep(Duration::from_millis(200));
            cluster.run();
        })
        .await
        .unwrap();
    }
    tokio::time::sleep(Duration::from_millis(400)).await;
    end.send(true).unwrap();
    let (mut acknowledged, mut put_off) = (0, 0);
    for sender in senders {
        let (sent, failures) = sender.await.unwrap();
        acknowledged += sent;
        put_off += failures;
    }
    assert!(put_off > 0, "nothing was in the way");

    let (mut listed, mut after) = (0, None);
    loop {
        let query = PageQuery { from: None, to: None, after, limit: 1000 };
        let page = stores[1].measurements_page(household, meter, query).await.unwrap();
        listed += page.items.len() as u128;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(listed, acknowledged, "each once, and none missing");
    let db = cluster.client(url.rsplit('=').next().unwrap()).await;
    let both = "SELECT (SELECT count(*) FROM measurement_key) > 0 AND
                   (SELECT count(*) FROM measurement_key)
                       = (SELECT count(*) FROM measurement WHERE uuid IS NOT NULL)";
    assert!(db.query_one(both, &[]).await.unwrap().get::<_, bool>(0));
}

#[needs(postgresql)]
#[tokio::test]
async fn while_it_is_away_everything_is_put_off() {
    let cluster = Cluster::start("fsync = off\n");
    let (_, settings) = cluster.database().await;
    let store = open_store(&Database::Postgres(settings.clone())).await.unwrap();
    let made = store.register(registration("a@example.org"), at("2026-01-01T00:00:00Z")).await;
    let household = HouseholdId(made.unwrap().household);
    cluster.kill();
    let put_off = |error: StoreError| assert!(error.is_temporary(), "{error}");
    // Those who served connections notice it a moment later.
    let error = loop {
        match store.actor(&names("a@example.org", None)).await {
            Ok(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(error) => break error,
        }
    };
    put_off(error);
    put_off(store.consent(household).await.unwrap_err());
    put_off(store.grant_consent(household, at("2026-01-02T00:00:00Z")).await.unwrap_err());
    put_off(open_store(&Database::Postgres(settings)).await.err().unwrap());
    cluster.run();
    store.consent(household).await.unwrap();
    store.grant_consent(household, at("2026-01-02T00:00:00Z")).await.unwrap();
}

/// More at once than there are connections: they wait for one another, and none is refused.
#[needs(postgresql)]
#[tokio::test]
async fn few_connections_serve_many() {
    let cluster = cluster::shared();
    let (_, settings) = cluster.database().await;
    let settings = PostgresSettings { connections: 2, ..settings };
    let store = open_store(&Database::Postgres(settings)).await.unwrap();
    let tasks: Vec<_> = (0..200)
        .map(|i| {
            let store = store.clone();
            tokio::spawn(async move { store.actor(&names(&format!("p{i}@x"), None)).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}
