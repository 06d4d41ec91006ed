//! Copies of a SQLite database, taken while the server is running, and restoring them.
//!
//! Enters: paths. Leaves: a complete and checked copy, or none. Absent: PostgreSQL, which has its
//! own tools; what was revoked since (the server has that list).
//!
//! `VACUUM INTO` reads one state of the database in one transaction; with the write-ahead log that
//! does not block writers. The copy contains no deleted data, since it has no free pages.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ebp_core::private_file;
use rusqlite::{Connection, ErrorCode, OpenFlags};

/// How long to wait for a write to end.
const BUSY: Duration = Duration::from_secs(10);

/// Why a backup cannot be made or restored.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The database that is to be copied, or the copy, is not there.
    #[error("there is no {}", path.display())]
    Missing {
        /// Which.
        path: PathBuf,
    },
    /// Nothing is overwritten.
    #[error("{} exists already", path.display())]
    Exists {
        /// Which.
        path: PathBuf,
    },
    /// A server still has the database open.
    #[error("{} is in use", path.display())]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// The copy is damaged.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What SQLite found.
        reason: String,
    },
    /// A file cannot be written or read.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// SQLite failed.
    #[error("cannot copy {}: {source}", path.display())]
    Sqlite {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Arc<rusqlite::Error>,
    },
}

/// Copies the database to `output` (mode 0600), which must not exist. When this returns, the copy is
/// checked and on disk; if it fails there is none.
///
/// # Errors
/// Returns an error if there is no database, `output` exists, or the copy cannot be written or is
/// not whole.
pub fn backup(database: &Path, output: &Path) -> Result<(), BackupError> {
    refuse_existing(output)?;
    let partial = Partial::beside(output)?;
    let source = open(database)?;
    source.execute("VACUUM INTO ?1", [partial.0.to_string_lossy()]).map_err(sqlite(database))?;
    check(&partial.0)?;
    partial.put(output)
}

/// Checks that a copy is a complete database.
///
/// # Errors
/// Returns [`BackupError::Damaged`] with SQLite's findings if the check fails.
pub fn check(copy: &Path) -> Result<(), BackupError> {
    let damaged = |reason: String| BackupError::Damaged { path: copy.to_owned(), reason };
    let connection = open(copy)?;
    let found: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| damaged(error.to_string()))?;
    if found != "ok" {
        return Err(damaged(found));
    }
    let loose = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
    match connection.query_row("PRAGMA foreign_key_check", [], loose) {
        Err(rusqlite::Error::QueryReturnedNoRows) => {}
        Ok(table) => return Err(damaged(format!("a row of {table} refers to nothing"))),
        Err(error) => return Err(damaged(error.to_string())),
    }
    // Any SQLite file may be complete; this one has to be a survey's.
    connection
        .query_row("SELECT count(*) FROM consent", [], |_| Ok(()))
        .map_err(|_| damaged("it is not a database of this program".to_owned()))
}

/// A copy beside the database, from which [`Restoration::finish`] makes the database.
pub struct Restoration {
    copy: Partial,
    database: PathBuf,
}

impl Restoration {
    /// Checks the backup and copies it to the database's folder. Nothing is replaced yet.
    ///
    /// # Errors
    /// Returns an error if it is missing or damaged, or cannot be copied.
    pub fn begin(backup: &Path, database: &Path) -> Result<Self, BackupError> {
        check(backup)?;
        let copy = Partial::beside(database)?;
        fs::copy(backup, &copy.0)
            // The copy has the backup's mode from that.
            .and_then(|_| fs::set_permissions(&copy.0, private()))
            .map_err(file(&copy.0))?;
        Ok(Self { copy, database: database.to_owned() })
    }

    /// The copy, to be opened and changed before it is the database. It must be closed again.
    #[must_use]
    pub fn copy(&self) -> &Path {
        &self.copy.0
    }

    /// How many households the copy has, revoked ones included.
    ///
    /// # Errors
    /// Returns an error if it cannot be read.
    pub fn households(&self) -> Result<u64, BackupError> {
        let count = "SELECT count(*) FROM household";
        let found = open(&self.copy.0)?.query_row(count, [], |row| row.get::<_, i64>(0));
        Ok(found.map_err(sqlite(&self.copy.0))?.unsigned_abs())
    }

    /// Replaces the database by the copy. The replaced file is kept beside it, and its path
    /// returned.
    ///
    /// # Errors
    /// Returns [`BackupError::InUse`] if a server has the database open.
    pub fn finish(self) -> Result<Option<PathBuf>, BackupError> {
        settle(&self.copy.0)?;
        let replaced = match self.database.exists() {
            false => None,
            true => {
                settle(&self.database)?;
                let aside = with_ending(&self.database, ".replaced");
                refuse_existing(&aside)?;
                fs::rename(&self.database, &aside).map_err(file(&aside))?;
                Some(aside)
            }
        };
        self.copy.put(&self.database)?;
        Ok(replaced)
    }
}

