//! Which database a survey is stored in.

use std::{path::PathBuf, sync::Arc};

use super::{PostgresSettings, PostgresStore, SqliteStore, Store, StoreError};

/// Which database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file, of one server.
    Sqlite(PathBuf),
    /// A PostgreSQL database, of any number of servers.
    Postgres(PostgresSettings),
}

/// Opens the database; creates a SQLite file if needed, and migrates either.
///
/// # Errors
/// Returns an error if it cannot be opened or reached, is no database, or is of a newer version of
/// the program.
pub async fn open_store(database: &Database) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match database {
        Database::Sqlite(path) => Arc::new(SqliteStore::open(path).await?),
        Database::Postgres(settings) => Arc::new(PostgresStore::open(settings).await?),
    })
}
