//! Which database a survey is stored in.

use std::{path::PathBuf, sync::Arc};

use super::{PostgresSettings, PostgresStore, SqliteStore, Store, StoreError, founding::Founding};

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
    open(database, Founding::Allowed).await
}

/// Opens a database that a server has worked with, and migrates it if needed; one that is missing
/// or empty is left as it is. For what asks a database that may just be on its way back from a
/// backup: tables that it gets would be in the backup's way.
///
/// # Errors
/// Returns [`StoreError::Empty`] where it has no tables of this program, and the errors of
/// [`open_store`].
pub async fn open_existing_store(database: &Database) -> Result<Arc<dyn Store>, StoreError> {
    open(database, Founding::Refused).await
}

async fn open(database: &Database, founding: Founding) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match database {
        Database::Sqlite(path) => Arc::new(SqliteStore::open_as(path, founding).await?),
        Database::Postgres(settings) => Arc::new(PostgresStore::open_as(settings, founding).await?),
    })
}
