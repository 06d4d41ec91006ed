//! The household of a device, and whether it takes part.

use deadpool_postgres::{GenericClient, Transaction};
use uuid::Uuid;

use crate::{HouseholdId, StoreError};

/// Checks that the device exists and its household's consent is not revoked.
pub async fn require_device(tx: &Transaction<'_>, device: Uuid) -> Result<(), StoreError> {
    let row = tx
        .query_opt(
            "SELECT consent.household IS NULL OR consent.revoked_at IS NOT NULL
             FROM measurement_device LEFT JOIN consent USING (household)
             WHERE measurement_device.uuid = $1",
            &[&device],
        )
        .await?
        .ok_or(StoreError::NotFound)?;
    if row.try_get(0)? { Err(StoreError::ConsentRevoked) } else { Ok(()) }
}

/// The household that the device stands in, unless it revoked its consent.
pub async fn household_of(
    db: &impl GenericClient,
    device: Uuid,
) -> Result<HouseholdId, StoreError> {
    let statement =
        db.prepare_cached("SELECT household FROM measurement_device WHERE uuid = $1").await?;
    let row = db.query_opt(&statement, &[&device]).await?.ok_or(StoreError::NotFound)?;
    let household: Option<Uuid> = row.try_get(0)?;
    household.map(HouseholdId).ok_or(StoreError::ConsentRevoked)
}
