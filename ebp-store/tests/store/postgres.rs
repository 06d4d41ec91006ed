//! PostgreSQL: the suite, and what only a server can suffer.

use std::sync::Arc;

use ebp_core::model::MeasurementIds;
use ebp_needs::needs;
use ebp_store::{
    Database, HouseholdId, InsertOutcome, PostgresError, PostgresSettings, PostgresStore, Refusal,
    Store, StoreError, open_store,
};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::{
    cluster,
    story::{self, at, measurement, registration},
};

pub struct Fresh {
    url: String,
    settings: PostgresSettings,
}

impl Fresh {
    /// Of how many households somebody guesses the address; each costs a copy of all tables.
    const GUESSED: usize = 50;

    /// A database of the shared cluster.
    pub async fn new() -> Self {
        let (url, settings) = cluster::shared().database().await;
        Self { url, settings }
    }

    pub async fn open(&self) -> Arc<dyn Store> {
        open_store(&Database::Postgres(self.settings.clone())).await.unwrap()
    }

    /// A connection without the store's manners.
    pub async fn plain(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

story::suite!([needs(postgresql)] Fresh::new());

async fn count(db: &Client, sql: &str) -> i64 {
    db.query_one(sql, &[]).await.unwrap().get(0)
}

#[needs(postgresql)]
#[tokio::test]
async fn ten_at_once_migrate_once() {
    let fresh = Fresh::new().await;
    let fresh = Arc::new(fresh);
    let open = |i: usize| {
        let fresh = fresh.clone();
        tokio::spawn(async move {
            let store = fresh.open().await;
            let email = format!("p{i}@example.org");
            store.register(registration(&email), at("2026-01-01T00:00:00Z")).await.unwrap();
        })
    };
    for server in (0..10).map(open).collect::<Vec<_>>() {
        server.await.unwrap();
    }
    let db = fresh.plain().await;
    assert_eq!(count(&db, "SELECT count(*) FROM household").await, 10);
    let migrations = crate::additive::count_of("postgres");
    assert_eq!(count(&db, "SELECT count(*) FROM schema_migration").await, migrations);
}

#[needs(postgresql)]
#[tokio::test]
async fn a_database_of_tomorrow_is_left_alone() {
    let fresh = Fresh::new().await;
    fresh.open().await;
    let db = fresh.plain().await;
    db.batch_execute("INSERT INTO schema_migration (version) VALUES (99)").await.unwrap();
    for incompatible in
        ["UPDATE schema_compatibility SET since = 99", "DROP TABLE schema_compatibility"]
    {
        db.batch_execute(incompatible).await.unwrap();
        let error = PostgresStore::open(&fresh.settings).await.err().unwrap();
        let StoreError::Postgres(PostgresError::Newer(schema)) = &error else { panic!("{error}") };
        assert_eq!(schema.found, 99);
        assert!(error.to_string().contains("cannot use"), "{error}");
    }
}

#[needs(postgresql)]
#[tokio::test]
async fn a_database_that_is_not_there_is_named_as_the_reason() {
    let cluster = cluster::shared();
    let settings = PostgresSettings::new(cluster.url("nowhere"));
    let error = PostgresStore::open(&settings).await.err().unwrap();
    assert!(!error.is_temporary() && error.to_string().contains("nowhere"), "{error}");
    let settings = PostgresSettings::new("host=/nowhere user=postgres dbname=x");
    let error = PostgresStore::open(&settings).await.err().unwrap();
    assert!(error.is_temporary(), "{error}");
}

#[needs(postgresql)]
#[tokio::test]
async fn the_database_keeps_the_rules_by_itself() {
    let fresh = Fresh::new().await;
    let store = fresh.open().await;
    let now = at("2026-01-01T00:00:00Z");
    let erika = store.register(registration("erika@example.org"), now).await.unwrap();
    let max = store.register(registration("max@example.org"), now).await.unwrap();
    let otto = store.register(registration("otto@example.org"), now).await.unwrap();
    let (house, other) = (HouseholdId(erika.household), HouseholdId(otto.household));
    store.grant_consent(other, now).await.unwrap();
    let item = measurement(1, otto.meters[0], now);
    store.insert_measurements(other, vec![item], now).await.unwrap();
    store.grant_consent(house, now).await.unwrap();
    store.revoke_consent(house, now).await.unwrap();

    let db = fresh.plain().await;
    let refused = async |sql: &str, why: &str| {
        let error = db.batch_execute(sql).await.expect_err(sql);
        let text = error.as_db_error().unwrap().to_string();
        assert!(text.contains(why), "{sql}: {text}");
    };
    let once = "granted once and revoked once";
    refused("UPDATE consent SET revoked_at = NULL WHERE revoked_at IS NOT NULL", once).await;
    refused("UPDATE consent SET granted_at = now() WHERE granted_at IS NOT NULL", once).await;
    refused("UPDATE consent SET granted_at = NULL WHERE granted_at IS NOT NULL", once).await;
    refused("DELETE FROM consent", "kept for ever").await;
    refused("TRUNCATE consent", "kept for ever").await;
    db.batch_execute(
        "INSERT INTO location SELECT uuid, 50, 8, 'entered', true, 'DE714'
             FROM household WHERE participant IS NULL",
    )
    .await
    .unwrap();
    refused("UPDATE location SET longitude = 9 WHERE nuts3 = 'DE714'", "masked once").await;
    refused("DELETE FROM location WHERE nuts3 = 'DE714'", "masked once").await;
    refused("INSERT INTO consent SELECT * FROM consent WHERE granted_at IS NULL", "duplicate key")
        .await;
    refused("INSERT INTO consent SELECT * FROM consent WHERE granted_at < now()", "not granted")
        .await;
    refused("UPDATE consent SET revoked_at = now() WHERE granted_at IS NULL", "check constraint")
        .await;
    let attach = "UPDATE household SET participant = (SELECT min(id) FROM participant)";
    refused(attach, "no participant").await;
    let again = "INSERT INTO participant (name, email) VALUES ('x', 'MAX@example.org')";
    refused(again, "participant_email").await;
    let pole = format!("INSERT INTO location VALUES ('{}', 91, 0)", max.household);
    refused(&pole, "check constraint").await;
    refused("DELETE FROM household", "foreign key").await;

    let meter = |household: Uuid, device: Uuid| {
        let uuid = Uuid::new_v4();
        format!(
            "INSERT INTO meter VALUES ('{uuid}', '{household}', 'ELECTRICITY', 'EHZ', '{device}', 9)"
        )
    };
    refused(&meter(max.household, erika.measurement_device), "foreign key").await;
    db.batch_execute(&meter(max.household, max.measurement_device)).await.unwrap();
    let system = format!(
        "INSERT INTO pv_system VALUES (gen_random_uuid(), '{}', 1, 0, 0, now(), '{}', 9)",
        max.household, max.meters[0]
    );
    refused(&system, "counts generation").await;

    let measure = |meter: Uuid, at: &str| {
        format!(
            "INSERT INTO measurement VALUES ((SELECT coalesce(min(number), 999) FROM meter
                 WHERE uuid = '{meter}'), '{at}', '{at}', now(), NULL, '[]')"
        )
    };
    let (in_time, early) = ("2026-01-01 12:00Z", "2025-12-31 23:59Z");
    refused(&measure(otto.meters[0], early), "no partition").await;
    db.batch_execute(&format!("SELECT make_measurement_partition('{early}')")).await.unwrap();
    refused(&measure(otto.meters[0], early), "within consent").await;
    for meter in [erika.meters[0], max.meters[0], Uuid::new_v4()] {
        refused(&measure(meter, in_time), "within consent").await;
    }
    db.batch_execute(&measure(otto.meters[0], in_time)).await.unwrap();
    refused("UPDATE measurement SET data = '[1]'", "never changes").await;
    refused(&format!("DELETE FROM meter WHERE uuid = '{}'", otto.meters[0]), "is kept").await;
}

