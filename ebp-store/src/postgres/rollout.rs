//! Roll-outs, in PostgreSQL.

use async_trait::async_trait;
use deadpool_postgres::{Client, GenericClient, Transaction};
use ebp_core::contract::{
    DeviceUpdate, NewRollout, Rollout, RolloutEvent, RolloutState, UpdateWish,
};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    PostgresStore,
    list_page::{bounds, page},
    value::Instant,
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
impl RolloutStore for PostgresStore {
    async fn report_update(
        &self,
        device: Uuid,
        update: DeviceUpdate,
        at: Timestamp,
    ) -> Result<UpdateWish, StoreError> {
        let mut client = self.client().await?;
        self.change(report(&mut client, device, &update, at)).await
    }

    async fn begin_rollout(
        &self,
        uuid: Uuid,
        new: NewRollout,
        by: String,
        at: Timestamp,
    ) -> Result<Rollout, StoreError> {
        let mut client = self.client().await?;
        self.change(begin(&mut client, uuid, &new, &by, at)).await
    }

    async fn rollouts(&self, query: ListQuery) -> Result<ListPage<Rollout>, StoreError> {
        let client = self.client().await?;
        self.look_up(list(&client, query)).await
    }

    async fn latest_rollout(&self) -> Result<Option<Rollout>, StoreError> {
        let client = self.client().await?;
        self.look_up(latest(&client)).await
    }

    async fn rollout(&self, uuid: Uuid) -> Result<RolloutView, StoreError> {
        let client = self.client().await?;
        self.look_up(view(&client, uuid)).await
    }

    async fn write_rollout(
        &self,
        uuid: Uuid,
        revision: u64,
        write: RolloutWrite,
        by: Option<String>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        self.change(store(&mut client, (uuid, revision), write, by.as_deref(), at)).await
    }
}

/// Fails unless there is the device, and its household has not revoked consent; a revocation waits
/// until the transaction ends.
async fn hold_device(tx: &Transaction<'_>, device: Uuid) -> Result<(), StoreError> {
    let statement = tx
        .prepare_cached(
            "SELECT consent.revoked_at IS NOT NULL
             FROM measurement_device JOIN consent USING (household)
             WHERE measurement_device.uuid = $1 FOR SHARE OF consent",
        )
        .await?;
    match tx.query_opt(&statement, &[&device]).await? {
        Some(row) if !row.try_get::<_, bool>(0)? => Ok(()),
        Some(_) => Err(StoreError::ConsentRevoked),
        // Of a household that revoked, or not there.
        None => {
            let sql = "SELECT FROM measurement_device WHERE uuid = $1";
            let known = tx.query_opt(sql, &[&device]).await?;
            Err(known.map_or(StoreError::NotFound, |_| StoreError::ConsentRevoked))
        }
    }
}

async fn report(
    client: &mut Client,
    device: Uuid,
    update: &DeviceUpdate,
    at: Timestamp,
) -> Result<UpdateWish, StoreError> {
    let tx = client.transaction().await?;
    // A revocation waits until this is stored, and then deletes it.
    hold_device(&tx, device).await?;
    let statement = tx
        .prepare_cached(
            "INSERT INTO device_update (device, reported_at, managed, pinned, phase, kept,
                 reverted_version, reverted_reason, hindrance)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (device) DO UPDATE SET reported_at = $2, managed = $3, pinned = $4,
                 phase = $5, kept = $6, reverted_version = $7, reverted_reason = $8,
                 hindrance = $9",
        )
        .await?;
    let reverted = update.reverted.as_ref();
    tx.execute(
        &statement,
        &[
            &device,
            &Instant(at),
            &update.managed.name(),
            &update.pinned,
            &update.phase.name(),
            &update.kept,
            &reverted.map(|reverted| &reverted.version),
            &reverted.map(|reverted| &reverted.reason),
            &update.hindrance,
        ],
    )
    .await?;
    let Some(rollout) = latest(&tx).await? else {
        tx.commit().await?;
        return Ok(UpdateWish::ANY);
    };
    let statement = tx
        .prepare_cached(
            "SELECT taken_at IS NOT NULL FROM rollout_device
             WHERE rollout = $1 AND device = $2 AND offered_at IS NOT NULL AND NOT is_set_aside",
        )
        .await?;
    let offered = tx.query_opt(&statement, &[&rollout.uuid, &device]).await?;
    let taken = offered.map(|row| row.try_get::<_, bool>(0)).transpose()?;
    let wish = wish_of_device(&rollout, taken);
    if taken == Some(false) && wish.version.is_some() {
        // Only while the roll-out is as it was seen: a halt in between offers nothing.
        let statement = tx
            .prepare_cached(
                "UPDATE rollout_device SET taken_at = $3 WHERE rollout = $1 AND device = $2
                     AND EXISTS (SELECT FROM rollout WHERE uuid = $1 AND revision = $4 FOR SHARE)",
            )
            .await?;
        let revision = number(rollout.revision);
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&rollout.uuid, &device, &Instant(at), &revision];
        if tx.execute(&statement, &values).await? == 0 {
            tx.commit().await?;
            return Ok(UpdateWish::STAY);
        }
    }
    tx.commit().await?;
    Ok(wish)
}

