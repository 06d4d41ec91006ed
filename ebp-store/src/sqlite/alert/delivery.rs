//! Deliveries: which are due, and how attempts at them ended.

use ebp_core::contract::AlertChannel;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::{
    super::value::{Id, Instant},
    list, watch,
};
use crate::{
    DueDelivery, StoreError, WatchLease,
    alert::{after_attempt, named},
    job::unsigned,
    rule::alert::{Attempted, is_due},
};

/// The oldest one of each channel that waits, where it is due; a test goes first.
pub fn due(db: &Connection, now: Timestamp, items: usize) -> Result<Vec<DueDelivery>, StoreError> {
    let mut oldest = db.prepare_cached(
        "SELECT message, kind, created_at, attempts, next_at
         FROM alert_delivery JOIN alert_message ON alert_message.uuid = message
         WHERE state = 'pending' AND channel = ?1
         ORDER BY kind <> 'test', created_at, message LIMIT 1",
    )?;
    let mut due = Vec::new();
    for channel in AlertChannel::ALL {
        let found: Option<(Id, String, Instant, i64, Instant)> = oldest
            .query_row([channel.name()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            })
            .optional()?;
        let Some((Id(message), kind, Instant(created_at), attempts, Instant(next_at))) = found
        else {
            continue;
        };
        if is_due(next_at, now) {
            let (began, ended) = list::left(db, message)?;
            due.push(DueDelivery {
                message,
                kind: named(&kind)?,
                created_at,
                channel,
                attempts: unsigned(attempts)?,
                items: list::items(db, message, items)?,
                began,
                ended,
            });
        }
    }
    Ok(due)
}

/// Records how an attempt ended.
pub fn record(
    tx: &Transaction<'_>,
    lease: WatchLease,
    message: Uuid,
    channel: AlertChannel,
    attempted: &Attempted,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !watch::is_held(tx, lease)? {
        return Ok(false);
    }
    let found: Option<(i64, String)> = tx
        .prepare_cached(
            "SELECT attempts, kind
             FROM alert_delivery JOIN alert_message ON alert_message.uuid = message
             WHERE message = ?1 AND channel = ?2 AND state = 'pending'",
        )?
        .query_row(params![Id(message), channel.name()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((attempts, kind)) = found else { return Ok(false) };
    let attempts: u32 = unsigned(attempts.saturating_add(1))?;
    let after = after_attempt(attempted, named(&kind)?, attempts, now);
    tx.prepare_cached(
        "UPDATE alert_delivery
         SET state = ?3, attempts = ?4, next_at = ?5, ended_at = ?6, error = ?7
         WHERE message = ?1 AND channel = ?2",
    )?
    .execute(params![
        Id(message),
        channel.name(),
        after.state.name(),
        attempts,
        Instant(after.next_at),
        after.ended_at.map(Instant),
        after.error
    ])?;
    Ok(true)
}
