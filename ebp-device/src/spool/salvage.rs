//! Copies what can be read of a damaged file into a new one.
//!
//! The pages that locate the others (the header, the schema) may be lost while the others are
//! intact. Those pages are the same in every file that this program makes, so the damaged file is
//! read as it is, then with the new file's header in front, then with all of the new file's schema;
//! each reading adds what it finds.

use std::{collections::BTreeSet, fs, io, path::Path};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, config::DbConfig, types::Value};

use super::{
    Spool, SpoolError,
    open::{PAGE_BYTES, PATIENCE, beside},
};
use ebp_core::model::{ConsentState, IncidentType, MeasurementIds};

/// What a database file begins with (SQLite, "Database File Format", section 1.3).
const HEADER_BYTES: usize = 100;

/// Rows that reading from the front and from the back did not come to are looked for one by one, but
/// no more than these. They are numbered from 1 on, since the last time that none was left.
const MOST_LOOKED_FOR: usize = 100_000;
/// So far behind the last that is known.
const BEHIND_THE_LAST: i64 = 2000;

/// The tables that are copied, each with its columns: first what prevents slots from being measured
/// twice, and consent, then the pending measurements.
const TABLES: [(&str, &str); 9] = [
    ("consent", "id, state, as_of, wiped"),
    ("measured", "meter, start, finish"),
    ("measurement", "sequence, uuid, meter, measured_at, data, flags"),
    ("refused", "uuid, meter, measured_at, data, reason, refused_at, flags"),
    (
        "unplaced",
        "sequence, boot, monotonic, meter, seconds, data, flags, before_at, before_seconds, reason",
    ),
    ("reading", "meter, measured_at, data, anchor_at, anchor_seconds, good, damaged"),
    ("incident", "meter, kind, present, told, missed, since, first_at, last_at, failures"),
    ("notice", "kind, noted_at, detail"),
    ("memory", "name, value"),
];

/// Bytes that take the place of others in a copy of the damaged file.
struct Patch {
    offset: usize,
    bytes: Vec<u8>,
}

/// The result of reading the damaged file.
enum Found {
    /// The number of new rows.
    Rows(u64),
    /// Consent was revoked at this time: nothing else is copied.
    Revoked(Timestamp),
}

impl Spool {
    /// Copies what can be read of the file; returns the number of rows. Damage is not an error
    /// here: what cannot be read stays in the file that was moved aside. A revocation in it takes
    /// precedence over everything else.
    pub(super) fn salvage(&self, aside: &Path) -> Result<u64, SpoolError> {
        let mut taken = 0;
        let attempts = [Vec::new()].into_iter().chain(self.patches()?);
        for patches in attempts {
            let found = if patches.is_empty() {
                reading(aside).and_then(|old| self.take_over(&old))?
            } else {
                self.take_over_patched(aside, &patches)?
            };
            match found {
                Found::Rows(rows) => taken += rows,
                Found::Revoked(at) => {
                    self.purge(at)?;
                    return Ok(1);
                }
            }
        }
        self.mark_slots_of_measurements()?;
        Ok(taken)
    }

    /// The replacements that are tried for the damaged file's bytes: the header of this new file,
    /// and all pages of its schema.
    fn patches(&self) -> Result<[Vec<Patch>; 2], SpoolError> {
        let fault = |source| SpoolError::SetAside { path: self.path.clone(), source };
        let _: i64 = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(|e| self.fault(e))?;
        let mut file = fs::read(&self.path).map_err(fault)?;
        // Bytes 28 to 31 are the number of pages; with none there it is the file's length that says so.
        file.iter_mut().skip(28).take(4).for_each(|byte| *byte = 0);
        let header = file.iter().take(HEADER_BYTES).copied().collect();
        let page = usize::try_from(PAGE_BYTES).unwrap_or(usize::MAX);
        let numbers: Vec<i64> =
            self.rows("SELECT pageno FROM dbstat WHERE name = 'sqlite_schema'", [], |row| {
                row.get(0)
            })?;
        let schema = numbers.into_iter().filter_map(|number| {
            let offset = usize::try_from(number).ok()?.checked_sub(1)?.checked_mul(page)?;
            let bytes = file.get(offset..offset + page)?.to_vec();
            Some(Patch { offset, bytes })
        });
        Ok([vec![Patch { offset: 0, bytes: header }], schema.collect()])
    }

    /// Copies what can be read of a copy in which some bytes are replaced. The journal is copied as
    /// well: the newest pages may be nowhere else.
    fn take_over_patched(&self, aside: &Path, patches: &[Patch]) -> Result<Found, SpoolError> {
        let fault = |source| SpoolError::SetAside { path: self.path.clone(), source };
        let copy = beside(aside, "-copy");
        let remove = || {
            for suffix in ["", "-wal", "-shm"] {
                let _ = fs::remove_file(beside(&copy, suffix));
            }
        };
        let patch = || -> io::Result<()> {
            remove();
            fs::copy(aside, &copy)?;
            match fs::copy(beside(aside, "-wal"), beside(&copy, "-wal")) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = fs::File::options().write(true).open(&copy)?;
            for Patch { offset, bytes } in patches {
                io::Seek::seek(&mut file, io::SeekFrom::Start(*offset as u64))?;
                io::Write::write_all(&mut file, bytes)?;
            }
            Ok(())
        };
        let found = patch()
            .map_err(fault)
            .and_then(|()| reading(&copy))
            .and_then(|old| self.take_over(&old));
        remove();
        found
    }