async fn begin(
    client: &mut Client,
    uuid: Uuid,
    new: &NewRollout,
    by: &str,
    at: Timestamp,
) -> Result<Rollout, StoreError> {
    let tx = client.transaction().await?;
    let (steps, soak) = plan(new)?;
    let begun = tx
        .execute(
            "INSERT INTO rollout (uuid, version, steps, soak, state, step, step_since, revision,
                 created_at)
             VALUES ($1, $2, $3, $4, 'running', 0, $5, 1, $5) ON CONFLICT DO NOTHING",
            &[&uuid, &new.version, &steps, &soak, &Instant(at)],
        )
        .await?;
    if begun == 0 {
        let state = latest(&tx).await?.map_or(RolloutState::Running, |rollout| rollout.state);
        return Err(StoreError::RolloutState(state));
    }
    let mut first = new.first.clone();
    first.sort_unstable();
    for device in first {
        hold_device(&tx, device).await?;
        let sql = "INSERT INTO rollout_device (rollout, device, is_first) VALUES ($1, $2, true)";
        tx.execute(sql, &[&uuid, &device]).await?;
    }
    record(&tx, (uuid, 1), ("running", 0), Some(by), at).await?;
    let rollout = latest(&tx).await?.ok_or(StoreError::NotFound)?;
    tx.commit().await?;
    Ok(rollout)
}

async fn record(
    tx: &Transaction<'_>,
    (rollout, revision): (Uuid, i64),
    (state, step): (&str, i64),
    by: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO rollout_event (rollout, revision, at, state, step, by)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &[&rollout, &revision, &Instant(at), &state, &step, &by],
    )
    .await?;
    Ok(())
}

fn read(row: &Row) -> Result<Rollout, StoreError> {
    let (Instant(step_since), Instant(created_at)) = (row.try_get(7)?, row.try_get(9)?);
    let row = RolloutRow {
        uuid: row.try_get(0)?,
        version: row.try_get(1)?,
        steps: row.try_get(2)?,
        soak: row.try_get(3)?,
        state: row.try_get(4)?,
        halt: row.try_get(5)?,
        step: row.try_get(6)?,
        step_since,
        revision: row.try_get(8)?,
        created_at,
    };
    row.read()
}

async fn latest(db: &impl GenericClient) -> Result<Option<Rollout>, StoreError> {
    let sql = format!(
        "SELECT {ROLLOUT_COLUMNS} FROM rollout ORDER BY created_at DESC, uuid DESC LIMIT 1"
    );
    let statement = db.prepare_cached(&sql).await?;
    db.query_opt(&statement, &[]).await?.as_ref().map(read).transpose()
}

async fn list(db: &Client, query: ListQuery) -> Result<ListPage<Rollout>, StoreError> {
    let (at, uuid, limit) = bounds(query);
    let sql = format!(
        "SELECT {ROLLOUT_COLUMNS} FROM rollout WHERE (created_at, uuid) > ($1, $2)
         ORDER BY created_at, uuid LIMIT $3"
    );
    let statement = db.prepare_cached(&sql).await?;
    let rows = db.query(&statement, &[&at, &uuid, &limit]).await?;
    let found = rows.iter().map(|row| {
        let rollout = read(row)?;
        let registered_at = rollout.created_at.as_microsecond();
        Ok((ListCursor { registered_at, uuid: rollout.uuid }, rollout))
    });
    Ok(page(query, found.collect::<Result<_, StoreError>>()?))
}

async fn view(db: &Client, uuid: Uuid) -> Result<RolloutView, StoreError> {
    let sql = format!("SELECT {ROLLOUT_COLUMNS} FROM rollout WHERE uuid = $1");
    let statement = db.prepare_cached(&sql).await?;
    let row = db.query_opt(&statement, &[&uuid]).await?.ok_or(StoreError::NotFound)?;
    let statement = db.prepare_cached(FACTS).await?;
    let rows = db.query(&statement, &[&uuid]).await?;
    let facts = rows.iter().map(read_facts).collect::<Result<_, _>>()?;
    // Read first: a change in between is found when it is written.
    Ok(RolloutView { rollout: read(&row)?, facts, events: events(db, uuid).await? })
}

