//! A purge leaves no byte of a row, whatever table it is in: tables and columns are those that
//! `docs/data-model.toml` declares, so that one that is added is searched for as well.

use std::{collections::BTreeMap, path::Path};

use rusqlite::types::Value;
use serde::Deserialize;

use super::{Spool, at, on_disk, spool};

#[derive(Deserialize)]
struct Table {
    columns: BTreeMap<String, Column>,
}

#[derive(Deserialize)]
struct Column {
    erased: String,
}

/// The spool's tables.
fn declared() -> BTreeMap<String, Table> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/data-model.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let mut all: BTreeMap<String, BTreeMap<String, Table>> = toml::from_str(&text).unwrap();
    all.remove("spool").unwrap()
}

/// Puts rows into a table, of values that stand nowhere else. Returns the bytes to search for of the
/// columns that a revocation erases.
fn fill(spool: &Spool, table: &str, declared: &Table) -> Vec<Vec<u8>> {
    let sql = "SELECT name, type FROM pragma_table_info(?1) ORDER BY cid";
    let mut columns = spool.connection.prepare(sql).unwrap();
    let columns = columns.query_map([table], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let columns: Vec<(String, String)> = columns.map(Result::unwrap).collect();
    let mut traces = Vec::new();
    for row in 0..10_i64 {
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for (place, (column, kind)) in columns.iter().enumerate() {
            let text = format!("Spur {table} {column} {row:02}");
            // Of eight octets, rising from row to row and in the order of the columns: a slot starts
            // before it ends.
            let number = (0x5c3a_7e00_i64 << 32) + (row << 16) + i64::try_from(place).unwrap();
            let (value, trace) = match kind.as_str() {
                "TEXT" => (Value::Text(text.clone()), text.into_bytes()),
                "BLOB" => (Value::Blob(text.clone().into_bytes()), text.into_bytes()),
                "INTEGER" => (Value::Integer(number), number.to_be_bytes().to_vec()),
                other => panic!("{table}.{column} is {other}: say how it is filled"),
            };
            if declared.columns[column].erased.contains("revocation") {
                traces.push(trace);
            }
            names.push(column.as_str());
            values.push(value);
        }
        let marks = vec!["?"; names.len()].join(", ");
        let sql = format!("INSERT INTO {table} ({}) VALUES ({marks})", names.join(", "));
        spool.connection.execute(&sql, rusqlite::params_from_iter(values)).unwrap();
    }
    traces
}

#[test]
fn a_purge_leaves_no_byte_of_any_table() {
    let (dir, spool) = spool();
    let mut traces = Vec::new();
    for (table, declared) in declared() {
        if declared.columns.values().any(|column| column.erased.contains("revocation")) {
            traces.extend(fill(&spool, &table, &declared));
        }
        let sql = format!("SELECT count(*) FROM {table}");
        let rows: i64 = spool.connection.query_row(&sql, [], |row| row.get(0)).unwrap();
        let has_rows = rows > 0 || ["consent", "memory", "notice"].contains(&table.as_str());
        assert!(has_rows, "{table} has no row: erasing one was not tried");
    }
    let there = |trace: &&Vec<u8>| on_disk(dir.path(), trace);
    // A rowid is written shorter, and so is a number that a key begins with.
    let written = traces.iter().filter(there).count();
    assert!(written > traces.len() / 2, "{written} of {}", traces.len());
    spool.purge(at("2026-01-31T12:00:00Z")).unwrap();
    let left: Vec<_> = traces.iter().filter(there).map(|it| String::from_utf8_lossy(it)).collect();
    assert!(left.is_empty(), "{left:?}");
    drop(spool);
    let left: Vec<_> = traces.iter().filter(there).map(|it| String::from_utf8_lossy(it)).collect();
    assert!(left.is_empty(), "{left:?}");
}
