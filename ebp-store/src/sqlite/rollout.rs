//! Roll-outs, in SQLite.

use async_trait::async_trait;
use ebp_core::contract::{
    DeviceUpdate, NewRollout, Rollout, RolloutEvent, RolloutState, UpdateWish,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::{
    SqliteStore,
    device::require_device,
    list_page::{bounds, page},
    value::{Id, Instant},
};
use crate::{
    ListCursor, ListPage, ListQuery, RolloutFacts, RolloutOffer, RolloutStore, RolloutView,
    RolloutWrite, StoreError,
    rollout::{
        EVENTS_SHOWN, FACTS, ROLLOUT_COLUMNS, RolloutRow, StoredPlace, UpdateRow, event, number,
        plan,
    },
    wish_of_device,
};

#[async_trait]
impl RolloutStore for SqliteStore {
    async fn report_update(
        &self,
        device: Uuid,
        update: DeviceUpdate,
        at: Timestamp,
    ) -> Result<UpdateWish, StoreError> {
        self.writer.run(move |tx| report(tx, device, &update, at)).await
    }

    async fn begin_rollout(
        &self,
        uuid: Uuid,
        new: NewRollout,
        by: String,
        at: Timestamp,
    ) -> Result<Rollout, StoreError> {
        self.writer.run(move |tx| begin(tx, uuid, &new, &by, at)).await
    }

    async fn rollouts(&self, query: ListQuery) -> Result<ListPage<Rollout>, StoreError> {
        self.readers.run(move |db| list(db, query)).await
    }

    async fn latest_rollout(&self) -> Result<Option<Rollout>, StoreError> {
        self.readers.run(latest).await
    }

    async fn rollout(&self, uuid: Uuid) -> Result<RolloutView, StoreError> {
        self.readers.run(move |db| view(db, uuid)).await
    }

    async fn write_rollout(
        &self,
        uuid: Uuid,
        revision: u64,
        write: RolloutWrite,
        by: Option<String>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer.run(move |tx| store(tx, (uuid, revision), &write, by.as_deref(), at)).await
    }
}

fn report(
    tx: &Transaction<'_>,
    device: Uuid,
    update: &DeviceUpdate,
    at: Timestamp,
) -> Result<UpdateWish, StoreError> {
    require_device(tx, device)?;
    tx.prepare_cached(
        "INSERT INTO device_update (device, reported_at, managed, pinned, phase, kept,
             reverted_version, reverted_reason, hindrance)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (device) DO UPDATE SET reported_at = ?2, managed = ?3, pinned = ?4,
             phase = ?5, kept = ?6, reverted_version = ?7, reverted_reason = ?8, hindrance = ?9",
    )?
    .execute(params![
        Id(device),
        Instant(at),
        update.managed.name(),
        update.pinned,
        update.phase.name(),
        update.kept,
        update.reverted.as_ref().map(|reverted| &reverted.version),
        update.reverted.as_ref().map(|reverted| &reverted.reason),
        update.hindrance
    ])?;
    let Some(rollout) = latest(tx)? else { return Ok(UpdateWish::ANY) };
    let taken: Option<bool> = tx
        .prepare_cached(
            "SELECT taken_at IS NOT NULL FROM rollout_device
             WHERE rollout = ?1 AND device = ?2 AND offered_at IS NOT NULL AND NOT is_set_aside",
        )?
        .query_row(params![Id(rollout.uuid), Id(device)], |row| row.get(0))
        .optional()?;
    let wish = wish_of_device(&rollout, taken);
    if taken == Some(false) && wish.version.is_some() {
        tx.prepare_cached(
            "UPDATE rollout_device SET taken_at = ?3 WHERE rollout = ?1 AND device = ?2",
        )?
        .execute(params![Id(rollout.uuid), Id(device), Instant(at)])?;
    }
    Ok(wish)
}

