//! What waits for others in PostgreSQL, and whom it keeps waiting.

use std::time::Duration;

use ebp_needs::needs;
use ebp_store::{Database, HouseholdId, open_store};
use jiff::SignedDuration;

use crate::{
    cluster,
    story::{at, registration},
};

/// The schema that a release before this one made.
const EARLIER: [&str; 5] = [
    include_str!("../../migrations/postgres/0001_survey.sql"),
    include_str!("../../migrations/postgres/0002_management.sql"),
    include_str!("../../migrations/postgres/0003_device_status.sql"),
    include_str!("../../migrations/postgres/0004_measurement_flags.sql"),
    include_str!("../../migrations/postgres/0005_constraints.sql"),
];

/// Before, the migration waited for the dump, and everybody else for the migration.
#[needs(postgresql)]
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_waits_for_a_dump_and_keeps_nobody_waiting() {
    let cluster = cluster::shared();
    let (url, settings) = cluster.database().await;
    let name = url.rsplit('=').next().unwrap();
    let (earlier, dump) = (cluster.client(name).await, cluster.client(name).await);
    let versions = "CREATE TABLE schema_migration
        (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())";
    earlier.batch_execute(versions).await.unwrap();
    for (version, sql) in (1..).zip(EARLIER) {
        earlier.batch_execute(sql).await.unwrap();
        let applied = format!("INSERT INTO schema_migration (version) VALUES ({version})");
        earlier.batch_execute(&applied).await.unwrap();
    }
    dump.batch_execute("BEGIN; LOCK TABLE location IN ACCESS SHARE MODE").await.unwrap();
    let opening = tokio::spawn(async move { open_store(&Database::Postgres(settings)).await });
    for _ in 0..20 {
        let served = earlier.query("SELECT FROM location", &[]);
        tokio::time::timeout(Duration::from_secs(5), served).await.unwrap().unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!opening.is_finished());
    dump.batch_execute("COMMIT").await.unwrap();
    opening.await.unwrap().unwrap();
}

/// Before, consent ended when it was asked for: what uploads under way had measured since was stored
/// behind its end.
#[needs(postgresql)]
#[tokio::test(flavor = "multi_thread")]
async fn consent_ends_when_uploads_that_were_under_way_have_ended() {
    let cluster = cluster::shared();
    let (url, settings) = cluster.database().await;
    let store = open_store(&Database::Postgres(settings)).await.unwrap();
    let now = at("2026-01-01T00:00:00Z");
    let made = store.register(registration("erika@example.org"), now).await.unwrap();
    let household = HouseholdId(made.household);
    store.grant_consent(household, now).await.unwrap();
    let upload = cluster.client(url.rsplit('=').next().unwrap()).await;
    upload.batch_execute("BEGIN").await.unwrap();
    let lock = "SELECT pg_advisory_xact_lock_shared(consent_lock($1))";
    upload.execute(lock, &[&made.household]).await.unwrap();
    let revoking = tokio::spawn(async move { store.revoke_consent(household, now).await });
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!revoking.is_finished());
    upload.batch_execute("COMMIT").await.unwrap();
    let revoked = revoking.await.unwrap().unwrap();
    let later = revoked.revoked_at.unwrap().duration_since(now);
    assert!(later >= SignedDuration::from_secs(1), "{later:?}");
}
