//! Devices of all households, as administrators see them.

use ebp_core::contract::{Components, ManagedDevice};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::super::{
    device::household_of,
    incident::require_meter,
    list_page::{bounds, page},
    status,
    value::{Id, Instant},
};
use crate::{
    DeviceCounts, HouseholdId, ListCursor, ListPage, ListQuery, StoreError, change::must_be_there,
    status::StoredStatus,
};

/// Adds a device that reads those meters from now on.
pub fn add(tx: &Transaction<'_>, id: HouseholdId, meters: &[Uuid]) -> Result<Uuid, StoreError> {
    super::change::require_open(tx, id)?;
    let device = Uuid::new_v4();
    tx.execute(
        "INSERT INTO measurement_device (uuid, household) VALUES (?1, ?2)",
        [Id(device), Id(id.0)],
    )?;
    read_from_now_on(tx, id, device, meters)?;
    Ok(device)
}

/// Sets the meters that the device reads from now on.
pub fn change(tx: &Transaction<'_>, device: Uuid, meters: &[Uuid]) -> Result<(), StoreError> {
    let id = household_of(tx, device)?;
    super::change::require_open(tx, id)?;
    for meter in self::meters(tx, device)?.iter().filter(|meter| !meters.contains(meter)) {
        tx.execute("UPDATE meter SET measurement_device = NULL WHERE uuid = ?1", [Id(*meter)])?;
    }
    read_from_now_on(tx, id, device, meters)
}

fn read_from_now_on(
    tx: &Transaction<'_>,
    id: HouseholdId,
    device: Uuid,
    meters: &[Uuid],
) -> Result<(), StoreError> {
    for meter in meters {
        require_meter(tx, id, *meter)?;
        let read = tx.execute(
            "UPDATE meter SET measurement_device = ?2 WHERE uuid = ?1 AND removed_at IS NULL",
            [Id(*meter), Id(device)],
        )?;
        must_be_there(read)?;
    }
    Ok(())
}

/// All devices.
pub fn list(db: &Connection, query: ListQuery) -> Result<ListPage<ManagedDevice>, StoreError> {
    let (at, uuid, limit) = bounds(query);
    let rows: Vec<(ListCursor, ManagedDevice)> = db
        .prepare_cached(
            "SELECT device.uuid, household, last_activity, last_report, name, registered_at
             FROM household JOIN measurement_device AS device ON household = household.uuid
             LEFT JOIN participant ON participant.id = household.participant
             WHERE (registered_at, device.uuid) > (?1, ?2)
             ORDER BY registered_at, device.uuid LIMIT ?3",
        )?
        .query_map(params![at, uuid, limit], |row| {
            let device = device(row)?;
            let Instant(registered_at) = row.get(5)?;
            let place =
                ListCursor { registered_at: registered_at.as_microsecond(), uuid: device.uuid };
            Ok((place, device))
        })?
        .collect::<Result<_, _>>()?;
    let mut page = page(query, rows);
    for device in &mut page.items {
        complete(db, device)?;
    }
    Ok(page)
}

/// One device.
pub fn show(db: &Connection, uuid: Uuid) -> Result<ManagedDevice, StoreError> {
    household_of(db, uuid)?;
    let mut device = db
        .prepare_cached(
            "SELECT device.uuid, household, last_activity, last_report, name
             FROM measurement_device AS device
             LEFT JOIN household ON household.uuid = device.household
             LEFT JOIN participant ON participant.id = household.participant
             WHERE device.uuid = ?1",
        )?
        .query_row([Id(uuid)], device)
        .optional()?
        .ok_or(StoreError::NotFound)?;
    complete(db, &mut device)?;
    Ok(device)
}

/// The number of devices in each state.
pub fn counts(db: &Connection, reported_since: Timestamp) -> Result<DeviceCounts, StoreError> {
    let counts = db
        .prepare_cached(
            "SELECT count(*) FILTER (WHERE consent < 2 AND last_report >= ?1),
                    count(*) FILTER (WHERE consent < 2 AND last_report < ?1),
                    count(*) FILTER (WHERE consent < 2 AND last_report IS NULL),
                    count(*) FILTER (WHERE consent = 2),
                    count(*) FILTER (WHERE consent < 2 AND last_report >= ?1 AND clock_wrong)
             FROM fleet_device",
        )?
        .query_row([Instant(reported_since)], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?])
        })?;
    let [active, silent, never, revoked, clock_wrong] = counts.map(i64::unsigned_abs);
    Ok(DeviceCounts { active, silent, never, revoked, clock_wrong })
}

fn device(row: &Row<'_>) -> rusqlite::Result<ManagedDevice> {
    let (Id(uuid), Id(household)): (Id, Id) = (row.get(0)?, row.get(1)?);
    let (last_activity, last_report): (Option<Instant>, Option<Instant>) =
        (row.get(2)?, row.get(3)?);
    Ok(ManagedDevice {
        uuid,
        household,
        components: Components::new(),
        last_activity: last_activity.map(|at| at.0),
        last_report: last_report.map(|at| at.0),
        participant: row.get(4)?,
        meters: Vec::new(),
        health: None,
    })
}

/// Adds what other tables know of it.
fn complete(db: &Connection, device: &mut ManagedDevice) -> Result<(), StoreError> {
    device.meters = meters(db, device.uuid)?;
    let StoredStatus { components, health } = status::of_device(db, device.uuid)?;
    (device.components, device.health) = (components, health);
    Ok(())
}

fn meters(db: &Connection, device: Uuid) -> Result<Vec<Uuid>, StoreError> {
    Ok(db
        .prepare_cached("SELECT uuid FROM meter WHERE measurement_device = ?1 ORDER BY position")?
        .query_map([Id(device)], |row| row.get(0).map(|Id(uuid)| uuid))?
        .collect::<Result<_, _>>()?)
}
