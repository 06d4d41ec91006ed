//! Removes what was registered by mistake. Anything that has measurements stays.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};
use uuid::Uuid;

use super::{
    super::{certificate, device::household_of, job::erase, value::Id},
    change::{members, require_open},
};
use crate::{HouseholdId, StoreError, change::may_remove_household};

/// Removes a household with all that belongs to it.
pub fn household(tx: &Transaction<'_>, id: HouseholdId, at: Timestamp) -> Result<(), StoreError> {
    require_open(tx, id)?;
    may_remove_household(&measured(tx, id)?)?;
    erase::erase(tx, &erase::subjects(tx, id)?)?;
    let household = Id(id.0);
    let participant: i64 =
        tx.query_row("SELECT participant FROM household WHERE uuid = ?1", [household], |row| {
            row.get(0)
        })?;
    certificate::revoke_household(tx, id, at)?;
    for sql in [
        // Before its meters: the database checks that they have no measurements.
        "DELETE FROM consent WHERE household = ?1",
        "UPDATE certificate SET device = NULL
         WHERE device IN (SELECT uuid FROM measurement_device WHERE household = ?1)",
        "DELETE FROM enrolment
         WHERE device IN (SELECT uuid FROM measurement_device WHERE household = ?1)",
        "DELETE FROM incident WHERE meter IN (SELECT uuid FROM meter WHERE household = ?1)",
        "DELETE FROM pv_system WHERE household = ?1",
        "DELETE FROM meter WHERE household = ?1",
        "DELETE FROM measurement_device WHERE household = ?1",
        "DELETE FROM address WHERE household = ?1",
        "DELETE FROM location WHERE household = ?1",
        "DELETE FROM metadata WHERE household = ?1",
        "DELETE FROM household WHERE uuid = ?1",
    ] {
        tx.execute(sql, [household])?;
    }
    tx.execute(
        "DELETE FROM participant WHERE id = ?1
             AND NOT EXISTS (SELECT 1 FROM household WHERE participant = ?1)",
        [participant],
    )?;
    Ok(())
}

/// Removes a meter with its incidents.
pub fn meter(tx: &Transaction<'_>, id: HouseholdId, uuid: Uuid) -> Result<(), StoreError> {
    require_open(tx, id)?;
    members(tx, id)?.may_remove_meter(uuid, &measured(tx, id)?)?;
    tx.execute("DELETE FROM incident WHERE meter = ?1", [Id(uuid)])?;
    tx.execute("DELETE FROM meter WHERE uuid = ?1", [Id(uuid)])?;
    Ok(())
}

/// Removes a photovoltaic system.
pub fn pv_system(tx: &Transaction<'_>, id: HouseholdId, uuid: Uuid) -> Result<(), StoreError> {
    require_open(tx, id)?;
    members(tx, id)?.may_remove_pv_system(uuid, &measured(tx, id)?)?;
    tx.execute("DELETE FROM pv_system WHERE uuid = ?1", [Id(uuid)])?;
    Ok(())
}

/// Removes a device with its status and its one-time tokens; no device reads its meters then.
pub fn device(tx: &Transaction<'_>, uuid: Uuid) -> Result<(), StoreError> {
    let id = household_of(tx, uuid)?;
    require_open(tx, id)?;
    let certified: bool = tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM certificate WHERE device = ?1)",
        [Id(uuid)],
        |row| row.get(0),
    )?;
    members(tx, id)?.may_remove_device(uuid, &measured(tx, id)?, certified)?;
    tx.execute(
        "UPDATE meter SET measurement_device = NULL WHERE measurement_device = ?1",
        [Id(uuid)],
    )?;
    tx.execute("DELETE FROM enrolment WHERE device = ?1", [Id(uuid)])?;
    tx.execute("DELETE FROM measurement_device WHERE uuid = ?1", [Id(uuid)])?;
    Ok(())
}

/// The household's meters that have measurements.
pub fn measured(db: &Connection, id: HouseholdId) -> Result<Vec<Uuid>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT uuid FROM meter WHERE household = ?1
                 AND EXISTS (SELECT 1 FROM measurement WHERE measurement.meter = meter.number)",
        )?
        .query_map([Id(id.0)], |row| row.get(0).map(|Id(uuid)| uuid))?
        .collect::<Result<_, _>>()?)
}
