//! The household of a device, whether it takes part, and when it spoke and reported.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::value::{Id, Instant};
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

/// Notes that a device spoke.
pub fn touch_device(tx: &Transaction<'_>, device: Uuid, at: Timestamp) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE measurement_device SET last_activity = ?2
         WHERE uuid = ?1 AND household IS NOT NULL",
    )?
    .execute(params![Id(device), Instant(at)])?;
    Ok(())
}

/// Notes that a device has reported.
pub fn note_report(tx: &Transaction<'_>, device: Uuid, at: Timestamp) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE measurement_device SET last_report = ?2 WHERE uuid = ?1 AND household IS NOT NULL",
    )?
    .execute(params![Id(device), Instant(at)])?;
    Ok(())
}
