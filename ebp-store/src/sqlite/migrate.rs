//! Migrations: embedded `.sql` files, each applied once.
//!
//! The file's `user_version` counts those applied. Whoever starts first holds the write lock while
//! migrating; the others wait and find nothing to do.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::StoreError;

/// In order, never changed once released.
const MIGRATIONS: [&str; 8] = [
    include_str!("../../migrations/sqlite/0001_survey.sql"),
    include_str!("../../migrations/sqlite/0002_management.sql"),
    include_str!("../../migrations/sqlite/0003_device_status.sql"),
    include_str!("../../migrations/sqlite/0004_measurement_flags.sql"),
    include_str!("../../migrations/sqlite/0005_constraints.sql"),
    include_str!("../../migrations/sqlite/0006_masking.sql"),
    include_str!("../../migrations/sqlite/0007_removal.sql"),
    include_str!("../../migrations/sqlite/0008_exchanged_meter.sql"),
];

/// Brings the file to the latest version.
pub fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::of_opening(path, source);
    let tx =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let found: u32 =
        tx.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    let pending = MIGRATIONS.get(found as usize..).ok_or_else(|| StoreError::Newer {
        path: path.to_owned(),
        found,
        known: MIGRATIONS.len(),
    })?;
    for (version, sql) in (found + 1..).zip(pending) {
        tx.execute_batch(sql).map_err(failed)?;
        tx.pragma_update(None, "user_version", version).map_err(failed)?;
    }
    tx.commit().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_and_not_backwards() {
        let mut connection = Connection::open_in_memory().unwrap();
        let path = Path::new("x.sqlite");
        migrate(&mut connection, path).unwrap();
        migrate(&mut connection, path).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let error = migrate(&mut connection, path).unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
    }
}
