//! The slots in which each meter has been measured.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use ebp_core::cycle::Slot;

/// Whether any time of the slot has been measured. The rows of a meter never overlap, so that only
/// the last one that starts before the slot's end can reach into it.
pub(super) fn overlaps(connection: &Connection, meter: Uuid, slot: Slot) -> rusqlite::Result<bool> {
    let time = slot.seconds();
    connection
        .prepare_cached(
            "SELECT finish > ?2 FROM measured WHERE meter = ?1 AND start < ?3
             ORDER BY start DESC LIMIT 1",
        )?
        .query_row(params![meter.as_bytes(), time.start, time.end], |row| row.get(0))
        .optional()
        .map(|overlaps| overlaps.unwrap_or(false))
}

/// Marks the slot as measured, in one row with the time before and after where they adjoin.
pub(super) fn cover(
    transaction: &Transaction<'_>,
    meter: Uuid,
    slot: Slot,
) -> rusqlite::Result<()> {
    let (meter, time) = (meter.as_bytes(), slot.seconds());
    let adjoining = |sql: &str, at: i64| -> rusqlite::Result<Option<i64>> {
        transaction.prepare_cached(sql)?.query_row(params![meter, at], |row| row.get(0)).optional()
    };
    let before = adjoining(
        "SELECT start FROM (SELECT start, finish FROM measured WHERE meter = ?1 AND start < ?2
                            ORDER BY start DESC LIMIT 1)
         WHERE finish = ?2",
        time.start,
    )?;
    let after = adjoining("SELECT finish FROM measured WHERE meter = ?1 AND start = ?2", time.end)?;
    if after.is_some() {
        transaction
            .prepare_cached("DELETE FROM measured WHERE meter = ?1 AND start = ?2")?
            .execute(params![meter, time.end])?;
    }
    transaction
        .prepare_cached(
            "INSERT INTO measured (meter, start, finish) VALUES (?1, ?2, ?3)
             ON CONFLICT (meter, start) DO UPDATE SET finish = excluded.finish",
        )?
        .execute(params![meter, before.unwrap_or(time.start), after.unwrap_or(time.end)])?;
    Ok(())
}

/// Marks the beginning of a slot as measured, whatever its length, unless it is marked already.
pub(super) fn cover_start(
    transaction: &Transaction<'_>,
    meter: Uuid,
    start: i64,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO measured (meter, start, finish) SELECT ?1, ?2, ?2 + 1
             WHERE NOT EXISTS (SELECT 1 FROM measured WHERE meter = ?1 AND start <= ?2
                               AND finish > ?2)",
        )?
        .execute(params![meter.as_bytes(), start])
        .map(drop)
}