fn read_facts(row: &Row) -> Result<RolloutFacts, StoreError> {
    let at =
        |column: usize| row.try_get(column).map(|at: Option<Instant>| at.map(|Instant(at)| at));
    let update = match at(3)? {
        None => None,
        Some(reported_at) => Some(
            UpdateRow {
                reported_at,
                managed: row.try_get(4)?,
                pinned: row.try_get(5)?,
                phase: row.try_get(6)?,
                kept: row.try_get(7)?,
                reverted_version: row.try_get(8)?,
                reverted_reason: row.try_get(9)?,
                hindrance: row.try_get(10)?,
            }
            .read()?,
        ),
    };
    let offer = match (row.try_get::<_, Option<i64>>(12)?, at(13)?) {
        (Some(step), Some(offered_at)) => Some(RolloutOffer {
            step: u8::try_from(step).map_err(|_| StoreError::Damaged("roll-out"))?,
            offered_at,
            was_regular: row.try_get(14)?,
            taken_at: at(15)?,
            over_at: at(16)?,
            set_aside: row.try_get(17)?,
            excused: row.try_get(18)?,
        }),
        _ => None,
    };
    Ok(RolloutFacts {
        device: row.try_get(0)?,
        is_first: row.try_get(11)?,
        last_report: at(1)?,
        running: row.try_get(2)?,
        update,
        offer,
    })
}

async fn events(db: &Client, uuid: Uuid) -> Result<Vec<RolloutEvent>, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT revision, at, state, step, by FROM rollout_event
             WHERE rollout = $1 ORDER BY revision DESC LIMIT $2",
        )
        .await?;
    let rows = db.query(&statement, &[&uuid, &EVENTS_SHOWN]).await?;
    let read = |row: &Row| {
        let (Instant(at), state): (_, &str) = (row.try_get(1)?, row.try_get(2)?);
        event((row.try_get(0)?, at, state, row.try_get(3)?), row.try_get(4)?)
    };
    rows.iter().map(read).collect()
}

async fn store(
    client: &mut Client,
    (uuid, revision): (Uuid, u64),
    mut write: RolloutWrite,
    by: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let revision = number(revision);
    let tx = client.transaction().await?;
    // Another change waits until this one is stored, and then finds another revision.
    let held = tx
        .query_opt(
            "SELECT step FROM rollout WHERE uuid = $1 AND revision = $2 FOR UPDATE",
            &[&uuid, &revision],
        )
        .await?;
    let step: i64 = held.ok_or(StoreError::Changed)?.try_get(0)?;
    if !write.offer.is_empty() {
        // A revocation of one of them waits, or is waited for: then its device has no consent below.
        write.offer.sort_unstable();
        let devices: Vec<Uuid> = write.offer.iter().map(|(device, _)| *device).collect();
        let sql = "SELECT FROM measurement_device WHERE uuid = ANY($1) ORDER BY uuid
                   FOR KEY SHARE";
        tx.query(sql, &[&devices]).await?;
    }
    for (device, was_regular) in &write.offer {
        tx.execute(
            "INSERT INTO rollout_device (rollout, device, step, offered_at, was_regular)
             SELECT $1, device, $3, $4, $5 FROM fleet_device WHERE device = $2 AND consent = 1
             ON CONFLICT (rollout, device) DO UPDATE SET step = $3, offered_at = $4,
                 was_regular = $5",
            &[&uuid, device, &step, &Instant(at), was_regular],
        )
        .await?;
    }
    for (devices, set) in [
        (&write.over, "over_at = $3"),
        (&write.set_aside, "is_set_aside = $3::timestamptz IS NOT NULL"),
        (&write.excuse, "is_excused = $3::timestamptz IS NOT NULL"),
    ] {
        let sql =
            format!("UPDATE rollout_device SET {set} WHERE rollout = $1 AND device = ANY($2)");
        if !devices.is_empty() {
            tx.execute(&sql, &[&uuid, devices, &Instant(at)]).await?;
        }
    }
    if write.readmit {
        tx.execute(
            "UPDATE rollout_device SET step = NULL, offered_at = NULL, taken_at = NULL,
                 over_at = NULL, is_set_aside = false, is_excused = false
             WHERE rollout = $1 AND is_set_aside",
            &[&uuid],
        )
        .await?;
    }
    if let Some(place) = write.place.map(StoredPlace::from) {
        tx.execute(
            "UPDATE rollout SET state = $2, halt = $3, step = $4, step_since = $5,
                 revision = revision + 1
             WHERE uuid = $1",
            &[&uuid, &place.state, &place.halt, &place.step, &Instant(place.step_since)],
        )
        .await?;
        record(&tx, (uuid, revision + 1), (place.state, place.step), by, at).await?;
    }
    tx.commit().await?;
    Ok(())
}
