//! What the database holds, as its files have it, by the declarations of `docs/data-model.toml`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde::Deserialize;

#[derive(Deserialize)]
pub struct Table {
    only: Option<String>,
    /// Of which database the bytes of erased rows stay in unused space, and why that is no harm.
    remains: Option<BTreeMap<String, String>>,
    pub columns: BTreeMap<String, Column>,
}

#[derive(Deserialize)]
pub struct Column {
    erased: String,
    only: Option<String>,
}

impl Table {
    /// Whether the bytes of its erased rows stay in that database.
    pub fn remains(&self, engine: &str) -> bool {
        self.remains.as_ref().is_some_and(|remains| remains.contains_key(engine))
    }
}

impl Column {
    /// Whether a revocation erases what it holds. An identifier that takes another one's place stays.
    pub fn is_erased(&self) -> bool {
        self.erased.contains("revocation") && !self.erased.ends_with("it becomes the identifier")
    }
}

/// The tables that are declared for a database.
pub fn declared(engine: &str) -> BTreeMap<String, Table> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/data-model.toml");
    let text = fs::read_to_string(path).unwrap();
    let mut all: BTreeMap<String, BTreeMap<String, Table>> = toml::from_str(&text).unwrap();
    let mut tables = all.remove("server").unwrap();
    let is_here = |only: &Option<String>| only.as_ref().is_none_or(|only| only == engine);
    tables.retain(|_, table| is_here(&table.only));
    for table in tables.values_mut() {
        table.columns.retain(|_, column| is_here(&column.only));
    }
    tables
}

/// A value as the database's files have it: long enough to be found by accident nowhere.
pub type Bytes = Vec<u8>;

/// A value, behind its table and column.
pub type Sought = (String, String, Bytes);

/// The database, by a connection of its own.
pub enum Plain {
    Sqlite(rusqlite::Connection),
    Postgres(tokio_postgres::Client),
}

impl Plain {
    pub fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    pub async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        match self {
            Self::Sqlite(db) => db.query_row(&sql, [], |row| row.get(0)).unwrap(),
            Self::Postgres(db) => db.query_one(&sql, &[]).await.unwrap().get(0),
        }
    }

    /// The values of a column.
    async fn values(&self, table: &str, column: &str) -> BTreeSet<Bytes> {
        let sql = format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL");
        match self {
            Self::Sqlite(db) => {
                let mut statement = db.prepare(&sql).unwrap();
                let rows = statement.query_map([], |row| row.get(0)).unwrap();
                rows.filter_map(|value| sqlite_bytes(value.unwrap())).collect()
            }
            Self::Postgres(db) => {
                let kind = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute
                            WHERE attrelid = $1::text::regclass AND attname = $2";
                let kind = db.query_one(kind, &[&table, &column]).await.unwrap();
                let (send, on_disk) = postgres_form(kind.get(0));
                let sql = sql.replacen(column, &format!("{send}({column})"), 1);
                let rows = db.query(&sql, &[]).await.unwrap();
                rows.iter().filter_map(|row| on_disk(row.get(0))).collect()
            }
        }
    }

    /// The values that a revocation erases, by table and column.
    pub async fn erasable(&self) -> BTreeSet<Sought> {
        let mut found = BTreeSet::new();
        for (table, Table { columns, .. }) in declared(self.engine()) {
            for (column, _) in columns.iter().filter(|(_, it)| it.is_erased()) {
                let values = self.values(&table, column).await;
                found.extend(values.into_iter().map(|it| (table.clone(), column.clone(), it)));
            }
        }
        found
    }

    /// The values that may stay: in columns that are kept, and in tables of which bytes remain.
    pub async fn kept(&self) -> BTreeSet<Bytes> {
        let mut found = BTreeSet::new();
        for (name, table) in declared(self.engine()) {
            let remains = table.remains(self.engine());
            for (column, _) in table.columns.iter().filter(|(_, it)| remains || !it.is_erased()) {
                found.extend(self.values(&name, column).await);
            }
        }
        found
    }
}

/// SQLite writes numbers the greatest octet first.
fn sqlite_bytes(value: rusqlite::types::Value) -> Option<Bytes> {
    use rusqlite::types::Value;
    match value {
        Value::Text(text) => Some(text.into_bytes()).filter(|text| text.len() >= 5),
        Value::Blob(blob) => Some(blob).filter(|blob| blob.len() >= 16),
        Value::Integer(number) => (number >= 1 << 48).then(|| number.to_be_bytes().to_vec()),
        Value::Real(number) => (number.fract() != 0.0).then(|| number.to_be_bytes().to_vec()),
        Value::Null => None,
    }
}

/// How PostgreSQL sends a type, and what that is on its disk.
fn postgres_form(kind: &str) -> (&'static str, fn(Bytes) -> Option<Bytes>) {
    fn long(bytes: Bytes) -> Option<Bytes> {
        Some(bytes).filter(|bytes| bytes.len() >= 5)
    }
    /// In the machine's order.
    fn number(mut bytes: Bytes) -> Option<Bytes> {
        bytes.reverse();
        Some(bytes)
    }
    /// Behind a head of eight octets its digits to base 10,000, each in the machine's order.
    fn numeric(bytes: Bytes) -> Option<Bytes> {
        let digits = bytes.get(8..)?.chunks_exact(2).flat_map(|digit| [digit[1], digit[0]]);
        Some(digits.collect()).filter(|digits: &Bytes| digits.len() >= 8)
    }
    match kind {
        "text" => ("textsend", long),
        "json" => ("json_send", long),
        "bytea" => ("byteasend", long),
        "uuid" => ("uuid_send", long),
        "timestamp with time zone" => ("timestamptz_send", number),
        "double precision" => ("float8send", number),
        "numeric" => ("numeric_send", numeric),
        // Too short to be told from anything else.
        "bigint" => ("int8send", |_| None),
        "integer" => ("int4send", |_| None),
        "smallint" => ("int2send", |_| None),
        "boolean" => ("boolsend", |_| None),
        "date" => ("date_send", |_| None),
        other => panic!("{other}: say how its bytes are found"),
    }
}
