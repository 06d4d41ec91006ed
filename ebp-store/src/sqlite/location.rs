//! Locations of households: true ones, masked ones, and those of households that are withheld.

use ebp_anon::Position;
use ebp_core::model::{Location, Precision};
use rusqlite::{Transaction, params};
use uuid::Uuid;

use super::value::Id;
use crate::{StoreError, revoked::region};

/// Stores a true location.
pub fn put_location(
    tx: &Transaction<'_>,
    household: Uuid,
    location: &Location,
) -> Result<(), StoreError> {
    let precision = location.precision.unwrap_or(Precision::Entered).name();
    tx.execute(
        "INSERT INTO location (household, latitude, longitude, precision) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (household)
             DO UPDATE SET latitude = ?2, longitude = ?3, precision = ?4",
        params![Id(household), location.latitude, location.longitude, precision],
    )?;
    Ok(())
}

/// Stores the household's one masked location.
pub fn put_masked(tx: &Transaction<'_>, id: Id, masked: &Location) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO location (household, latitude, longitude, masked, nuts3)
         VALUES (?1, ?2, ?3, 1, ?4)",
        params![id, masked.latitude, masked.longitude, region(masked)],
    )?;
    Ok(())
}

/// Withholds the household, and stores its true location where it is not shown.
pub fn withhold(tx: &Transaction<'_>, id: Id, origin: Option<Position>) -> Result<(), StoreError> {
    tx.execute("UPDATE household SET withheld = 1 WHERE uuid = ?1", [id])?;
    let (latitude, longitude) = (origin.map(Position::latitude), origin.map(Position::longitude));
    tx.execute(
        "INSERT INTO withheld_location (household, latitude, longitude) VALUES (?1, ?2, ?3)",
        params![id, latitude, longitude],
    )?;
    Ok(())
}

/// Masks a household that was withheld, and makes it visible again.
pub fn settle(tx: &Transaction<'_>, id: Id, masked: &Location) -> Result<(), StoreError> {
    put_masked(tx, id, masked)?;
    tx.execute("DELETE FROM withheld_location WHERE household = ?1", [id])?;
    tx.execute("UPDATE household SET withheld = 0 WHERE uuid = ?1", [id])?;
    Ok(())
}
