//! Messages as they are shown, and counts.

use deadpool_postgres::{GenericClient, Transaction};
use ebp_core::contract::{ALERT_ITEMS, AlertChange, AlertDelivery, AlertItem, AlertMessage};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::super::{
    list_page::{bounds, page},
    value::Instant,
};
use crate::{
    AlertCounts, ListCursor, ListPage, ListQuery, StoreError,
    alert::{ALERTS_KEPT, named},
    job::{earlier, signed, unsigned},
};

/// Messages in the order in which they were made.
pub async fn list(
    db: &impl GenericClient,
    query: ListQuery,
) -> Result<ListPage<AlertMessage>, StoreError> {
    let (at, uuid, limit) = bounds(query);
    let sql = "SELECT uuid, kind, created_at, began, ended FROM alert_message
               WHERE (created_at, uuid) > ($1, $2) ORDER BY created_at, uuid LIMIT $3";
    let mut placed = Vec::new();
    for row in db.query(sql, &[&at, &uuid, &limit]).await? {
        let message = message(db, &row).await?;
        let registered_at = message.created_at.as_microsecond();
        placed.push((ListCursor { registered_at, uuid: message.uuid }, message));
    }
    Ok(page(query, placed))
}

/// A message.
pub async fn show(db: &impl GenericClient, uuid: Uuid) -> Result<AlertMessage, StoreError> {
    let sql = "SELECT uuid, kind, created_at, began, ended FROM alert_message WHERE uuid = $1";
    let row = db.query_opt(sql, &[&uuid]).await?;
    message(db, &row.ok_or(StoreError::NotFound)?).await
}

async fn message(db: &impl GenericClient, row: &Row) -> Result<AlertMessage, StoreError> {
    let (uuid, Instant(created_at)): (Uuid, Instant) = (row.try_get(0)?, row.try_get(2)?);
    Ok(AlertMessage {
        uuid,
        kind: named(row.try_get(1)?)?,
        created_at,
        began: unsigned(row.try_get(3)?)?,
        ended: unsigned(row.try_get(4)?)?,
        items: items(db, uuid, ALERT_ITEMS).await?,
        deliveries: deliveries(db, uuid).await?,
    })
}

/// The changes that a message tells, as many as asked for: those that began first.
pub async fn items(
    db: &impl GenericClient,
    message: Uuid,
    limit: usize,
) -> Result<Vec<AlertItem>, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT uuid, device, kind, false AS ends, began_at AS at FROM alert_episode
             WHERE begin_message = $1
             UNION ALL
             SELECT uuid, device, kind, true, ended_at FROM alert_episode WHERE end_message = $1
             ORDER BY ends, at, uuid LIMIT $2",
        )
        .await?;
    let item = |row: &Row| {
        let Instant(at) = row.try_get(4)?;
        let change = if row.try_get(3)? { AlertChange::Ended } else { AlertChange::Began };
        Ok(AlertItem {
            episode: row.try_get(0)?,
            device: row.try_get(1)?,
            kind: named(row.try_get(2)?)?,
            change,
            at,
        })
    };
    db.query(&statement, &[&message, &signed(limit as u64)]).await?.iter().map(item).collect()
}

/// How many beginnings and ends are left of a message.
pub async fn left(db: &impl GenericClient, message: Uuid) -> Result<(u64, u64), StoreError> {
    let row = db
        .query_one(
            "SELECT (SELECT count(*) FROM alert_episode WHERE begin_message = $1),
                    (SELECT count(*) FROM alert_episode WHERE end_message = $1)",
            &[&message],
        )
        .await?;
    Ok((unsigned(row.try_get(0)?)?, unsigned(row.try_get(1)?)?))
}

async fn deliveries(
    db: &impl GenericClient,
    message: Uuid,
) -> Result<Vec<AlertDelivery>, StoreError> {
    let sql = "SELECT channel, state, attempts, next_at, ended_at, error FROM alert_delivery
               WHERE message = $1 ORDER BY channel COLLATE \"C\" DESC";
    let delivery = |row: &Row| {
        let (Instant(next_at), ended_at): (Instant, Option<Instant>) =
            (row.try_get(3)?, row.try_get(4)?);
        Ok(AlertDelivery {
            channel: named(row.try_get(0)?)?,
            state: named(row.try_get(1)?)?,
            attempts: unsigned(row.try_get(2)?)?,
            next_at,
            ended_at: ended_at.map(|at| at.0),
            error: row.try_get(5)?,
        })
    };
    db.query(sql, &[&message]).await?.iter().map(delivery).collect()
}

/// Removes what ended long ago.
pub async fn expire(tx: &Transaction<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let before = Instant(earlier(now, ALERTS_KEPT));
    let episodes =
        tx.execute("DELETE FROM alert_episode WHERE ended_at < $1", &[&before]).await?;
    let messages = tx
        .execute(
            "DELETE FROM alert_message WHERE created_at < $1
                 AND NOT EXISTS (SELECT FROM alert_episode WHERE begin_message = alert_message.uuid)
                 AND NOT EXISTS (SELECT FROM alert_episode WHERE end_message = alert_message.uuid)",
            &[&before],
        )
        .await?;
    Ok(episodes + messages)
}

/// Counts for the metrics.
pub async fn counts(db: &impl GenericClient) -> Result<AlertCounts, StoreError> {
    let sql = "SELECT kind, count(*) FROM alert_episode WHERE ended_at IS NULL GROUP BY kind";
    let open = |row: &Row| Ok((named(row.try_get(0)?)?, unsigned(row.try_get(1)?)?));
    let open = db.query(sql, &[]).await?.iter().map(open).collect::<Result<_, StoreError>>()?;
    let sql = "SELECT count(*), coalesce(max(attempts), 0) FROM alert_delivery
               WHERE state = 'pending'";
    let row = db.query_one(sql, &[]).await?;
    Ok(AlertCounts {
        open,
        pending: unsigned(row.try_get(0)?)?,
        attempts: unsigned(row.try_get(1)?)?,
    })
}
