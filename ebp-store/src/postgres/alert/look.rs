//! Looks: what is stored before, and what they decide.

use deadpool_postgres::{GenericClient, Transaction};
use ebp_core::contract::{AlertChannel, AlertMessage, AlertMessageKind};
use jiff::Timestamp;
use uuid::Uuid;

use super::{super::value::Instant, list};
use crate::{
    AlertState, Look, StoreError, WatchLease,
    alert::{NewMessage, named},
    job::signed,
    rule::alert::{Episode, NewEpisode, Watching},
};

/// What is stored of alerts.
pub async fn state(db: &impl GenericClient, since: Timestamp) -> Result<AlertState, StoreError> {
    let row = db.query_opt("SELECT looked_at, watching_since FROM alert_watch", &[]).await?;
    let watching = match row {
        Some(row) => match (row.try_get(0)?, row.try_get(1)?) {
            (Some(Instant(looked_at)), Some(Instant(since))) => Some(Watching { looked_at, since }),
            _ => None,
        },
        None => None,
    };
    let statement = db
        .prepare_cached(
            "SELECT uuid, device, kind,
                    CASE WHEN begin_message IS NULL THEN begin_noted_at END, ended_at IS NULL,
                    CASE WHEN end_message IS NULL THEN end_noted_at END
             FROM alert_episode
             WHERE ended_at IS NULL OR begin_message IS NULL OR end_message IS NULL
             ORDER BY begin_noted_at, uuid",
        )
        .await?;
    let mut episodes = Vec::new();
    for row in db.query(&statement, &[]).await? {
        let (begin, end): (Option<Instant>, Option<Instant>) = (row.try_get(3)?, row.try_get(5)?);
        episodes.push(Episode {
            uuid: row.try_get(0)?,
            device: row.try_get(1)?,
            kind: named(row.try_get(2)?)?,
            begin_untold: begin.map(|at| at.0),
            open: row.try_get(4)?,
            end_untold: end.map(|at| at.0),
        });
    }
    let sql = "SELECT created_at FROM alert_message WHERE created_at >= $1 AND kind <> 'test'";
    let mut sent = Vec::new();
    for row in db.query(sql, &[&Instant(since)]).await? {
        let Instant(at) = row.try_get(0)?;
        sent.push(at);
    }
    Ok(AlertState { watching, episodes, sent })
}

/// Records a look, if the worker still watches. Its row is locked first: looks come one by one.
pub async fn record(
    tx: &Transaction<'_>,
    lease: WatchLease,
    look: &Look,
) -> Result<bool, StoreError> {
    let Look { watching, begin, end, message } = look;
    let now = Instant(watching.looked_at);
    let held = tx
        .execute(
            "UPDATE alert_watch SET looked_at = $3, watching_since = $4
             WHERE worker = $1 AND term = $2",
            &[&lease.worker, &lease.term, &now, &Instant(watching.since)],
        )
        .await?;
    if held == 0 {
        return Ok(false);
    }
    if !begin.is_empty() {
        begin_all(tx, begin, now).await?;
    }
    if !end.is_empty() {
        tx.execute(
            "UPDATE alert_episode SET ended_at = greatest($2, began_at), end_noted_at = $2
             WHERE uuid = ANY ($1) AND ended_at IS NULL",
            &[end, &now],
        )
        .await?;
    }
    if let Some(message) = message {
        put(tx, message, watching.looked_at).await?;
    }
    Ok(true)
}

/// The households' consents are locked: one that is being revoked is waited for, and its device is
/// left out.
async fn begin_all(
    tx: &Transaction<'_>,
    begin: &[NewEpisode],
    now: Instant,
) -> Result<(), StoreError> {
    let uuids: Vec<Uuid> = begin.iter().map(|new| new.uuid).collect();
    let devices: Vec<Uuid> = begin.iter().map(|new| new.device).collect();
    let kinds: Vec<&str> = begin.iter().map(|new| new.kind.name()).collect();
    let holding: Vec<Option<Uuid>> =
        begin.iter().map(|new| new.instances.map(|[holding, _]| holding)).collect();
    let refused: Vec<Option<Uuid>> =
        begin.iter().map(|new| new.instances.map(|[_, refused]| refused)).collect();
    let began_at: Vec<Instant> = begin.iter().map(|new| Instant(new.began_at)).collect();
    tx.execute(
        "WITH consenting AS (
             SELECT device.uuid FROM consent
             JOIN measurement_device AS device USING (household)
             WHERE device.uuid = ANY ($2) AND granted_at IS NOT NULL AND revoked_at IS NULL
             FOR SHARE OF consent)
         INSERT INTO alert_episode (uuid, device, kind, began_at, begin_noted_at, holding_instance,
                                    refused_instance)
         SELECT given.uuid, device, kind, began_at, $5, holding, refused
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $6::uuid[], $7::uuid[])
             AS given (uuid, device, kind, began_at, holding, refused)
         JOIN consenting ON consenting.uuid = device
         ON CONFLICT (device, kind) WHERE ended_at IS NULL DO NOTHING",
        &[&uuids, &devices, &kinds, &began_at, &now, &holding, &refused],
    )
    .await?;
    Ok(())
}

/// Adds a message with what is left of what it tells; none if nothing is.
async fn put(tx: &Transaction<'_>, message: &NewMessage, now: Timestamp) -> Result<(), StoreError> {
    let NewMessage { uuid, planned, channels } = message;
    insert(tx, *uuid, planned.kind, now).await?;
    let began = tx
        .execute(
            "UPDATE alert_episode SET begin_message = $1
             WHERE uuid = ANY ($2) AND begin_message IS NULL",
            &[uuid, &planned.begins],
        )
        .await?;
    let ended = tx
        .execute(
            "UPDATE alert_episode SET end_message = $1
             WHERE uuid = ANY ($2) AND end_message IS NULL AND ended_at IS NOT NULL
                 AND begin_message IS NOT NULL",
            &[uuid, &planned.ends],
        )
        .await?;
    if began + ended == 0 {
        tx.execute("DELETE FROM alert_message WHERE uuid = $1", &[uuid]).await?;
        return Ok(());
    }
    let sql = "UPDATE alert_message SET began = $2, ended = $3 WHERE uuid = $1";
    tx.execute(sql, &[uuid, &signed(began), &signed(ended)]).await?;
    deliver(tx, *uuid, channels, now).await
}

async fn insert(
    tx: &Transaction<'_>,
    uuid: Uuid,
    kind: AlertMessageKind,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO alert_message (uuid, kind, created_at, began, ended) VALUES ($1, $2, $3, 0, 0)",
        &[&uuid, &kind.name(), &Instant(now)],
    )
    .await?;
    Ok(())
}

async fn deliver(
    tx: &Transaction<'_>,
    message: Uuid,
    channels: &[AlertChannel],
    now: Timestamp,
) -> Result<(), StoreError> {
    for channel in channels {
        tx.execute(
            "INSERT INTO alert_delivery (message, channel, state, next_at)
             VALUES ($1, $2, 'pending', $3)",
            &[&message, &channel.name(), &Instant(now)],
        )
        .await?;
    }
    Ok(())
}

/// Adds a message that tests how messages are sent.
pub async fn add_test(
    tx: &Transaction<'_>,
    channels: &[AlertChannel],
    now: Timestamp,
) -> Result<AlertMessage, StoreError> {
    let uuid = Uuid::new_v4();
    insert(tx, uuid, AlertMessageKind::Test, now).await?;
    deliver(tx, uuid, channels, now).await?;
    list::show(tx, uuid).await
}
