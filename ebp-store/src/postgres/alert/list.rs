//! Messages as they are shown, and counts.

use std::collections::HashMap;

use deadpool_postgres::{GenericClient, Transaction};
use ebp_core::contract::{
    ALERT_ITEMS, AlertChange, AlertDelivery, AlertItem, AlertMessage, LISTED_ALERT_ITEMS,
};
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
    let rows = db.query(sql, &[&at, &uuid, &limit]).await?;
    let mut page = page(query, rows.iter().map(placed).collect::<Result<_, StoreError>>()?);
    complete(db, &mut page.items, LISTED_ALERT_ITEMS).await?;
    Ok(page)
}

/// A message.
pub async fn show(db: &impl GenericClient, uuid: Uuid) -> Result<AlertMessage, StoreError> {
    let sql = "SELECT uuid, kind, created_at, began, ended FROM alert_message WHERE uuid = $1";
    let row = db.query_opt(sql, &[&uuid]).await?;
    let (_, mut message) = placed(&row.ok_or(StoreError::NotFound)?)?;
    complete(db, std::slice::from_mut(&mut message), ALERT_ITEMS).await?;
    Ok(message)
}

/// A message without what other tables have of it.
fn placed(row: &Row) -> Result<(ListCursor, AlertMessage), StoreError> {
    let (uuid, Instant(created_at)): (Uuid, Instant) = (row.try_get(0)?, row.try_get(2)?);
    let message = AlertMessage {
        uuid,
        kind: named(row.try_get(1)?)?,
        created_at,
        began: unsigned(row.try_get(3)?)?,
        ended: unsigned(row.try_get(4)?)?,
        items: Vec::new(),
        deliveries: Vec::new(),
    };
    Ok((ListCursor { registered_at: created_at.as_microsecond(), uuid }, message))
}

/// Adds items and deliveries: two queries, however many messages there are.
async fn complete(
    db: &impl GenericClient,
    messages: &mut [AlertMessage],
    limit: usize,
) -> Result<(), StoreError> {
    let uuids: Vec<Uuid> = messages.iter().map(|message| message.uuid).collect();
    let mut items: HashMap<Uuid, Vec<AlertItem>> = HashMap::new();
    for (message, item) in items_of(db, &uuids, limit).await? {
        items.entry(message).or_default().push(item);
    }
    let mut deliveries = deliveries(db, &uuids).await?;
    for message in messages {
        message.items = items.remove(&message.uuid).unwrap_or_default();
        message.deliveries = deliveries.remove(&message.uuid).unwrap_or_default();
    }
    Ok(())
}

/// The changes that a message tells, as many as asked for: those that began first.
pub async fn items(
    db: &impl GenericClient,
    message: Uuid,
    limit: usize,
) -> Result<Vec<AlertItem>, StoreError> {
    let items = items_of(db, &[message], limit).await?;
    Ok(items.into_iter().map(|(_, item)| item).collect())
}

async fn items_of(
    db: &impl GenericClient,
    messages: &[Uuid],
    limit: usize,
) -> Result<Vec<(Uuid, AlertItem)>, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT message, item.* FROM unnest($1::uuid[]) AS message CROSS JOIN LATERAL (
                 SELECT uuid, device, kind, false AS ends, began_at AS at, holding_instance,
                        refused_instance
                 FROM alert_episode WHERE begin_message = message
                 UNION ALL
                 SELECT uuid, device, kind, true, ended_at, holding_instance, refused_instance
                 FROM alert_episode WHERE end_message = message
                 ORDER BY ends, at, uuid LIMIT $2
             ) AS item ORDER BY message, ends, at, uuid",
        )
        .await?;
    let item = |row: &Row| {
        let Instant(at) = row.try_get(5)?;
        let instances: [Option<Uuid>; 2] = [row.try_get(6)?, row.try_get(7)?];
        let change = if row.try_get(4)? { AlertChange::Ended } else { AlertChange::Began };
        let item = AlertItem {
            episode: row.try_get(1)?,
            device: row.try_get(2)?,
            kind: named(row.try_get(3)?)?,
            change,
            at,
            instances: instances.into_iter().flatten().collect(),
        };
        Ok((row.try_get(0)?, item))
    };
    db.query(&statement, &[&messages, &signed(limit as u64)]).await?.iter().map(item).collect()
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
    messages: &[Uuid],
) -> Result<HashMap<Uuid, Vec<AlertDelivery>>, StoreError> {
    let sql = "SELECT channel, state, attempts, next_at, ended_at, error, message
               FROM alert_delivery WHERE message = ANY ($1) ORDER BY channel COLLATE \"C\" DESC";
    let mut deliveries: HashMap<Uuid, Vec<AlertDelivery>> = HashMap::new();
    for row in db.query(sql, &[&messages]).await? {
        let (Instant(next_at), ended_at): (Instant, Option<Instant>) =
            (row.try_get(3)?, row.try_get(4)?);
        deliveries.entry(row.try_get(6)?).or_default().push(AlertDelivery {
            channel: named(row.try_get(0)?)?,
            state: named(row.try_get(1)?)?,
            attempts: unsigned(row.try_get(2)?)?,
            next_at,
            ended_at: ended_at.map(|at| at.0),
            error: row.try_get(5)?,
        });
    }
    Ok(deliveries)
}

/// Removes what ended long ago.
pub async fn expire(tx: &Transaction<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let before = Instant(earlier(now, ALERTS_KEPT));
    let episodes = tx.execute("DELETE FROM alert_episode WHERE ended_at < $1", &[&before]).await?;
    let messages = tx
        .execute(
            "DELETE FROM alert_message WHERE created_at < $1
                 AND NOT EXISTS (SELECT FROM alert_episode WHERE begin_message = alert_message.uuid)
                 AND NOT EXISTS (SELECT FROM alert_episode WHERE end_message = alert_message.uuid)",
            &[&before],
        )
        .await?;
    let groups = tx
        .execute(
            "DELETE FROM error_group WHERE known_at < $1 AND NOT EXISTS (
                 SELECT FROM device_error_group
                 WHERE device_error_group.fingerprint = error_group.fingerprint)",
            &[&before],
        )
        .await?;
    Ok(episodes + messages + groups)
}

/// Counts for the metrics.
pub async fn counts(db: &impl GenericClient) -> Result<AlertCounts, StoreError> {
    let sql = "SELECT kind, count(*) FROM alert_episode WHERE ended_at IS NULL GROUP BY kind";
    let open = |row: &Row| Ok((named(row.try_get(0)?)?, unsigned(row.try_get(1)?)?));
    let open = db.query(sql, &[]).await?.iter().map(open).collect::<Result<_, StoreError>>()?;
    let sql = "SELECT count(*), coalesce(max(attempts), 0) FROM alert_delivery
               WHERE state = 'pending'";
    let row = db.query_one(sql, &[]).await?;
    let groups = db.query_one("SELECT count(*) FROM error_group", &[]).await?;
    Ok(AlertCounts {
        open,
        pending: unsigned(row.try_get(0)?)?,
        attempts: unsigned(row.try_get(1)?)?,
        error_groups: unsigned(groups.try_get(0)?)?,
    })
}
