//! SQLite: the suite, and what only a file can suffer.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use ebp_store::{
    Database, HouseholdId, InsertOutcome, MaskingStore, SqliteStore, Store, StoreError, open_store,
};
use rusqlite::{Connection, params};

use crate::story::{self, at, measurement, registration};

pub struct Fresh {
    _dir: tempfile::TempDir,
    database: Database,
}

impl Fresh {
    /// Of how many households somebody guesses the address.
    const GUESSED: usize = 200;

    pub async fn new() -> Self {
        let (_dir, path) = fresh();
        Self { _dir, database: Database::Sqlite(path) }
    }

    pub async fn open(&self) -> Arc<dyn Store> {
        open_store(&self.database).await.unwrap()
    }
}

story::suite!([] Fresh::new());

pub fn fresh() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data/ebp.sqlite");
    (dir, path)
}

pub async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path).await.unwrap()
}

#[tokio::test]
async fn a_backup_that_is_put_back_gets_the_same_revocations() {
    let (dir, path) = fresh();
    let live = open(&path).await;
    let copy = dir.path().join("copy.sqlite");
    let copied = async || {
        ebp_store::backup::backup(&path, &copy).unwrap();
        open_store(&Database::Sqlite(copy.clone())).await.unwrap()
    };
    crate::release::revoked_again(&live, copied).await;
}

#[test]
fn ten_at_once_make_one_database() {
    let (_dir, path) = fresh();
    std::thread::scope(|scope| {
        for i in 0..10 {
            let path = &path;
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async {
                    let store = open(path).await;
                    let email = format!("p{i}@example.org");
                    store.register(registration(&email), at("2026-01-01T00:00:00Z")).await.unwrap();
                });
            });
        }
    });
    let connection = Connection::open(&path).unwrap();
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM household"), 10);
    assert_eq!(count("PRAGMA user_version"), crate::additive::count_of("sqlite"));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let folder = path.parent().unwrap();
    assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
}

/// What a killed process leaves: database and log as they lie on the disk, copied while the store
/// is in use and never closed.
fn as_killed(path: &Path) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("ebp.sqlite");
    std::fs::copy(path, &copy).unwrap();
    let log = |path: &Path| path.with_extension("sqlite-wal");
    std::fs::copy(log(path), log(&copy)).unwrap();
    (dir, copy)
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let (_dir, path) = fresh();
    let now = at("2026-01-01T00:00:00Z");
    let store = open(&path).await;
    let made = store.register(registration("erika@example.org"), now).await.unwrap();
    let household = HouseholdId(made.household);
    store.grant_consent(household, now).await.unwrap();
    for uuid in 0..20 {
        let items = vec![measurement(uuid, made.meters[0], now)];
        store.insert_measurements(household, items.clone(), now).await.unwrap();
        let (_dir, copy) = as_killed(&path);
        let revived = open(&copy).await;
        let outcomes = revived.insert_measurements(household, items, now).await.unwrap();
        assert_eq!(outcomes, [InsertOutcome::Duplicate]);
    }
    store.revoke_consent(household, now).await.unwrap();
    let (_dir, copy) = as_killed(&path);
    let revived = open(&copy).await;
    let again = revived.revoke_consent(household, now).await;
    assert!(matches!(again, Err(StoreError::ConsentRevoked)));
}

#[tokio::test]
async fn a_cut_log_loses_the_last_write_and_nothing_else() {
    let (_dir, path) = fresh();
    let now = at("2026-01-01T00:00:00Z");
    let store = open(&path).await;
    let made = store.register(registration("erika@example.org"), now).await.unwrap();
    let household = HouseholdId(made.household);
    store.grant_consent(household, now).await.unwrap();
    let items: Vec<_> = (0..200).map(|uuid| measurement(uuid, made.meters[0], now)).collect();
    store.insert_measurements(household, items.clone(), now).await.unwrap();
    let (_dir, copy) = as_killed(&path);
    let log =
        std::fs::OpenOptions::new().write(true).open(copy.with_extension("sqlite-wal")).unwrap();
    log.set_len(log.metadata().unwrap().len() - 100).unwrap();
    let revived = open(&copy).await;
    let outcomes = revived.insert_measurements(household, items, now).await.unwrap();
    assert!(outcomes.iter().all(|outcome| *outcome == InsertOutcome::Accepted), "all or nothing");
}

