//! Devices of all households, as administrators see them.

use deadpool_postgres::{Client, Transaction};
use ebp_core::contract::{Components, ManagedDevice};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    super::{
        incident::require_meter,
        list_page::{bounds, page},
        status,
        value::Instant,
    },
    change::require_open,
};
use crate::{
    DeviceCounts, HouseholdId, ListCursor, ListPage, ListQuery, StoreError, change::must_be_there,
    status::StoredStatus,
};

/// Adds a device that reads those meters from now on.
pub async fn add(
    tx: &Transaction<'_>,
    id: HouseholdId,
    meters: &[Uuid],
) -> Result<Uuid, StoreError> {
    require_open(tx, id).await?;
    let device = Uuid::new_v4();
    tx.execute(
        "INSERT INTO measurement_device (uuid, household) VALUES ($1, $2)",
        &[&device, &id.0],
    )
    .await?;
    read_from_now_on(tx, id, device, meters).await?;
    Ok(device)
}

/// Sets the meters that the device reads from now on.
pub async fn change(tx: &Transaction<'_>, device: Uuid, meters: &[Uuid]) -> Result<(), StoreError> {
    let row = tx
        .query_opt("SELECT household FROM measurement_device WHERE uuid = $1", &[&device])
        .await?
        .ok_or(StoreError::NotFound)?;
    let household: Option<Uuid> = row.try_get(0)?;
    let id = HouseholdId(household.ok_or(StoreError::ConsentRevoked)?);
    require_open(tx, id).await?;
    tx.execute(
        "UPDATE meter SET measurement_device = NULL
         WHERE measurement_device = $1 AND uuid <> ALL ($2)",
        &[&device, &meters],
    )
    .await?;
    read_from_now_on(tx, id, device, meters).await
}

async fn read_from_now_on(
    tx: &Transaction<'_>,
    id: HouseholdId,
    device: Uuid,
    meters: &[Uuid],
) -> Result<(), StoreError> {
    for meter in meters {
        require_meter(tx, id, *meter).await?;
        let read = tx
            .execute(
                "UPDATE meter SET measurement_device = $2 WHERE uuid = $1 AND removed_at IS NULL",
                &[meter, &device],
            )
            .await?;
        must_be_there(usize::try_from(read).unwrap_or_default())?;
    }
    Ok(())
}

/// All devices.
pub async fn list(db: &Client, query: ListQuery) -> Result<ListPage<ManagedDevice>, StoreError> {
    let (at, uuid, limit) = bounds(query);
    let statement = db
        .prepare_cached(
            "SELECT device.uuid, household, last_activity,
                    ARRAY(SELECT meter.uuid FROM meter
                          WHERE meter.measurement_device = device.uuid ORDER BY position),
                    last_report, name, registered_at
             FROM household JOIN measurement_device AS device ON household = household.uuid
             LEFT JOIN participant ON participant.id = household.participant
             WHERE (registered_at, device.uuid) > ($1, $2) AND registered_at >= $1
             ORDER BY registered_at, device.uuid LIMIT $3",
        )
        .await?;
    let placed = |row: &Row| {
        let (device, Instant(registered_at)) = (device(row)?, row.try_get(6)?);
        let registered_at = registered_at.as_microsecond();
        Ok((ListCursor { registered_at, uuid: device.uuid }, device))
    };
    let rows = db.query(&statement, &[&at, &uuid, &limit]).await?;
    let mut page = page(query, rows.iter().map(placed).collect::<Result<_, StoreError>>()?);
    add_told(db, &mut page.items).await?;
    Ok(page)
}

/// One device.
pub async fn show(db: &Client, uuid: Uuid) -> Result<ManagedDevice, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT device.uuid, household, last_activity,
                    ARRAY(SELECT meter.uuid FROM meter
                          WHERE meter.measurement_device = device.uuid
                          ORDER BY position),
                    last_report, name
             FROM measurement_device AS device
             LEFT JOIN household ON household.uuid = device.household
             LEFT JOIN participant ON participant.id = household.participant
             WHERE device.uuid = $1",
        )
        .await?;
    let row = db.query_opt(&statement, &[&uuid]).await?.ok_or(StoreError::NotFound)?;
    let household: Option<Uuid> = row.try_get(1)?;
    household.ok_or(StoreError::ConsentRevoked)?;
    let mut device = device(&row)?;
    add_told(db, std::slice::from_mut(&mut device)).await?;
    Ok(device)
}

/// The number of devices in each state.
pub async fn counts(db: &Client, reported_since: Timestamp) -> Result<DeviceCounts, StoreError> {
    let row = db
        .query_one(
            "SELECT count(*) FILTER (WHERE consent < 2 AND last_report >= $1),
                    count(*) FILTER (WHERE consent < 2 AND last_report < $1),
                    count(*) FILTER (WHERE consent < 2 AND last_report IS NULL),
                    count(*) FILTER (WHERE consent = 2),
                    count(*) FILTER (WHERE consent < 2 AND last_report >= $1 AND clock_wrong)
             FROM fleet_device",
            &[&Instant(reported_since)],
        )
        .await?;
    let count = |place: usize| Ok::<_, StoreError>(row.try_get::<_, i64>(place)?.unsigned_abs());
    Ok(DeviceCounts {
        active: count(0)?,
        silent: count(1)?,
        never: count(2)?,
        revoked: count(3)?,
        clock_wrong: count(4)?,
    })
}

/// Adds the devices' reported status.
async fn add_told(db: &Client, devices: &mut [ManagedDevice]) -> Result<(), StoreError> {
    let uuids: Vec<Uuid> = devices.iter().map(|device| device.uuid).collect();
    let mut told = status::of_devices(db, &uuids).await?;
    for device in devices {
        let StoredStatus { components, health } = told.remove(&device.uuid).unwrap_or_default();
        (device.components, device.health) = (components, health);
    }
    Ok(())
}

fn device(row: &Row) -> Result<ManagedDevice, StoreError> {
    let (last_activity, last_report): (Option<Instant>, Option<Instant>) =
        (row.try_get(2)?, row.try_get(4)?);
    Ok(ManagedDevice {
        uuid: row.try_get(0)?,
        household: row.try_get(1)?,
        components: Components::new(),
        last_activity: last_activity.map(|at| at.0),
        last_report: last_report.map(|at| at.0),
        participant: row.try_get(5)?,
        meters: row.try_get(3)?,
        health: None,
    })
}