#[needs(postgresql)]
#[tokio::test]
async fn an_archived_month_takes_nothing_in() {
    let fresh = Fresh::new().await;
    let store = fresh.open().await;
    let (start, now) = (at("2026-01-01T00:00:00Z"), at("2026-06-01T00:00:00Z"));
    let made = store.register(registration("erika@example.org"), start).await.unwrap();
    let (house, meter) = (HouseholdId(made.household), made.meters[0]);
    store.grant_consent(house, start).await.unwrap();
    let of = |time: &str| {
        let uuid = MeasurementIds::for_meter(meter).at(at(time));
        measurement(uuid.as_u128(), meter, at(time))
    };
    let (january, march) = (of("2026-01-15T12:00:00Z"), of("2026-03-15T12:00:00Z"));
    let of_own = measurement(1, meter, january.measured_at);
    let both = vec![january.clone(), of_own.clone()];
    store.insert_measurements(house, both, now).await.unwrap();
    let db = fresh.plain().await;
    for step in [
        "INSERT INTO archived_month VALUES ('2026-01-01')",
        "ALTER TABLE measurement DETACH PARTITION measurement_2026_01 CONCURRENTLY",
        "ALTER TABLE measurement_2026_01 RENAME TO archive_2026_01",
    ] {
        db.batch_execute(step).await.unwrap();
    }
    // Once alone, once with those of a month that is missing, once of one that is there.
    for _ in 0..2 {
        let items = vec![january.clone(), march.clone(), of_own.clone()];
        let outcomes = store.insert_measurements(house, items, now).await.unwrap();
        let archived = || InsertOutcome::Refused(Refusal::Archived);
        assert_eq!([&outcomes[0], &outcomes[2]], [&archived(), &archived()]);
        assert!(!matches!(outcomes[1], InsertOutcome::Refused(_)));
        let alone = store.insert_measurements(house, vec![january.clone()], now).await.unwrap();
        assert_eq!(alone, [archived()]);
    }
    assert_eq!(count(&db, "SELECT count(*) FROM measurement").await, 1);
    assert_eq!(count(&db, "SELECT count(*) FROM archive_2026_01").await, 2);
    let error = db.batch_execute("SELECT make_measurement_partition('2026-01-31Z')").await;
    assert_eq!(error.unwrap_err().code().unwrap().code(), "EBP02");
}
