//! Migrations: embedded `.sql` files, each applied once.
//!
//! Of servers that start at once one holds an advisory lock and migrates; the others wait for it
//! and find nothing to do.
//!
//! A migration that waits for a table's lock blocks all later transactions on it. So it waits
//! briefly, gives up, and tries again, until a dump that locks the table has ended: servers of the
//! previous release keep serving meanwhile.

use std::time::Duration;

use deadpool_postgres::Client;

use super::PostgresError;
use crate::StoreError;

/// In order, never changed once released.
const MIGRATIONS: [&str; 9] = [
    include_str!("../../migrations/postgres/0001_survey.sql"),
    include_str!("../../migrations/postgres/0002_management.sql"),
    include_str!("../../migrations/postgres/0003_device_status.sql"),
    include_str!("../../migrations/postgres/0004_measurement_flags.sql"),
    include_str!("../../migrations/postgres/0005_constraints.sql"),
    include_str!("../../migrations/postgres/0006_masking.sql"),
    include_str!("../../migrations/postgres/0007_erasure.sql"),
    include_str!("../../migrations/postgres/0008_removal.sql"),
    include_str!("../../migrations/postgres/0009_exchanged_meter.sql"),
];

/// Every advisory lock of the program in a database: one number each, used for nothing else.
const LOCK: i64 = 7_203_846_101;

/// A lock was not granted in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// Brings the database to the latest version.
pub async fn migrate(client: &mut Client) -> Result<(), StoreError> {
    let mut told = false;
    loop {
        match attempt(client).await {
            Err(StoreError::Postgres(error)) if error.is(LOCK_NOT_AVAILABLE) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(
                        "the database is migrated as soon as nothing else, such as a dump, holds \
                         its tables"
                    );
                }
                tokio::time::sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}

async fn attempt(client: &mut Client) -> Result<(), StoreError> {
    let tx = client.transaction().await?;
    // This waits for another server's migration, however long it takes, and blocks no table.
    tx.batch_execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0").await?;
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    tx.batch_execute("SET LOCAL lock_timeout = '100ms'").await?;
    let made: bool = tx
        .query_one("SELECT to_regclass('schema_migration') IS NOT NULL", &[])
        .await?
        .try_get(0)?;
    if !made {
        tx.batch_execute(
            "CREATE TABLE schema_migration (
                 version    integer PRIMARY KEY,
                 applied_at timestamptz NOT NULL DEFAULT now()
             )",
        )
        .await?;
    }
    let found: i32 = tx
        .query_one("SELECT coalesce(max(version), 0) FROM schema_migration", &[])
        .await?
        .try_get(0)?;
    let pending = usize::try_from(found)
        .ok()
        .and_then(|found| MIGRATIONS.get(found..))
        .ok_or(PostgresError::Newer { found, known: MIGRATIONS.len() })?;
    for (version, sql) in (found + 1..).zip(pending) {
        tx.batch_execute(sql).await?;
        tx.execute("INSERT INTO schema_migration (version) VALUES ($1)", &[&version]).await?;
    }
    tx.commit().await?;
    Ok(())
}
