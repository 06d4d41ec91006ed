//! A damaged file: it is set aside, and what can be read of it comes into a new one.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, config::DbConfig, types::Value};

use super::{Spool, SpoolError, SpoolOptions, open::beside};
use crate::contract::Notice;

/// What the name of a damaged file goes on with; then comes the time at which it was set aside.
const SUFFIX: &str = ".damaged-";

/// What a database file begins with (SQLite, "Database File Format", section 1.3).
const HEADER_BYTES: usize = 100;

/// The tables that are taken over, each with its columns: what keeps slots from being measured twice
/// and consent first, then what is waited for.
const TABLES: [(&str, &str); 9] = [
    ("consent", "id, state, as_of, wiped"),
    ("measured", "meter, start, finish"),
    ("measurement", "sequence, uuid, meter, measured_at, data, flags"),
    ("refused", "uuid, meter, measured_at, data, reason, refused_at, flags"),
    (
        "unplaced",
        "sequence, boot, monotonic, meter, seconds, data, flags, before_at, before_seconds, reason",
    ),
    ("reading", "meter, measured_at, data, seconds, good, damaged"),
    ("incident", "meter, kind, present, told, missed, since"),
    ("notice", "kind, noted_at, detail"),
    ("memory", "name, value"),
];

/// Renames the damaged file with its journal and opens a new one in its place, with all that can be
/// read of the old one and a notice.
pub(super) fn set_aside(
    path: &Path,
    options: &SpoolOptions,
    damage: &SpoolError,
) -> Result<Spool, SpoolError> {
    let fault = |source| SpoolError::SetAside { path: path.to_owned(), source };
    // Of two processes that find the damage at once, one sets aside; the lock goes with its file.
    let lock = fs::File::create(beside(path, ".lock")).map_err(fault)?;
    lock.lock().map_err(fault)?;
    match Spool::of_file(path, options) {
        Err(error) if error.is_damaged() => {}
        opened => return opened,
    }
    let aside = rename(path, options.clock.now())?;
    let spool = Spool::of_file(path, options)?;
    let taken = spool.salvage(&aside)?;
    let detail = format!("{damage}; set aside as {}, {taken} rows taken over", aside.display());
    spool.note(Notice::SpoolSetAside, &detail)?;
    Ok(spool)
}

/// Puts the file and its journal out of the way; where they are now.
pub(super) fn rename(path: &Path, at: Timestamp) -> Result<PathBuf, SpoolError> {
    let fault = |source| SpoolError::SetAside { path: path.to_owned(), source };
    let aside = free_name(path, &format!("{SUFFIX}{}", at.strftime("%Y%m%dT%H%M%SZ")));
    // The file itself last: cut short before, the next attempt finds it damaged again.
    for journal in ["-wal", "-shm"] {
        match fs::rename(beside(path, journal), beside(&aside, journal)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fault(error)),
            _ => {}
        }
    }
    fs::rename(path, &aside).map_err(fault)?;
    Ok(aside)
}

/// Removes files that were set aside, with their journals: after a revocation, measurements must not
/// stay in them either.
pub(super) fn remove_set_aside(path: &Path) -> Result<(), SpoolError> {
    let fault = |source| SpoolError::SetAside { path: path.to_owned(), source };
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|n| n.to_str()))
    else {
        return Ok(());
    };
    let start = format!("{name}{SUFFIX}");
    for entry in fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(&start)) {
            fs::remove_file(entry.path()).map_err(fault)?;
        }
    }
    Ok(())
}

fn free_name(path: &Path, suffix: &str) -> PathBuf {
    let mut name = beside(path, suffix);
    for number in 2.. {
        if !name.exists() {
            break;
        }
        name = beside(path, &format!("{suffix}-{number}"));
    }
    name
}

impl Spool {
    /// Takes over what can be read of the file; how many rows that is. No damage is an error here:
    /// whatever cannot be read stays in the file that was set aside.
    pub(super) fn salvage(&self, aside: &Path) -> Result<u64, SpoolError> {
        let taken = reading(aside).and_then(|old| self.take_over(&old))?;
        if taken > 0 {
            return Ok(taken);
        }
        // Its first page says what is where. That of the new file says the same.
        let fault = |source| SpoolError::SetAside { path: self.path.clone(), source };
        let _: i64 = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(|e| self.fault(e))?;
        let page = usize::try_from(super::open::PAGE_BYTES).unwrap_or(0);
        let mut first = fs::read(&self.path).map_err(fault)?;
        // Bytes 28 to 31 are the number of pages; with none there it is the file's length that says so.
        first.iter_mut().skip(28).take(4).for_each(|byte| *byte = 0);
        for length in [HEADER_BYTES, page] {
            let taken = self.with_first_bytes(aside, first.get(..length).unwrap_or(&[]))?;
            if taken > 0 {
                return Ok(taken);
            }
        }
        Ok(0)
    }

