//! `cargo xtask data-model`: the book's page of tables and columns, made from the migrations.
//!
//! Enters: migrations, `docs/data-model.toml`. Leaves: `docs/src/data-model.md`. Absent: PostgreSQL,
//! whose tables a test of the store holds against the same declarations.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use anyhow::{Context, Result, bail};
use rusqlite::Connection;
use serde::Deserialize;

const DECLARED: &str = "docs/data-model.toml";
const PAGE: &str = "docs/src/data-model.md";
/// The two schemas, with the folders of their migrations.
const SCHEMAS: [(&str, &str, &str); 2] = [
    ("server", "The server's database", "ebp-store/migrations/sqlite"),
    ("spool", "A device's spool", "ebp-device/src/spool"),
];

/// What is said of a table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    about: String,
    only: Option<String>,
    /// In which database the bytes of erased rows stay, and where.
    #[serde(default)]
    remains: BTreeMap<String, String>,
    columns: BTreeMap<String, Column>,
}

/// Which steps write a column, and which erase it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    written: String,
    erased: String,
    only: Option<String>,
}

type Declared = BTreeMap<String, BTreeMap<String, Table>>;

/// A column as SQLite has it.
struct Made {
    table: String,
    name: String,
    kind: String,
    is_key: bool,
}

/// Writes the page.
pub fn run() -> Result<()> {
    fs::write(PAGE, page()?).context(PAGE)
}

/// What is wrong: columns that nobody declared, declarations of none, a page that is old.
pub fn breaches() -> Result<Vec<String>> {
    let declared = declared()?;
    let mut breaches = Vec::new();
    for (schema, _, folder) in SCHEMAS {
        let none = BTreeMap::new();
        let tables = declared.get(schema).unwrap_or(&none);
        let made = columns(&open(Path::new(folder))?)?;
        for Made { table, name, .. } in &made {
            if !tables.get(table).is_some_and(|table| table.columns.contains_key(name)) {
                breaches.push(format!("{DECLARED}: nobody declares {schema}.{table}.{name}"));
            }
        }
        for (table, Table { columns, only, .. }) in tables {
            for (name, column) in columns {
                let is_here = only.is_none() && column.only.is_none();
                if is_here && !made.iter().any(|made| made.table == *table && made.name == *name) {
                    breaches.push(format!("{DECLARED}: there is no {schema}.{table}.{name}"));
                }
            }
        }
    }
    if breaches.is_empty() && fs::read_to_string(PAGE).unwrap_or_default() != page()? {
        breaches.push(format!("{PAGE} is old: `cargo xtask data-model` makes it anew"));
    }
    Ok(breaches)
}

fn declared() -> Result<Declared> {
    toml::from_str(&fs::read_to_string(DECLARED).context(DECLARED)?).context(DECLARED)
}

/// A database in memory with the migrations of a folder, in the order of their numbers.
fn open(folder: &Path) -> Result<Connection> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .with_context(|| folder.display().to_string())?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    if files.is_empty() {
        bail!("{} has no migrations", folder.display());
    }
    let database = Connection::open_in_memory()?;
    for file in files {
        let sql = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        database.execute_batch(&sql).with_context(|| file.display().to_string())?;
    }
    Ok(database)
}

fn columns(database: &Connection) -> Result<Vec<Made>> {
    let mut statement = database.prepare(
        "SELECT t.name, c.name, c.type, c.pk > 0 FROM pragma_table_list AS t
         JOIN pragma_table_info(t.name) AS c
         WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite%'
         ORDER BY t.name, c.cid",
    )?;
    let made = statement.query_map([], |row| {
        Ok(Made { table: row.get(0)?, name: row.get(1)?, kind: row.get(2)?, is_key: row.get(3)? })
    })?;
    Ok(made.collect::<Result<_, _>>()?)
}

/// Which table refers to which.
fn references(database: &Connection) -> Result<Vec<(String, String)>> {
    let mut statement = database.prepare(
        "SELECT DISTINCT t.name, k.\"table\" FROM pragma_table_list AS t
         JOIN pragma_foreign_key_list(t.name) AS k WHERE t.schema = 'main' ORDER BY 1, 2",
    )?;
    let pairs = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(pairs.collect::<Result<_, _>>()?)
}

fn page() -> Result<String> {
    let declared = declared()?;
    let mut page = String::from(
        "# Tables and columns\n\
         Made from the migrations and `docs/data-model.toml` by `cargo xtask data-model`; a column \
         that nobody declares fails a test. Types and keys are SQLite's. *Revocation* is what \
         happens when a participant revokes consent; *kept* columns stay.\n",
    );
    for (schema, title, folder) in SCHEMAS {
        let database = open(Path::new(folder))?;
        let made = columns(&database)?;
        write!(page, "\n## {title}\n")?;
        let pairs = references(&database)?;
        if !pairs.is_empty() {
            page.push_str("```mermaid\nerDiagram\n");
            for (from, to) in pairs {
                writeln!(page, "    {to} ||--o{{ {from} : has")?;
            }
            page.push_str("```\n");
        }
        for (name, table) in declared.get(schema).into_iter().flatten() {
            write!(page, "\n### `{name}`\n{}", table.about)?;
            if let Some(only) = &table.only {
                write!(page, " Only in {}.", engine(only))?;
            }
            for (database, remains) in &table.remains {
                write!(page, " In {} {remains}.", engine(database))?;
            }
            page.push_str("\n\n| column | type | written by | erased by |\n|---|---|---|---|\n");
            let order = |column: &&String| {
                made.iter().position(|made| made.table == *name && made.name == **column)
            };
            let mut names: Vec<_> = table.columns.keys().collect();
            names.sort_by_key(|column| order(column).unwrap_or(usize::MAX));
            for column in names {
                let Column { written, erased, only } = &table.columns[column];
                let place = made.iter().find(|made| made.table == *name && made.name == *column);
                let kind = match (place, only.as_ref().or(table.only.as_ref())) {
                    (Some(made), _) if made.is_key => format!("{}, key", made.kind.to_lowercase()),
                    (Some(made), _) => made.kind.to_lowercase(),
                    (None, Some(only)) => format!("only in {}", engine(only)),
                    (None, None) => String::new(),
                };
                writeln!(page, "| `{column}` | {kind} | {written} | {erased} |")?;
            }
        }
    }
    Ok(page)
}

fn engine(name: &str) -> &str {
    if name == "postgres" { "PostgreSQL" } else { "SQLite" }
}
