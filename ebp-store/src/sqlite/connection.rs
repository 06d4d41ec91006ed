//! Opening the file: settings of a connection, the file's mode.

use std::{
    io,
    path::Path,
    time::{Duration, Instant},
};

use ebp_core::private_file;
use rusqlite::{Connection, config::DbConfig};

use super::migrate;
use crate::{StoreError, founding::Founding};

/// How long a connection waits for another one's write to end.
const BUSY: Duration = Duration::from_secs(10);

/// A connection that writes; the file is made, if it may be, and migrated where needed.
pub fn open_for_writing(path: &Path, founding: Founding) -> Result<Connection, StoreError> {
    if founding == Founding::Refused && !path.exists() {
        return Err(StoreError::Empty);
    }
    create_private(path)
        .map_err(|source| StoreError::File { path: path.to_owned(), source: source.into() })?;
    let mut connection = open(path)?;
    // Before anything is written.
    migrate::require_version(&connection, path, founding)?;
    // Two connections that switch a fresh file to its log at once refuse each other without
    // waiting, whatever the time-out: so this waits.
    let start = Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "wal") {
            Err(error) if is_busy(&error) && start.elapsed() < BUSY => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(source) => return Err(StoreError::of_opening(path, source)),
            Ok(()) => break,
        }
    }
    // Each meter's rows are appended at a separate place, and other sources' identifiers may be
    // random. In memory, and moved from the log into the file less often, a page takes many rows at
    // a time.
    connection.pragma_update(None, "cache_size", -(64 << 10))?;
    connection.pragma_update(None, "wal_autocheckpoint", 8192)?;
    migrate::migrate(&mut connection, path)?;
    // What an interrupted revocation left in the log goes now. On a full disk it cannot: the first
    // write that succeeds takes it along, and until then reading goes on.
    if let Err(error) = erase_log(&connection, BUSY) {
        if !error.is_temporary() {
            return Err(error);
        }
        tracing::warn!(%error, "the log of {} is erased later", path.display());
    }
    Ok(connection)
}

/// A connection that only reads.
pub fn open_for_reading(path: &Path) -> Result<Connection, StoreError> {
    let connection = open(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Moves the log's pages into the file and cuts the log to nothing, so that no deleted content
/// stays in it. Waits so long for those who read it; false if one still does.
pub fn erase_log(connection: &Connection, patience: Duration) -> Result<bool, StoreError> {
    connection.busy_timeout(patience)?;
    let busy: i64 =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    connection.busy_timeout(BUSY)?;
    Ok(busy == 0)
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    let configured = || {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "temp_store", "memory")?;
        connection.pragma_update(None, "trusted_schema", false)?;
        // A statement with a range is not compiled again for each value that is bound.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    configured().map_err(|source| StoreError::of_opening(path, source))
}

/// Only the owner may read the file; SQLite gives its log the same mode.
fn create_private(path: &Path) -> io::Result<()> {
    if let Some(dir) = path.parent().filter(|dir| *dir != Path::new("")) {
        private_file::create_folder(dir)?;
    }
    private_file::options().create(true).append(true).open(path).map(drop)
}

pub fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked))
}