#[tokio::test]
async fn the_database_keeps_the_rules_by_itself() {
    let (_dir, path) = fresh();
    let now = at("2026-01-01T00:00:00Z");
    let store = open(&path).await;
    let erika = store.register(registration("erika@example.org"), now).await.unwrap();
    let max = store.register(registration("max@example.org"), now).await.unwrap();
    store.grant_consent(HouseholdId(erika.household), now).await.unwrap();
    store.revoke_consent(HouseholdId(erika.household), now).await.unwrap();
    let db = Connection::open(&path).unwrap();
    db.pragma_update(None, "foreign_keys", true).unwrap();
    let refused = |sql: &str, why: &str| {
        let error = db.execute_batch(sql).expect_err(sql).to_string();
        assert!(error.contains(why), "{sql}: {error}");
    };
    let once = "granted once and revoked once";
    refused("UPDATE consent SET revoked_at = NULL WHERE revoked_at IS NOT NULL", once);
    refused("UPDATE consent SET granted_at = 1 WHERE granted_at IS NOT NULL", once);
    refused("UPDATE consent SET granted_at = NULL WHERE granted_at IS NOT NULL", once);
    refused("DELETE FROM consent", "kept for ever");
    refused("INSERT OR REPLACE INTO consent SELECT * FROM consent", "begins not granted");
    refused("UPDATE consent SET revoked_at = 1 WHERE granted_at IS NULL", "CHECK");
    refused("UPDATE household SET participant = (SELECT id FROM participant)", "no participant");
    refused("INSERT INTO participant (name, email) VALUES ('x', 'MAX@example.org')", "UNIQUE");
    refused(
        "UPDATE location SET latitude = 91; INSERT INTO location (household, latitude, longitude)
             VALUES (x'00', 91, 0)",
        "CHECK",
    );
    let masked = "INSERT INTO location SELECT uuid, 50, 8, 'entered', 1, 'DE714'
                      FROM household WHERE participant IS NULL";
    db.execute_batch(masked).unwrap();
    refused("UPDATE location SET longitude = 9", "masked once");
    refused("DELETE FROM location", "masked once");
    refused(
        "INSERT OR REPLACE INTO location (household, latitude, longitude)
                 SELECT household, 51, 9 FROM location",
        "masked once",
    );
    refused("DELETE FROM household", "FOREIGN KEY");

    let meter = |household: uuid::Uuid, device: uuid::Uuid| {
        db.execute(
            "INSERT INTO meter VALUES (?1, ?2, 'ELECTRICITY', 'EHZ', ?3, 9, NULL, NULL, NULL, NULL)",
            params![uuid::Uuid::new_v4().as_bytes(), household.as_bytes(), device.as_bytes()],
        )
    };
    let foreign = meter(max.household, erika.measurement_device).unwrap_err();
    assert!(foreign.to_string().contains("FOREIGN KEY"), "{foreign}");
    meter(max.household, max.measurement_device).unwrap();

    let measure = |meter: uuid::Uuid| {
        db.execute(
            "INSERT INTO measurement
                 SELECT number, 1800000000000000, ?2, 1800000000000000, 0, '[]', NULL
                 FROM meter WHERE uuid = ?1",
            params![meter.as_bytes(), uuid::Uuid::new_v4().as_bytes()],
        )
    };
    let revoked = store.revoked_households().await.unwrap()[0].household;
    let renamed = store.meters(HouseholdId(revoked)).await.unwrap()[0].uuid;
    for meter in [renamed, max.meters[0]] {
        let error = measure(meter).unwrap_err().to_string();
        assert!(error.contains("within consent"), "{error}");
    }
}

#[tokio::test]
async fn a_database_of_tomorrow_is_left_alone() {
    let (_dir, path) = fresh();
    SqliteStore::open(&path).await.unwrap();
    let db = Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    for incompatible in
        ["UPDATE schema_compatibility SET since = 99", "DROP TABLE schema_compatibility"]
    {
        db.execute(incompatible, []).unwrap();
        let error = SqliteStore::open(&path).await.err().unwrap();
        let StoreError::Newer { schema, .. } = &error else { panic!("{error}") };
        assert_eq!(schema.found, 99);
        assert!(error.to_string().contains("cannot use"), "{error}");
    }
    std::fs::write(&path, b"this is no database, and never was one, however long it is").unwrap();
    let error = SqliteStore::open(&path).await.err().unwrap();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
}
