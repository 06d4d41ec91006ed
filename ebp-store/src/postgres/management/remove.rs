//! Removes what was registered by mistake. Anything that has measurements stays.

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    super::{certificate, job::erase},
    change::{members, require_open},
};
use crate::{HouseholdId, StoreError, change::may_remove_household};

/// Removes a household with all that belongs to it, and records that the removed values have to be
/// erased from the tables' files.
pub async fn household(
    tx: &Transaction<'_>,
    id: HouseholdId,
    at: Timestamp,
) -> Result<(), StoreError> {
    // The participants are locked first, because erasure, which rewrites the tables, waits for
    // them.
    tx.batch_execute("LOCK TABLE participant, address, location, pv_system IN ROW EXCLUSIVE MODE")
        .await?;
    hold(tx, id).await?;
    may_remove_household(&measured(tx, id).await?)?;
    let row = tx.query_one("SELECT participant FROM household WHERE uuid = $1", &[&id.0]).await?;
    let participant: i64 = row.try_get(0)?;
    let subjects = erase::subjects(tx, id).await?;
    // Certificates that are being registered, and incidents that are being reported, are waited for.
    tx.execute("SELECT FROM measurement_device WHERE household = $1 FOR UPDATE", &[&id.0]).await?;
    let meters =
        tx.query("SELECT uuid FROM meter WHERE household = $1 FOR UPDATE", &[&id.0]).await?;
    for row in meters {
        let meter: Uuid = row.try_get(0)?;
        tx.execute("DELETE FROM incident WHERE meter = $1", &[&meter]).await?;
    }
    certificate::revoke_household(tx, id, at).await?;
    for sql in [
        // Before its meters: the database checks that they have no measurements.
        "DELETE FROM consent WHERE household = $1",
        "UPDATE certificate SET device = NULL
         WHERE device IN (SELECT uuid FROM measurement_device WHERE household = $1)",
        "DELETE FROM enrolment
         WHERE device IN (SELECT uuid FROM measurement_device WHERE household = $1)",
        "DELETE FROM pv_system WHERE household = $1",
        "DELETE FROM meter WHERE household = $1",
        "DELETE FROM measurement_device WHERE household = $1",
        "DELETE FROM address WHERE household = $1",
        "DELETE FROM location WHERE household = $1",
        "DELETE FROM metadata WHERE household = $1",
        "DELETE FROM household WHERE uuid = $1",
    ] {
        tx.execute(sql, &[&id.0]).await?;
    }
    tx.execute(
        "DELETE FROM participant WHERE id = $1
             AND NOT EXISTS (SELECT FROM household WHERE participant = $1)",
        &[&participant],
    )
    .await?;
    erase::erase(tx, &subjects).await?;
    tx.execute("INSERT INTO erasure_due DEFAULT VALUES", &[]).await?;
    Ok(())
}

/// Removes a meter with its incidents.
pub async fn meter(tx: &Transaction<'_>, id: HouseholdId, uuid: Uuid) -> Result<(), StoreError> {
    hold(tx, id).await?;
    let measured = measured(tx, id).await?;
    members(tx, id).await?.may_remove_meter(uuid, &measured)?;
    // Incidents that are being reported are waited for, and go with it.
    tx.execute("SELECT FROM meter WHERE uuid = $1 FOR UPDATE", &[&uuid]).await?;
    tx.execute("DELETE FROM incident WHERE meter = $1", &[&uuid]).await?;
    tx.execute("DELETE FROM meter WHERE uuid = $1", &[&uuid]).await?;
    Ok(())
}

/// Removes a photovoltaic system.
pub async fn pv_system(
    tx: &Transaction<'_>,
    id: HouseholdId,
    uuid: Uuid,
) -> Result<(), StoreError> {
    hold(tx, id).await?;
    let measured = measured(tx, id).await?;
    members(tx, id).await?.may_remove_pv_system(uuid, &measured)?;
    tx.execute("DELETE FROM pv_system WHERE uuid = $1", &[&uuid]).await?;
    Ok(())
}

/// Removes a device with its status and its one-time tokens; no device reads its meters then.
pub async fn device(tx: &Transaction<'_>, uuid: Uuid) -> Result<(), StoreError> {
    let row = tx
        .query_opt("SELECT household FROM measurement_device WHERE uuid = $1", &[&uuid])
        .await?
        .ok_or(StoreError::NotFound)?;
    let household: Option<Uuid> = row.try_get(0)?;
    let id = HouseholdId(household.ok_or(StoreError::ConsentRevoked)?);
    hold(tx, id).await?;
    // A certificate that is being registered for it is waited for.
    tx.execute("SELECT FROM measurement_device WHERE uuid = $1 FOR UPDATE", &[&uuid]).await?;
    let certified =
        tx.query_one("SELECT EXISTS (SELECT FROM certificate WHERE device = $1)", &[&uuid]).await?;
    let measured = measured(tx, id).await?;
    members(tx, id).await?.may_remove_device(uuid, &measured, certified.try_get(0)?)?;
    tx.execute(
        "UPDATE meter SET measurement_device = NULL WHERE measurement_device = $1",
        &[&uuid],
    )
    .await?;
    tx.execute("DELETE FROM enrolment WHERE device = $1", &[&uuid]).await?;
    tx.execute("DELETE FROM measurement_device WHERE uuid = $1", &[&uuid]).await?;
    Ok(())
}

/// The household's consent is not revoked. Uploads that are under way are waited for, so that
/// none brings a measurement of what is removed meanwhile.
async fn hold(tx: &Transaction<'_>, id: HouseholdId) -> Result<(), StoreError> {
    tx.execute("SELECT FROM consent WHERE household = $1 FOR UPDATE", &[&id.0]).await?;
    tx.execute("SELECT pg_advisory_xact_lock(consent_lock($1))", &[&id.0]).await?;
    require_open(tx, id).await
}

/// The household's meters that have measurements.
pub async fn measured(tx: &Transaction<'_>, id: HouseholdId) -> Result<Vec<Uuid>, StoreError> {
    let statement = tx
        .prepare_cached(
            // Order and limit keep it a look into the partitions' indexes for each meter: EXISTS
            // alone would read them completely.
            "SELECT uuid FROM meter WHERE household = $1 AND coalesce(
                 (SELECT true FROM measurement AS kept
                  WHERE kept.meter = meter.number AND kept.uuid IS NULL
                  ORDER BY slot LIMIT 1),
                 (SELECT true FROM measurement AS kept
                  WHERE kept.meter = meter.number AND kept.uuid IS NOT NULL
                  ORDER BY slot LIMIT 1),
                 false
             )",
        )
        .await?;
    let rows = tx.query(&statement, &[&id.0]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}