    fn take_over(&self, old: &Connection) -> Result<Found, SpoolError> {
        let transaction = self.write()?;
        let mut taken = 0;
        for (table, columns) in TABLES {
            for row in readable(old, table, columns) {
                if !self.is_sound(table, &row) {
                    continue;
                }
                if let Some(at) = self.revocation(table, &row) {
                    return Ok(Found::Revoked(at));
                }
                let places = vec!["?"; row.len()].join(", ");
                taken += transaction
                    .prepare_cached(&format!(
                        "INSERT OR IGNORE INTO {table} ({columns}) VALUES ({places})"
                    ))
                    .and_then(|mut insert| insert.execute(rusqlite::params_from_iter(row.iter())))
                    .unwrap_or(0) as u64;
            }
        }
        transaction.commit().map_err(|e| self.fault(e))?;
        Ok(Found::Rows(taken))
    }

    /// When consent was revoked, if the row contains a revocation.
    fn revocation(&self, table: &str, row: &[Value]) -> Option<Timestamp> {
        match (table, row) {
            ("consent", [_, Value::Text(state), Value::Text(as_of), ..])
                if state == ConsentState::Revoked.name() =>
            {
                self.instant(as_of).ok()
            }
            _ => None,
        }
    }

    /// The list of measured slots may be lost where measurements are not: each contains the start
    /// of its slot, and a slot counts as measured if any part of it was measured.
    fn mark_slots_of_measurements(&self) -> Result<(), SpoolError> {
        let transaction = self.write()?;
        let rows: Vec<(Vec<u8>, Vec<u8>)> =
            self.rows("SELECT uuid, meter FROM measurement", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        for (uuid, meter) in rows {
            let (uuid, meter) = (self.uuid(&uuid)?, self.uuid(&meter)?);
            let Some(start) = MeasurementIds::for_meter(meter).slot(uuid) else { continue };
            super::slots::cover_start(&transaction, meter, start.as_second())
                .map_err(|e| self.fault(e))?;
        }
        transaction.commit().map_err(|e| self.fault(e))
    }

    /// Whether a row is a valid measurement: a damaged page may contain anything.
    fn is_sound(&self, table: &str, row: &[Value]) -> bool {
        let text = |index: usize| match row.get(index) {
            Some(Value::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        let is_uuid =
            |index: usize| matches!(row.get(index), Some(Value::Blob(bytes)) if bytes.len() == 16);
        let is_empty = |index: usize| matches!(row.get(index), Some(Value::Null));
        let is_time = |index| text(index).is_some_and(|text| self.instant(text).is_ok());
        let is_data = |index| text(index).is_some_and(|text| self.data(text).is_ok());
        let is_flags = |index| text(index).is_some_and(|text| self.flags(text).is_ok());
        match table {
            "measurement" => is_uuid(1) && is_uuid(2) && is_time(3) && is_data(4) && is_flags(5),
            "refused" => {
                is_uuid(0) && is_uuid(1) && is_time(2) && is_data(3) && is_time(5) && is_flags(6)
            }
            "unplaced" => {
                is_uuid(1)
                    && is_uuid(3)
                    && is_data(5)
                    && is_flags(6)
                    && (is_empty(7) || is_time(7))
                    && (is_empty(9) || text(9).and_then(super::Apart::named).is_some())
            }
            "reading" => {
                is_uuid(0)
                    && (is_empty(1) && is_empty(2) || is_time(1) && is_data(2))
                    && (is_empty(3) || is_time(3))
            }
            "measured" => is_uuid(0),
            "incident" => {
                let is_kind = text(1).is_some_and(|kind| kind.parse::<IncidentType>().is_ok());
                let is_span = [6, 7].into_iter().all(|index| is_empty(index) || is_time(index));
                is_uuid(0) && is_kind && is_time(5) && is_span
            }
            "notice" => is_time(1),
            "consent" => is_time(2),
            _ => true,
        }
    }
}

/// Opens a damaged file for reading what is left of it.
fn reading(aside: &Path) -> Result<Connection, SpoolError> {
    let fault = |source| SpoolError::from_sqlite(aside, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let old = Connection::open_with_flags(aside, flags).map_err(fault)?;
    old.busy_timeout(PATIENCE).map_err(fault)?;
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

/// The rows of a table that can be read: from the front up to the damage, from the back, and one by one
/// where they are numbered.
fn readable(old: &Connection, table: &str, columns: &str) -> Vec<Vec<Value>> {
    let first = columns.split(',').next().unwrap_or(columns);
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let mut read = |rest: &str| -> rusqlite::Result<()> {
        let mut statement = old.prepare_cached(&format!("SELECT {columns} FROM {table} {rest}"))?;
        let width = statement.column_count();
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            rows.push((0..width).map(|index| row.get(index)).collect::<Result<_, _>>()?);
        }
        Ok(())
    };
    if read(&format!("ORDER BY {first} ASC")).is_ok() {
        return rows;
    }
    let _ = read(&format!("ORDER BY {first} DESC"));
    if first == "sequence" {
        let known: BTreeSet<i64> = rows.iter().filter_map(|row| number(row)).collect();
        let last = known.last().copied().unwrap_or(0).saturating_add(BEHIND_THE_LAST);
        let missing = (1..=last).filter(|sequence| !known.contains(sequence));
        for sequence in missing.take(MOST_LOOKED_FOR) {
            rows.extend(one(old, table, columns, sequence));
        }
    }
    rows
}

fn one(old: &Connection, table: &str, columns: &str, sequence: i64) -> Option<Vec<Value>> {
    let sql = format!("SELECT {columns} FROM {table} WHERE sequence = ?1");
    let mut statement = old.prepare_cached(&sql).ok()?;
    let width = statement.column_count();
    statement.query_row([sequence], |row| (0..width).map(|index| row.get(index)).collect()).ok()
}

fn number(row: &[Value]) -> Option<i64> {
    match row.first() {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    }
}