    /// Takes over what can be read of a copy that begins with other bytes.
    fn with_first_bytes(&self, aside: &Path, first: &[u8]) -> Result<u64, SpoolError> {
        let fault = |source| SpoolError::SetAside { path: self.path.clone(), source };
        let copy = beside(aside, "-copy");
        let remove = || {
            for suffix in ["", "-wal", "-shm"] {
                let _ = fs::remove_file(beside(&copy, suffix));
            }
        };
        let patch = || -> io::Result<()> {
            fs::copy(aside, &copy)?;
            io::Write::write_all(&mut fs::File::options().write(true).open(&copy)?, first)
        };
        let taken = patch()
            .map_err(fault)
            .and_then(|()| reading(&copy))
            .and_then(|old| self.take_over(&old));
        remove();
        taken
    }

    fn take_over(&self, old: &Connection) -> Result<u64, SpoolError> {
        let transaction = self.write()?;
        let mut taken = 0;
        for (table, columns) in TABLES {
            for row in readable(old, table, columns) {
                if self.is_sound(table, &row) {
                    let places = vec!["?"; row.len()].join(", ");
                    taken += transaction
                        .prepare_cached(&format!(
                            "INSERT OR IGNORE INTO {table} ({columns}) VALUES ({places})"
                        ))
                        .and_then(|mut insert| {
                            insert.execute(rusqlite::params_from_iter(row.iter()))
                        })
                        .unwrap_or(0) as u64;
                }
            }
        }
        transaction.commit().map_err(|e| self.fault(e))?;
        Ok(taken)
    }

    /// Whether what is read as a measurement is one: from a damaged page comes anything.
    fn is_sound(&self, table: &str, row: &[Value]) -> bool {
        let text = |index: usize| match row.get(index) {
            Some(Value::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        let is_uuid =
            |index: usize| matches!(row.get(index), Some(Value::Blob(bytes)) if bytes.len() == 16);
        let is_time = |index| text(index).is_some_and(|text| self.instant(text).is_ok());
        let is_data = |index| text(index).is_some_and(|text| self.data(text).is_ok());
        let is_flags = |index| text(index).is_some_and(|text| self.flags(text).is_ok());
        match table {
            "measurement" => is_uuid(1) && is_uuid(2) && is_time(3) && is_data(4) && is_flags(5),
            "refused" => {
                is_uuid(0) && is_uuid(1) && is_time(2) && is_data(3) && is_time(5) && is_flags(6)
            }
            "unplaced" => is_uuid(1) && is_uuid(3) && is_data(5) && is_flags(6),
            "reading" => {
                let is_empty = |index| matches!(row.get(index), Some(Value::Null));
                is_uuid(0) && (is_empty(1) && is_empty(2) || is_time(1) && is_data(2))
            }
            "measured" => is_uuid(0),
            "incident" => {
                is_uuid(0)
                    && text(1)
                        .is_some_and(|kind| kind.parse::<crate::model::IncidentType>().is_ok())
                    && is_time(5)
            }
            "notice" => is_time(1),
            "consent" => is_time(2),
            _ => true,
        }
    }
}

/// Opens a damaged file for reading what is left of it.
fn reading(aside: &Path) -> Result<Connection, SpoolError> {
    let fault = |source| SpoolError::of(aside, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let old = Connection::open_with_flags(aside, flags).map_err(fault)?;
    old.busy_timeout(super::open::PATIENCE).map_err(fault)?;
    let prepare = || -> rusqlite::Result<()> {
        old.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        // With this, a file that is shorter than it says is read as far as it goes.
        old.pragma_update(None, "writable_schema", true)?;
        // Whoever still writes to the old file does so before this or never.
        old.execute_batch("BEGIN IMMEDIATE")
    };
    // What cannot be prepared for a damaged file will not be readable either, or is.
    let _ = prepare();
    Ok(old)
}

/// The rows of a table that can be read: from the front up to the damage, and from the back.
fn readable(old: &Connection, table: &str, columns: &str) -> Vec<Vec<Value>> {
    let first = columns.split(',').next().unwrap_or(columns);
    let mut rows = Vec::new();
    let mut read = |order: &str| -> rusqlite::Result<()> {
        let mut statement =
            old.prepare(&format!("SELECT {columns} FROM {table} ORDER BY {first} {order}"))?;
        let width = statement.column_count();
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            rows.push((0..width).map(|index| row.get(index)).collect::<Result<_, _>>()?);
        }
        Ok(())
    };
    if read("ASC").is_err() {
        let _ = read("DESC");
    }
    rows
}
