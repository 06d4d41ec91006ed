//! Every column of both databases is declared in `docs/data-model.toml`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

#[derive(Deserialize)]
struct Table {
    only: Option<String>,
    columns: BTreeMap<String, Column>,
}

#[derive(Deserialize)]
struct Column {
    only: Option<String>,
}

/// The tables and columns that are declared for that engine.
fn declared(engine: &str) -> BTreeSet<(String, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/data-model.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let mut all: BTreeMap<String, BTreeMap<String, Table>> = toml::from_str(&text).unwrap();
    let mut columns = BTreeSet::new();
    for (name, table) in all.remove("server").unwrap() {
        for (column, Column { only }) in table.columns {
            if only.or_else(|| table.only.clone()).is_none_or(|only| only == engine) {
                columns.insert((name.clone(), column));
            }
        }
    }
    columns
}

/// Holds what a database has against what is declared.
fn check(engine: &str, found: BTreeSet<(String, String)>) {
    assert_eq!(found, declared(engine), "tables and columns of {engine}");
}

#[tokio::test]
async fn each_column_of_sqlite_is_declared() {
    let (_dir, path) = crate::sqlite::fresh();
    drop(crate::sqlite::open(&path).await);
    let db = rusqlite::Connection::open(&path).unwrap();
    let mut statement = db
        .prepare(
            "SELECT t.name, c.name FROM pragma_table_list AS t JOIN pragma_table_info(t.name) AS c
             WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite%'",
        )
        .unwrap();
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    check("sqlite", found.map(Result::unwrap).collect());
}

#[ebp_needs::needs(postgresql)]
#[tokio::test]
async fn each_column_of_postgresql_is_declared() {
    let fresh = crate::postgres::Fresh::new().await;
    drop(fresh.open().await);
    // Partitions have their table's columns.
    let rows = fresh
        .plain()
        .await
        .query(
            "SELECT relname::text, attname::text
             FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                 AND NOT relispartition AND attnum > 0 AND NOT attisdropped",
            &[],
        )
        .await
        .unwrap();
    check("postgres", rows.iter().map(|row| (row.get(0), row.get(1))).collect());
}
