//! The database of a server on this machine, for commands that ask it once.

use ebp_store::{Database, Store, StoreError};

use crate::exit::{Failure, server};

/// Uses the server's database, if there is one: an authority may be on a separate machine.
pub fn with_store<T>(
    database: &Database,
    ask: impl AsyncFnOnce(&dyn Store) -> Result<T, StoreError>,
) -> Result<Option<T>, Failure> {
    if let Database::Sqlite(path) = database
        && !path.exists()
    {
        return Ok(None);
    }
    crate::runtime::on_this_thread()?
        .block_on(async {
            let store = ebp_store::open_store(database).await?;
            let answer = ask(&*store).await?;
            store.close().await?;
            Ok(Some(answer))
        })
        .map_err(server::store)
}