fn begin(
    tx: &Transaction<'_>,
    uuid: Uuid,
    new: &NewRollout,
    by: &str,
    at: Timestamp,
) -> Result<Rollout, StoreError> {
    if let Some(rollout) = latest(tx)?
        && matches!(rollout.state, RolloutState::Running | RolloutState::Halted)
    {
        return Err(StoreError::RolloutState(rollout.state));
    }
    let (steps, soak) = plan(new)?;
    tx.prepare_cached(
        "INSERT INTO rollout (uuid, version, steps, soak, state, step, step_since, revision,
             created_at)
         VALUES (?1, ?2, ?3, ?4, 'running', 0, ?5, 1, ?5)",
    )?
    .execute(params![Id(uuid), new.version, steps, soak, Instant(at)])?;
    for device in &new.first {
        require_device(tx, *device)?;
        tx.prepare_cached(
            "INSERT INTO rollout_device (rollout, device, is_first) VALUES (?1, ?2, 1)",
        )?
        .execute([Id(uuid), Id(*device)])?;
    }
    record(tx, (uuid, 1), ("running", 0), Some(by), at)?;
    latest(tx)?.ok_or(StoreError::NotFound)
}

fn record(
    tx: &Transaction<'_>,
    (rollout, revision): (Uuid, i64),
    (state, step): (&str, i64),
    by: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO rollout_event (rollout, revision, at, state, step, by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![Id(rollout), revision, Instant(at), state, step, by])?;
    Ok(())
}

fn row(row: &Row<'_>) -> rusqlite::Result<RolloutRow> {
    let (Id(uuid), Instant(step_since), Instant(created_at)) =
        (row.get(0)?, row.get(7)?, row.get(9)?);
    Ok(RolloutRow {
        uuid,
        version: row.get(1)?,
        steps: row.get(2)?,
        soak: row.get(3)?,
        state: row.get(4)?,
        halt: row.get(5)?,
        step: row.get(6)?,
        step_since,
        revision: row.get(8)?,
        created_at,
    })
}

fn latest(db: &Connection) -> Result<Option<Rollout>, StoreError> {
    let sql = format!(
        "SELECT {ROLLOUT_COLUMNS} FROM rollout ORDER BY created_at DESC, uuid DESC LIMIT 1"
    );
    let found = db.prepare_cached(&sql)?.query_row([], row).optional()?;
    found.map(RolloutRow::read).transpose()
}

fn list(db: &Connection, query: ListQuery) -> Result<ListPage<Rollout>, StoreError> {
    let (at, uuid, limit) = bounds(query);
    let sql = format!(
        "SELECT {ROLLOUT_COLUMNS} FROM rollout WHERE (created_at, uuid) > (?1, ?2)
         ORDER BY created_at, uuid LIMIT ?3"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut found = Vec::new();
    for stored in statement.query_map(params![at, uuid, limit], row)? {
        let rollout = stored?.read()?;
        let place =
            ListCursor { registered_at: rollout.created_at.as_microsecond(), uuid: rollout.uuid };
        found.push((place, rollout));
    }
    Ok(page(query, found))
}

fn view(db: &Connection, uuid: Uuid) -> Result<RolloutView, StoreError> {
    let sql = format!("SELECT {ROLLOUT_COLUMNS} FROM rollout WHERE uuid = ?1");
    let rollout = db.prepare_cached(&sql)?.query_row([Id(uuid)], row).optional()?;
    let rollout = rollout.ok_or(StoreError::NotFound)?.read()?;
    let mut statement = db.prepare_cached(&FACTS.replace("$1", "?1"))?;
    let mut rows = statement.query([Id(uuid)])?;
    let mut facts = Vec::new();
    while let Some(row) = rows.next()? {
        facts.push(read_facts(row)?);
    }
    Ok(RolloutView { rollout, facts, events: events(db, uuid)? })
}

fn read_facts(row: &Row<'_>) -> Result<RolloutFacts, StoreError> {
    let at = |column| row.get(column).map(|at: Option<Instant>| at.map(|Instant(at)| at));
    let Id(device) = row.get(0)?;
    let update = match at(3)? {
        None => None,
        Some(reported_at) => Some(
            UpdateRow {
                reported_at,
                managed: row.get(4)?,
                pinned: row.get(5)?,
                phase: row.get(6)?,
                kept: row.get(7)?,
                reverted_version: row.get(8)?,
                reverted_reason: row.get(9)?,
                hindrance: row.get(10)?,
            }
            .read()?,
        ),
    };
    let offer = match (row.get::<_, Option<u8>>(12)?, at(13)?) {
        (Some(step), Some(offered_at)) => Some(RolloutOffer {
            step,
            offered_at,
            was_regular: row.get(14)?,
            taken_at: at(15)?,
            over_at: at(16)?,
            set_aside: row.get(17)?,
            excused: row.get(18)?,
        }),
        _ => None,
    };
    Ok(RolloutFacts {
        device,
        is_first: row.get(11)?,
        last_report: at(1)?,
        running: row.get(2)?,
        update,
        offer,
    })
}

fn events(db: &Connection, uuid: Uuid) -> Result<Vec<RolloutEvent>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT revision, at, state, step, by FROM rollout_event
         WHERE rollout = ?1 ORDER BY revision DESC LIMIT ?2",
    )?;
    let mut rows = statement.query(params![Id(uuid), EVENTS_SHOWN])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let (Instant(at), state): (_, String) = (row.get(1)?, row.get(2)?);
        events.push(event((row.get(0)?, at, &state, row.get(3)?), row.get(4)?)?);
    }
    Ok(events)
}

