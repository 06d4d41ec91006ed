//! Removing what was registered by mistake. What has measurements stays.

use deadpool_postgres::Transaction;
use uuid::Uuid;

use super::change::{members, require_open};
use crate::store::{HouseholdId, StoreError};

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

/// Removes a device with what it told and its one-time tokens; no device reads its meters then.
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
            // Order and limit keep it a look into the partitions' indexes for each meter: EXISTS by
            // itself would read them whole.
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
