//! Migrations: embedded `.sql` files, each applied once.
//!
//! The file's `user_version` counts those applied. Whoever starts first holds the write lock while
//! migrating; the others wait and find nothing to do.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::{
    StoreError,
    founding::Founding,
    schema::{SchemaVersion, breaks_older},
};

/// In order, never changed once released.
const MIGRATIONS: [&str; 29] = [
    include_str!("../../migrations/sqlite/0001_survey.sql"),
    include_str!("../../migrations/sqlite/0002_management.sql"),
    include_str!("../../migrations/sqlite/0003_device_status.sql"),
    include_str!("../../migrations/sqlite/0004_measurement_flags.sql"),
    include_str!("../../migrations/sqlite/0005_constraints.sql"),
    include_str!("../../migrations/sqlite/0006_masking.sql"),
    include_str!("../../migrations/sqlite/0007_removal.sql"),
    include_str!("../../migrations/sqlite/0008_exchanged_meter.sql"),
    include_str!("../../migrations/sqlite/0009_rolling_release.sql"),
    include_str!("../../migrations/sqlite/0010_job.sql"),
    include_str!("../../migrations/sqlite/0011_last_report.sql"),
    include_str!("../../migrations/sqlite/0012_energy_series.sql"),
    include_str!("../../migrations/sqlite/0013_consent_text.sql"),
    include_str!("../../migrations/sqlite/0014_shared_state.sql"),
    include_str!("../../migrations/sqlite/0015_fleet.sql"),
    include_str!("../../migrations/sqlite/0016_alert.sql"),
    include_str!("../../migrations/sqlite/0017_rights.sql"),
    include_str!("../../migrations/sqlite/0018_job_trace.sql"),
    include_str!("../../migrations/sqlite/0019_speaks_on.sql"),
    include_str!("../../migrations/sqlite/0020_tunnel.sql"),
    include_str!("../../migrations/sqlite/0021_copied_certificate.sql"),
    include_str!("../../migrations/sqlite/0022_purposes.sql"),
    include_str!("../../migrations/sqlite/0023_web_session.sql"),
    include_str!("../../migrations/sqlite/0024_alert_rule.sql"),
    include_str!("../../migrations/sqlite/0025_data_release.sql"),
    include_str!("../../migrations/sqlite/0026_job_archive.sql"),
    include_str!("../../migrations/sqlite/0027_revoked_person.sql"),
    include_str!("../../migrations/sqlite/0028_error_group.sql"),
    include_str!("../../migrations/sqlite/0029_rollout.sql"),
];

/// Brings the file to the latest version, unless a newer program has brought it further.
pub fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    migrate_to(connection, path, &MIGRATIONS)
}

fn migrate_to(connection: &mut Connection, path: &Path, known: &[&str]) -> Result<(), StoreError> {
    let failed = |source| StoreError::of_opening(path, source);
    let tx =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let version = version(&tx).map_err(failed)?;
    let pending = version
        .pending(known)
        .map_err(|schema| StoreError::Newer { path: path.to_owned(), schema })?;
    for (version, sql) in (version.found + 1..).zip(pending) {
        tx.execute_batch(sql).map_err(failed)?;
        tx.pragma_update(None, "user_version", version).map_err(failed)?;
        if breaks_older(sql) {
            let since = "UPDATE schema_compatibility SET since = ?1";
            tx.execute(since, [version]).map_err(failed)?;
        }
    }
    tx.commit().map_err(failed)
}

/// Refuses a file without tables of this program, where it may not get them.
pub fn require_version(
    connection: &Connection,
    path: &Path,
    founding: Founding,
) -> Result<(), StoreError> {
    let version = version(connection).map_err(|source| StoreError::of_opening(path, source))?;
    founding.require(version)
}

/// Checks that this program can still use the schema: a newer one may have changed it meanwhile.
pub fn check(connection: &Connection) -> Result<(), StoreError> {
    let path = connection.path().map(PathBuf::from).unwrap_or_default();
    version(connection)?.check(&MIGRATIONS).map_err(|schema| StoreError::Newer { path, schema })
}

fn version(tx: &Connection) -> Result<SchemaVersion, rusqlite::Error> {
    let found = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let since = if tx.table_exists(None, "schema_compatibility")? {
        tx.query_row("SELECT since FROM schema_compatibility", [], |row| row.get(0)).optional()?
    } else {
        None
    };
    Ok(SchemaVersion { found, since })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "x.sqlite";

    /// The number of the last migration that older programs cannot use.
    fn since() -> Option<u32> {
        let last = MIGRATIONS.iter().rposition(|sql| breaks_older(sql))?;
        u32::try_from(last + 1).ok()
    }

    #[test]
    fn once_and_not_backwards() {
        let mut connection = Connection::open_in_memory().unwrap();
        let path = Path::new(PATH);
        migrate(&mut connection, path).unwrap();
        migrate(&mut connection, path).unwrap();
        connection.execute("UPDATE schema_compatibility SET since = 99", []).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let error = migrate(&mut connection, path).unwrap_err();
        assert!(
            matches!(&error, StoreError::Newer { schema, .. } if schema.found == 99),
            "{error}"
        );
    }

    /// The next release adds, and the one after removes: today's program goes on with the first.
    #[test]
    fn what_only_adds_does_not_stop_an_older_program() {
        let mut connection = Connection::open_in_memory().unwrap();
        let path = Path::new(PATH);
        let next = [MIGRATIONS.as_slice(), &["ALTER TABLE meter ADD COLUMN tariff TEXT;"]].concat();
        let breaking =
            "-- Breaks older servers: they read it.\nALTER TABLE meter DROP COLUMN tariff;";
        let last = [next.as_slice(), &[breaking]].concat();
        let version = |connection: &mut Connection| {
            let tx = connection.transaction().unwrap();
            version(&tx).unwrap()
        };
        migrate_to(&mut connection, path, &next).unwrap();
        migrate(&mut connection, path).unwrap();
        let count = u32::try_from(next.len()).unwrap();
        assert_eq!(version(&mut connection), SchemaVersion { found: count, since: since() });
        migrate_to(&mut connection, path, &last).unwrap();
        let since = Some(count + 1);
        assert_eq!(version(&mut connection), SchemaVersion { found: count + 1, since });
        for older in [&MIGRATIONS, next.as_slice()] {
            let error = migrate_to(&mut connection, path, older).unwrap_err();
            assert!(matches!(error, StoreError::Newer { .. }), "{error}");
        }
        migrate_to(&mut connection, path, &last).unwrap();
    }
}
