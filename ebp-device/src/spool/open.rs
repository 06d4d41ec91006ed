//! Opening the spool's file: how it is written, and its schema's versions.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, config::DbConfig};

use super::SpoolError;
use ebp_core::{owner::Owner, private_file};

/// The schema's steps; the file's `user_version` counts those it has been through. A step that only
/// adds leaves a file that programs of the schema before can use: after an update that did not work the
/// version before goes on with it. One that does not says so by [`BREAKS_OLDER`].
pub(super) const MIGRATIONS: [&str; 2] = [include_str!("1.sql"), include_str!("2.sql")];

/// The comment of a step after which programs of the schema before cannot use the file.
const BREAKS_OLDER: &str = "-- Breaks older programs:";

/// How long another process may hold the file; it does so for milliseconds, a slow card for seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of a page, the unit of every write. A measurement is about 170 bytes and touches three or
/// four pages; the smaller they are, the less is written (`tests/spool_writes.rs` measures it).
pub(super) const PAGE_BYTES: u32 = 512;

/// The compiled statements that a connection keeps; the spool has fewer.
const STATEMENTS: usize = 64;

/// After so many pages of the journal (1 MiB) they are moved into the file.
const CHECKPOINT_PAGES: u32 = 2048;

/// Creates the folder, readable only by its owner, if it is missing. If root does, it is given to the
/// owner of the folder above, whose daemons are to use it.
pub(super) fn folder(path: &Path) -> Result<(), SpoolError> {
    let is_new = !path.exists();
    private_file::create_folder(path)
        .map_err(|source| SpoolError::Folder { path: path.to_owned(), source })?;
    if is_new
        && let Some(above) = path.parent()
        && let Some(owner) = Owner::of_folder(above)
    {
        // Whoever may not open it finds out next.
        let _ = owner.give(path);
    }
    Ok(())
}

/// Gives what root made in the folder to the folder's owner: a daemon that does not run as root would
/// stop at a single file of root's.
pub(super) fn give_files(folder: &Path) {
    if let Some(owner) = Owner::of_folder(folder) {
        owner.give_below(folder, &mut |_, _| {});
    }
}

/// Opens the file and brings its schema up to date.
pub(super) fn database(path: &Path) -> Result<Connection, SpoolError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let fault = |source| SpoolError::from_sqlite(path, source);
    let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    configure(&connection).map_err(fault)?;
    migrate(&connection, path)?;
    Ok(connection)
}

/// Reads every page, so that damage is found before anything is written.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), SpoolError> {
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|source| SpoolError::from_sqlite(path, source))?;
    match verdict.as_str() {
        "ok" => Ok(()),
        _ => Err(SpoolError::Damaged { path: path.to_owned(), reason: verdict }),
    }
}

/// The file beside it whose name goes on with `suffix`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Which file a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId(Option<(u64, u64)>);

impl FileId {
    /// No file: the path leads to another file now.
    pub(super) const NONE: Self = Self(None);

    /// The file at that path, or none.
    #[cfg(unix)]
    pub(super) fn at(path: &Path) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self(fs::metadata(path).ok().map(|file| (file.dev(), file.ino())))
    }

    /// Not known.
    #[cfg(not(unix))]
    pub(super) fn at(_: &Path) -> Self {
        Self(None)
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    write_ahead(connection)?;
    // What `store` has returned from is on the disk, whatever happens to the power.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    // A one-shot process under a timer would otherwise write every page twice and the journal's
    // directory entry as well, each time it ends.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Statements are compiled once: there are more of them than the default cache holds, and without
    // this setting those with a range are compiled again for each value that is bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -512)?;
    connection.pragma_update(None, "trusted_schema", false)
}

/// Switching a new file to the write-ahead log does not wait for the time-out when another process
/// is doing the same (SQLite, "Write-Ahead Logging", section 8), so this waits for it.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    const STEP: Duration = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(e)
                if e.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
                    && waited < PATIENCE =>
            {
                std::thread::sleep(STEP);
                waited += STEP;
            }
            done => return done,
        }
    }
}

fn migrate(connection: &Connection, path: &Path) -> Result<(), SpoolError> {
    migrate_by(connection, path, &MIGRATIONS)
}

/// Brings the file to the schema of these steps, unless a newer program has brought it further and says
/// that programs of this schema can use it: by `application_id`, the oldest schema whose programs can.
pub(super) fn migrate_by(
    connection: &Connection,
    path: &Path,
    steps: &[&str],
) -> Result<(), SpoolError> {
    let fault = |source| SpoolError::from_sqlite(path, source);
    let latest = steps.len();
    let number = |pragma: &str| {
        connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map_err(fault)
    };
    let is_usable = |version: i64| {
        let oldest = number("application_id")?;
        let own = i64::try_from(latest).unwrap_or(i64::MAX);
        Ok(version == own || (version > own && (1..=own).contains(&oldest)))
    };
    if is_usable(number("user_version")?)? {
        return Ok(());
    }
    // The version is read again under the lock: of two processes that start at once, one migrates.
    let transaction =
        Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(fault)?;
    let version = number("user_version")?;
    if is_usable(version)? {
        return Ok(());
    }
    let done = usize::try_from(version)
        .ok()
        .filter(|done| *done <= latest)
        .ok_or_else(|| SpoolError::Newer { path: path.to_owned(), version })?;
    for step in &steps[done..] {
        transaction.execute_batch(step).map_err(fault)?;
    }
    let oldest = steps.iter().rposition(|step| step.contains(BREAKS_OLDER)).unwrap_or(0) + 1;
    transaction.pragma_update(None, "application_id", oldest as i64).map_err(fault)?;
    transaction.pragma_update(None, "user_version", latest as i64).map_err(fault)?;
    transaction.commit().map_err(fault)
}