fn store(
    tx: &Transaction<'_>,
    (uuid, revision): (Uuid, u64),
    write: &RolloutWrite,
    by: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let revision = number(revision);
    let step: Option<i64> = tx
        .prepare_cached("SELECT step FROM rollout WHERE uuid = ?1 AND revision = ?2")?
        .query_row(params![Id(uuid), revision], |row| row.get(0))
        .optional()?;
    let step = step.ok_or(StoreError::Changed)?;
    for (device, was_regular) in &write.offer {
        tx.prepare_cached(
            "INSERT INTO rollout_device (rollout, device, step, offered_at, was_regular)
             SELECT ?1, device, ?3, ?4, ?5 FROM fleet_device WHERE device = ?2 AND consent = 1
             ON CONFLICT (rollout, device) DO UPDATE SET step = ?3, offered_at = ?4,
                 was_regular = ?5",
        )?
        .execute(params![Id(uuid), Id(*device), step, Instant(at), was_regular])?;
    }
    for (devices, set) in [
        (&write.over, "over_at = ?3"),
        (&write.set_aside, "is_set_aside = ?3 IS NOT NULL"),
        (&write.excuse, "is_excused = ?3 IS NOT NULL"),
    ] {
        let sql = format!("UPDATE rollout_device SET {set} WHERE rollout = ?1 AND device = ?2");
        for device in devices {
            tx.prepare_cached(&sql)?.execute(params![Id(uuid), Id(*device), Instant(at)])?;
        }
    }
    if write.readmit {
        tx.prepare_cached(
            "UPDATE rollout_device SET step = NULL, offered_at = NULL, taken_at = NULL,
                 over_at = NULL, is_set_aside = 0, is_excused = 0
             WHERE rollout = ?1 AND is_set_aside",
        )?
        .execute([Id(uuid)])?;
    }
    let Some(place) = write.place.map(StoredPlace::from) else { return Ok(()) };
    tx.prepare_cached(
        "UPDATE rollout SET state = ?2, halt = ?3, step = ?4, step_since = ?5,
             revision = revision + 1
         WHERE uuid = ?1",
    )?
    .execute(params![
        Id(uuid),
        place.state,
        place.halt,
        place.step,
        Instant(place.step_since)
    ])?;
    record(tx, (uuid, revision + 1), (place.state, place.step), by, at)
}
