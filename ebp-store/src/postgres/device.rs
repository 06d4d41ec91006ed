//! The household of a device, and whether it takes part.

use deadpool_postgres::Transaction;
use uuid::Uuid;

use crate::StoreError;

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
