//! Messages as they are shown, and counts.

use ebp_core::contract::{
    ALERT_ITEMS, AlertChange, AlertDelivery, AlertItem, AlertMessage, LISTED_ALERT_ITEMS,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::super::{
    list_page::{bounds, page},
    value::{Id, Instant},
};
use crate::{
    AlertCounts, ListCursor, ListPage, ListQuery, StoreError,
    alert::{ALERTS_KEPT, named},
    job::{earlier, signed, unsigned},
};

/// Messages in the order in which they were made.
pub fn list(db: &Connection, query: ListQuery) -> Result<ListPage<AlertMessage>, StoreError> {
    let (at, uuid, limit) = bounds(query);
    let rows: Vec<Kept> = db
        .prepare_cached(
            "SELECT uuid, kind, created_at, began, ended FROM alert_message
             WHERE (created_at, uuid) > (?1, ?2) ORDER BY created_at, uuid LIMIT ?3",
        )?
        .query_map(params![at, uuid, limit], kept)?
        .collect::<Result<_, _>>()?;
    let placed = |kept| {
        let message = message(db, kept, LISTED_ALERT_ITEMS)?;
        let registered_at = message.created_at.as_microsecond();
        Ok((ListCursor { registered_at, uuid: message.uuid }, message))
    };
    Ok(page(query, rows.into_iter().map(placed).collect::<Result<_, StoreError>>()?))
}

/// A message.
pub fn show(db: &Connection, uuid: Uuid) -> Result<AlertMessage, StoreError> {
    let kept = db
        .prepare_cached(
            "SELECT uuid, kind, created_at, began, ended FROM alert_message WHERE uuid = ?1",
        )?
        .query_row([Id(uuid)], kept)
        .optional()?;
    message(db, kept.ok_or(StoreError::NotFound)?, ALERT_ITEMS)
}

type Kept = (Id, String, Instant, i64, i64);

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

fn message(db: &Connection, kept: Kept, limit: usize) -> Result<AlertMessage, StoreError> {
    let (Id(uuid), kind, Instant(created_at), began, ended) = kept;
    Ok(AlertMessage {
        uuid,
        kind: named(&kind)?,
        created_at,
        began: unsigned(began)?,
        ended: unsigned(ended)?,
        items: items(db, uuid, limit)?,
        deliveries: deliveries(db, uuid)?,
    })
}

/// The changes that a message tells, as many as asked for: those that began first.
pub fn items(db: &Connection, message: Uuid, limit: usize) -> Result<Vec<AlertItem>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT uuid, device, kind, 0 AS ends, began_at AS at, holding_instance, refused_instance
         FROM alert_episode WHERE begin_message = ?1
         UNION ALL
         SELECT uuid, device, kind, 1, ended_at, holding_instance, refused_instance
         FROM alert_episode WHERE end_message = ?1
         ORDER BY ends, at, uuid LIMIT ?2",
    )?;
    let mut items = Vec::new();
    let mut rows = statement.query(params![Id(message), signed(limit as u64)])?;
    while let Some(row) = rows.next()? {
        let (Id(episode), Id(device), kind): (Id, Id, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let (ends, Instant(at)): (bool, Instant) = (row.get(3)?, row.get(4)?);
        let change = if ends { AlertChange::Ended } else { AlertChange::Began };
        let instances: [Option<Id>; 2] = [row.get(5)?, row.get(6)?];
        let instances = instances.into_iter().flatten().map(|Id(instance)| instance).collect();
        items.push(AlertItem { episode, device, kind: named(&kind)?, change, at, instances });
    }
    Ok(items)
}

/// How many beginnings and ends are left of a message.
pub fn left(db: &Connection, message: Uuid) -> Result<(u64, u64), StoreError> {
    let (began, ended) = db
        .prepare_cached(
            "SELECT (SELECT count(*) FROM alert_episode WHERE begin_message = ?1),
                    (SELECT count(*) FROM alert_episode WHERE end_message = ?1)",
        )?
        .query_row([Id(message)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((unsigned(began)?, unsigned(ended)?))
}

fn deliveries(db: &Connection, message: Uuid) -> Result<Vec<AlertDelivery>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT channel, state, attempts, next_at, ended_at, error FROM alert_delivery
         WHERE message = ?1 ORDER BY channel DESC",
    )?;
    let mut deliveries = Vec::new();
    let mut rows = statement.query([Id(message)])?;
    while let Some(row) = rows.next()? {
        let (channel, state): (String, String) = (row.get(0)?, row.get(1)?);
        let (Instant(next_at), ended_at): (Instant, Option<Instant>) = (row.get(3)?, row.get(4)?);
        deliveries.push(AlertDelivery {
            channel: named(&channel)?,
            state: named(&state)?,
            attempts: unsigned(row.get(2)?)?,
            next_at,
            ended_at: ended_at.map(|at| at.0),
            error: row.get(5)?,
        });
    }
    Ok(deliveries)
}

/// Removes what ended long ago.
pub fn expire(tx: &Transaction<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let before = Instant(earlier(now, ALERTS_KEPT));
    let episodes = tx.execute("DELETE FROM alert_episode WHERE ended_at < ?1", [before])?;
    let messages = tx.execute(
        "DELETE FROM alert_message WHERE created_at < ?1
             AND NOT EXISTS (SELECT 1 FROM alert_episode WHERE begin_message = alert_message.uuid)
             AND NOT EXISTS (SELECT 1 FROM alert_episode WHERE end_message = alert_message.uuid)",
        [before],
    )?;
    let groups = tx.execute(
        "DELETE FROM error_group WHERE known_at < ?1 AND NOT EXISTS (
             SELECT 1 FROM device_error_group
             WHERE device_error_group.fingerprint = error_group.fingerprint)",
        [before],
    )?;
    Ok((episodes + messages + groups) as u64)
}

/// Counts for the metrics.
pub fn counts(db: &Connection) -> Result<AlertCounts, StoreError> {
    let open: Vec<(String, i64)> = db
        .prepare_cached(
            "SELECT kind, count(*) FROM alert_episode WHERE ended_at IS NULL GROUP BY kind",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let open = open
        .into_iter()
        .map(|(kind, count)| Ok((named(&kind)?, unsigned(count)?)))
        .collect::<Result<_, StoreError>>()?;
    let (pending, attempts): (i64, i64) = db
        .prepare_cached(
            "SELECT count(*), coalesce(max(attempts), 0) FROM alert_delivery
             WHERE state = 'pending'",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let groups: i64 =
        db.prepare_cached("SELECT count(*) FROM error_group")?.query_row([], |row| row.get(0))?;
    Ok(AlertCounts {
        open,
        pending: unsigned(pending)?,
        attempts: unsigned(attempts)?,
        error_groups: unsigned(groups)?,
    })
}
