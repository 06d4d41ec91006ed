//! The database's clock.

use jiff::Timestamp;
use rusqlite::Connection;

use super::super::value::Instant;
use crate::StoreError;

/// The time by the database's clock, which is the machine's.
pub fn now(db: &Connection) -> Result<Timestamp, StoreError> {
    let sql = "SELECT CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER)";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get::<_, Instant>(0))?.0)
}
