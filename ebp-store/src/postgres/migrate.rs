//! Migrations: embedded `.sql` files, each applied once.
//!
//! Of servers that start at once one holds an advisory lock and migrates; the others wait for it
//! and find nothing to do.
//!
//! A migration that waits for a table's lock blocks all later transactions on it. So it waits
//! briefly, gives up, and tries again, until a dump that locks the table has ended: servers of the
//! previous release keep serving meanwhile.

use std::time::Duration;

use deadpool_postgres::{Client, Transaction};

use super::PostgresError;
use crate::{
    StoreError,
    founding::Founding,
    schema::{SchemaVersion, breaks_older},
};

/// In order, never changed once released.
const MIGRATIONS: [&str; 32] = [
    include_str!("../../migrations/postgres/0001_survey.sql"),
    include_str!("../../migrations/postgres/0002_management.sql"),
    include_str!("../../migrations/postgres/0003_device_status.sql"),
    include_str!("../../migrations/postgres/0004_measurement_flags.sql"),
    include_str!("../../migrations/postgres/0005_constraints.sql"),
    include_str!("../../migrations/postgres/0006_masking.sql"),
    include_str!("../../migrations/postgres/0007_erasure.sql"),
    include_str!("../../migrations/postgres/0008_removal.sql"),
    include_str!("../../migrations/postgres/0009_exchanged_meter.sql"),
    include_str!("../../migrations/postgres/0010_rolling_release.sql"),
    include_str!("../../migrations/postgres/0011_job.sql"),
    include_str!("../../migrations/postgres/0012_last_report.sql"),
    include_str!("../../migrations/postgres/0013_energy_series.sql"),
    include_str!("../../migrations/postgres/0014_consent_text.sql"),
    include_str!("../../migrations/postgres/0015_shared_state.sql"),
    include_str!("../../migrations/postgres/0016_fleet.sql"),
    include_str!("../../migrations/postgres/0017_alert.sql"),
    include_str!("../../migrations/postgres/0018_rights.sql"),
    include_str!("../../migrations/postgres/0019_job_trace.sql"),
    include_str!("../../migrations/postgres/0020_speaks_on.sql"),
    include_str!("../../migrations/postgres/0021_tunnel.sql"),
    include_str!("../../migrations/postgres/0022_copied_certificate.sql"),
    include_str!("../../migrations/postgres/0023_purposes.sql"),
    include_str!("../../migrations/postgres/0024_web_session.sql"),
    include_str!("../../migrations/postgres/0025_alert_rule.sql"),
    include_str!("../../migrations/postgres/0026_data_release.sql"),
    include_str!("../../migrations/postgres/0027_job_archive.sql"),
    include_str!("../../migrations/postgres/0028_revoked_person.sql"),
    include_str!("../../migrations/postgres/0029_error_group.sql"),
    include_str!("../../migrations/postgres/0030_rollout.sql"),
    include_str!("../../migrations/postgres/0031_fleet_follows_faster.sql"),
    include_str!("../../migrations/postgres/0032_fleet_follows_statements.sql"),
];

/// Every advisory lock of the program in a database: one number each, used for nothing else.
const LOCK: i64 = 7_203_846_101;

/// A lock was not granted in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// Brings the database to the latest version, unless a newer program has brought it further.
/// One without tables gets them only if it may.
pub async fn migrate(client: &mut Client, founding: Founding) -> Result<(), StoreError> {
    let mut told = false;
    loop {
        match attempt(client, founding).await {
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

async fn attempt(client: &mut Client, founding: Founding) -> Result<(), StoreError> {
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
    let version = version(&tx).await?;
    // The table of versions goes with the transaction.
    founding.require(version)?;
    let pending = version.pending(&MIGRATIONS).map_err(PostgresError::Newer)?;
    for (version, sql) in (version.found + 1..).zip(pending) {
        let version = i32::try_from(version).unwrap_or(i32::MAX);
        tx.batch_execute(sql).await?;
        tx.execute("INSERT INTO schema_migration (version) VALUES ($1)", &[&version]).await?;
        if breaks_older(sql) {
            tx.execute("UPDATE schema_compatibility SET since = $1", &[&version]).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Checks that this program can still use the schema: a newer one may have changed it meanwhile.
pub async fn check(client: &Client) -> Result<(), StoreError> {
    let row = client
        .query_one(
            "SELECT (SELECT max(version) FROM schema_migration),
                    (SELECT since FROM schema_compatibility)",
            &[],
        )
        .await?;
    let (found, since): (Option<i32>, Option<i32>) = (row.try_get(0)?, row.try_get(1)?);
    let version = SchemaVersion { found: count(found.unwrap_or(0)), since: since.map(count) };
    Ok(version.check(&MIGRATIONS).map_err(PostgresError::Newer)?)
}

fn count(migrations: i32) -> u32 {
    u32::try_from(migrations).unwrap_or(u32::MAX)
}

async fn version(tx: &Transaction<'_>) -> Result<SchemaVersion, StoreError> {
    let found: i32 = tx
        .query_one("SELECT coalesce(max(version), 0) FROM schema_migration", &[])
        .await?
        .try_get(0)?;
    let known: bool = tx
        .query_one("SELECT to_regclass('schema_compatibility') IS NOT NULL", &[])
        .await?
        .try_get(0)?;
    let since: Option<i32> = if known {
        let row = tx.query_opt("SELECT since FROM schema_compatibility", &[]).await?;
        row.map(|row| row.try_get(0)).transpose()?
    } else {
        None
    };
    Ok(SchemaVersion { found: count(found), since: since.map(count) })
}