/// Moves the write-ahead log into the file and ends it, for which no other process may have it
/// open.
fn settle(database: &Path) -> Result<(), BackupError> {
    let connection = open(database)?;
    connection.busy_timeout(Duration::ZERO).map_err(sqlite(database))?;
    match connection.pragma_update(None, "journal_mode", "delete") {
        Ok(()) => Ok(()),
        Err(error) => Err(match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                BackupError::InUse { path: database.to_owned() }
            }
            _ => sqlite(database)(error),
        }),
    }
}

/// Opens a database that is there.
fn open(path: &Path) -> Result<Connection, BackupError> {
    if !path.exists() {
        return Err(BackupError::Missing { path: path.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(sqlite(path))?;
    connection.busy_timeout(BUSY).map_err(sqlite(path))?;
    Ok(connection)
}

/// A file that is removed when dropped, unless it was moved into place.
struct Partial(PathBuf);

impl Partial {
    /// Creates an empty one, readable by its owner only, in the folder of its final path.
    fn beside(target: &Path) -> Result<Self, BackupError> {
        let path = with_ending(target, &format!(".{}.partial", uuid::Uuid::new_v4().simple()));
        private_file::options().write(true).create_new(true).open(&path).map_err(file(&path))?;
        Ok(Self(path))
    }

    /// Makes it durable and gives it its final name, if that is free.
    fn put(&self, target: &Path) -> Result<(), BackupError> {
        let folder = match target.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        File::open(&self.0).and_then(|copy| copy.sync_all()).map_err(file(&self.0))?;
        // Unlike a rename, this never replaces another file.
        fs::hard_link(&self.0, target).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists { path: target.to_owned() },
            _ => file(target)(source),
        })?;
        fs::remove_file(&self.0).map_err(file(&self.0))?;
        File::open(folder).and_then(|dir| dir.sync_all()).map_err(file(folder))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        for ending in ["", "-wal", "-shm", "-journal"] {
            // Removed already after success.
            let _ = fs::remove_file(with_ending(&self.0, ending));
        }
    }
}

fn refuse_existing(path: &Path) -> Result<(), BackupError> {
    match path.exists() {
        true => Err(BackupError::Exists { path: path.to_owned() }),
        false => Ok(()),
    }
}

fn private() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o600)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn file(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    move |source| BackupError::File { path: path.to_owned(), source: Arc::new(source) }
}

fn sqlite(path: &Path) -> impl Fn(rusqlite::Error) -> BackupError {
    move |source| BackupError::Sqlite { path: path.to_owned(), source: Arc::new(source) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::{SqliteStore, Store};

    async fn survey(path: &Path) {
        SqliteStore::open(path).await.unwrap().close().await.unwrap();
    }

    #[tokio::test]
    async fn a_copy_is_private_whole_and_never_in_the_way() {
        let dir = tempfile::tempdir().unwrap();
        let (database, copy) = (dir.path().join("ebp.sqlite"), dir.path().join("copy"));
        let missing = backup(&database, &copy);
        assert!(matches!(missing, Err(BackupError::Missing { .. })), "{missing:?}");
        survey(&database).await;
        backup(&database, &copy).unwrap();
        check(&copy).unwrap();
        assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(backup(&database, &copy), Err(BackupError::Exists { .. })));
        let names: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(!names.iter().any(|name| name.to_string_lossy().contains("partial")), "{names:?}");
    }

    #[tokio::test]
    async fn what_is_damaged_or_something_else_is_not_put_back() {
        let dir = tempfile::tempdir().unwrap();
        let (database, copy) = (dir.path().join("ebp.sqlite"), dir.path().join("copy"));
        survey(&database).await;
        backup(&database, &copy).unwrap();
        let mut bytes = fs::read(&copy).unwrap();
        bytes[4096..4096 + 512].fill(0xff);
        fs::write(&copy, bytes).unwrap();
        let damaged = Restoration::begin(&copy, &database).map(drop);
        assert!(matches!(damaged, Err(BackupError::Damaged { .. })), "{damaged:?}");
        let other = dir.path().join("other");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE a (b)").unwrap();
        let foreign = Restoration::begin(&other, &database).map(drop);
        assert!(matches!(foreign, Err(BackupError::Damaged { .. })), "{foreign:?}");
    }

    #[tokio::test]
    async fn a_database_in_use_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (database, copy) = (dir.path().join("ebp.sqlite"), dir.path().join("copy"));
        let store = SqliteStore::open(&database).await.unwrap();
        backup(&database, &copy).unwrap();
        let restoration = Restoration::begin(&copy, &database).unwrap();
        let refused = restoration.finish();
        assert!(matches!(refused, Err(BackupError::InUse { .. })), "{refused:?}");
        store.close().await.unwrap();
        let replaced = Restoration::begin(&copy, &database).unwrap().finish().unwrap();
        assert_eq!(replaced, Some(dir.path().join("ebp.sqlite.replaced")));
        check(&database).unwrap();
    }
}
