//! The household of a device, and whether it takes part.

use rusqlite::{Connection, OptionalExtension, Transaction};
use uuid::Uuid;

use super::value::Id;
use crate::{HouseholdId, StoreError};

/// Checks that the device exists and its household's consent is not revoked.
pub fn require_device(tx: &Transaction<'_>, device: Uuid) -> Result<(), StoreError> {
    let revoked: Option<bool> = tx
        .query_row(
            "SELECT consent.household IS NULL OR consent.revoked_at IS NOT NULL
             FROM measurement_device LEFT JOIN consent USING (household)
             WHERE measurement_device.uuid = ?1",
            [Id(device)],
            |row| row.get(0),
        )
        .optional()?;
    match revoked {
        None => Err(StoreError::NotFound),
        Some(true) => Err(StoreError::ConsentRevoked),
        Some(false) => Ok(()),
    }
}

/// The household that the device stands in, unless it revoked its consent.
pub fn household_of(db: &Connection, device: Uuid) -> Result<HouseholdId, StoreError> {
    let found: Option<Option<Id>> = db
        .prepare_cached("SELECT household FROM measurement_device WHERE uuid = ?1")?
        .query_row([Id(device)], |row| row.get(0))
        .optional()?;
    let household = found.ok_or(StoreError::NotFound)?.ok_or(StoreError::ConsentRevoked)?;
    Ok(HouseholdId(household.0))
}
