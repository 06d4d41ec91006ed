//! Looks: what is stored before, and what they decide.

use ebp_core::contract::{AlertChannel, AlertMessage, AlertMessageKind};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::{
    super::value::{Id, Instant},
    list,
};
use crate::{
    AlertState, Look, StoreError, WatchLease,
    alert::{NewMessage, named},
    job::signed,
    rule::alert::{Episode, Watching},
};

/// What is stored of alerts.
pub fn state(db: &Connection, since: Timestamp) -> Result<AlertState, StoreError> {
    let watching: Option<(Option<Instant>, Option<Instant>)> = db
        .prepare_cached("SELECT looked_at, watching_since FROM alert_watch")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let watching = match watching {
        Some((Some(Instant(looked_at)), Some(Instant(since)))) => {
            Some(Watching { looked_at, since })
        }
        _ => None,
    };
    let mut statement = db.prepare_cached(
        "SELECT uuid, device, kind,
                CASE WHEN begin_message IS NULL THEN begin_noted_at END, ended_at IS NULL,
                CASE WHEN end_message IS NULL THEN end_noted_at END
         FROM alert_episode
         WHERE ended_at IS NULL OR begin_message IS NULL OR end_message IS NULL
         ORDER BY begin_noted_at, uuid",
    )?;
    let mut episodes = Vec::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (Id(uuid), Id(device), kind): (Id, Id, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let (begin, end): (Option<Instant>, Option<Instant>) = (row.get(3)?, row.get(5)?);
        episodes.push(Episode {
            uuid,
            device,
            kind: named(&kind)?,
            begin_untold: begin.map(|at| at.0),
            open: row.get(4)?,
            end_untold: end.map(|at| at.0),
        });
    }
    let sent = db
        .prepare_cached(
            "SELECT created_at FROM alert_message WHERE created_at >= ?1 AND kind <> 'test'",
        )?
        .query_map([Instant(since)], |row| row.get(0).map(|Instant(at)| at))?
        .collect::<Result<_, _>>()?;
    Ok(AlertState { watching, episodes, sent })
}

/// Records a look, if the worker still watches.
pub fn record(tx: &Transaction<'_>, lease: WatchLease, look: &Look) -> Result<bool, StoreError> {
    let Look { watching, begin, end, message } = look;
    let now = Instant(watching.looked_at);
    let held = tx
        .prepare_cached(
            "UPDATE alert_watch SET looked_at = ?3, watching_since = ?4
             WHERE worker = ?1 AND term = ?2",
        )?
        .execute(params![Id(lease.worker), lease.term, now, Instant(watching.since)])?;
    if held == 0 {
        return Ok(false);
    }
    let mut begins = tx.prepare_cached(
        "INSERT INTO alert_episode (uuid, device, kind, began_at, begin_noted_at, holding_instance,
                                    refused_instance)
         SELECT ?1, device.uuid, ?3, ?4, ?5, ?6, ?7
         FROM measurement_device AS device JOIN consent USING (household)
         WHERE device.uuid = ?2 AND granted_at IS NOT NULL AND revoked_at IS NULL
         ON CONFLICT (device, kind) WHERE ended_at IS NULL DO NOTHING",
    )?;
    for new in begin {
        let began_at = Instant(new.began_at);
        let instances = new.instances.map(|instances| instances.map(Id));
        begins.execute(params![
            Id(new.uuid),
            Id(new.device),
            new.kind.name(),
            began_at,
            now,
            instances.map(|[holding, _]| holding),
            instances.map(|[_, refused]| refused)
        ])?;
    }
    let mut ends = tx.prepare_cached(
        "UPDATE alert_episode SET ended_at = max(?2, began_at), end_noted_at = ?2
         WHERE uuid = ?1 AND ended_at IS NULL",
    )?;
    for episode in end {
        ends.execute(params![Id(*episode), now])?;
    }
    if let Some(message) = message {
        put(tx, message, watching.looked_at)?;
    }
    Ok(true)
}

/// Adds a message with what is left of what it tells; none if nothing is.
fn put(tx: &Transaction<'_>, message: &NewMessage, now: Timestamp) -> Result<(), StoreError> {
    let NewMessage { uuid, planned, channels } = message;
    insert(tx, *uuid, planned.kind, now)?;
    let mut begins = tx.prepare_cached(
        "UPDATE alert_episode SET begin_message = ?1 WHERE uuid = ?2 AND begin_message IS NULL",
    )?;
    let mut began = 0;
    for episode in &planned.begins {
        began += begins.execute([Id(*uuid), Id(*episode)])?;
    }
    let mut ends = tx.prepare_cached(
        "UPDATE alert_episode SET end_message = ?1
         WHERE uuid = ?2 AND end_message IS NULL AND ended_at IS NOT NULL
             AND begin_message IS NOT NULL",
    )?;
    let mut ended = 0;
    for episode in &planned.ends {
        ended += ends.execute([Id(*uuid), Id(*episode)])?;
    }
    if began + ended == 0 {
        tx.execute("DELETE FROM alert_message WHERE uuid = ?1", [Id(*uuid)])?;
        return Ok(());
    }
    tx.execute(
        "UPDATE alert_message SET began = ?2, ended = ?3 WHERE uuid = ?1",
        params![Id(*uuid), signed(began as u64), signed(ended as u64)],
    )?;
    deliver(tx, *uuid, channels, now)
}

fn insert(
    tx: &Transaction<'_>,
    uuid: Uuid,
    kind: AlertMessageKind,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO alert_message (uuid, kind, created_at, began, ended) VALUES (?1, ?2, ?3, 0, 0)",
        params![Id(uuid), kind.name(), Instant(now)],
    )?;
    Ok(())
}

fn deliver(
    tx: &Transaction<'_>,
    message: Uuid,
    channels: &[AlertChannel],
    now: Timestamp,
) -> Result<(), StoreError> {
    for channel in channels {
        tx.execute(
            "INSERT INTO alert_delivery (message, channel, state, next_at)
             VALUES (?1, ?2, 'pending', ?3)",
            params![Id(message), channel.name(), Instant(now)],
        )?;
    }
    Ok(())
}

/// Adds a message that tests how messages are sent.
pub fn add_test(
    tx: &Transaction<'_>,
    channels: &[AlertChannel],
    now: Timestamp,
) -> Result<AlertMessage, StoreError> {
    let uuid = Uuid::new_v4();
    insert(tx, uuid, AlertMessageKind::Test, now)?;
    deliver(tx, uuid, channels, now)?;
    list::show(tx, uuid)
}
