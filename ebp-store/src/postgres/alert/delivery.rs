//! Deliveries: which are due, and how attempts at them ended.

use deadpool_postgres::{GenericClient, Transaction};
use ebp_core::contract::AlertChannel;
use jiff::Timestamp;
use uuid::Uuid;

use super::{super::value::Instant, list, watch};
use crate::{
    DueDelivery, StoreError, WatchLease,
    alert::{after_attempt, named},
    job::unsigned,
    rule::alert::{Attempted, is_due},
};

/// The oldest one of each channel that waits, where it is due; a test goes first.
pub async fn due(
    db: &impl GenericClient,
    now: Timestamp,
    items: usize,
) -> Result<Vec<DueDelivery>, StoreError> {
    let mut due = Vec::new();
    for channel in AlertChannel::ALL {
        let row = db
            .query_opt(
                "SELECT message, kind, created_at, attempts, next_at
                 FROM alert_delivery JOIN alert_message ON alert_message.uuid = message
                 WHERE state = 'pending' AND channel = $1
                 ORDER BY kind <> 'test', created_at, message LIMIT 1",
                &[&channel.name()],
            )
            .await?;
        let Some(row) = row else { continue };
        let (message, Instant(created_at), Instant(next_at)): (Uuid, Instant, Instant) =
            (row.try_get(0)?, row.try_get(2)?, row.try_get(4)?);
        if is_due(next_at, now) {
            let (began, ended) = list::left(db, message).await?;
            due.push(DueDelivery {
                message,
                kind: named(row.try_get(1)?)?,
                created_at,
                channel,
                attempts: unsigned(row.try_get(3)?)?,
                items: list::items(db, message, items).await?,
                began,
                ended,
            });
        }
    }
    Ok(due)
}

/// Records how an attempt ended.
pub async fn record(
    tx: &Transaction<'_>,
    lease: WatchLease,
    (message, channel): (Uuid, AlertChannel),
    attempted: &Attempted,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !watch::is_held(tx, lease).await? {
        return Ok(false);
    }
    let row = tx
        .query_opt(
            "SELECT attempts, kind
             FROM alert_delivery JOIN alert_message ON alert_message.uuid = message
             WHERE message = $1 AND channel = $2 AND state = 'pending'
             FOR UPDATE OF alert_delivery",
            &[&message, &channel.name()],
        )
        .await?;
    let Some(row) = row else { return Ok(false) };
    let attempts: u32 = unsigned(row.try_get::<_, i64>(0)?.saturating_add(1))?;
    let after = after_attempt(attempted, named(row.try_get(1)?)?, attempts, now);
    tx.execute(
        "UPDATE alert_delivery
         SET state = $3, attempts = $4, next_at = $5, ended_at = $6, error = $7
         WHERE message = $1 AND channel = $2",
        &[
            &message,
            &channel.name(),
            &after.state.name(),
            &i64::from(attempts),
            &Instant(after.next_at),
            &after.ended_at.map(Instant),
            &after.error,
        ],
    )
    .await?;
    Ok(true)
}
