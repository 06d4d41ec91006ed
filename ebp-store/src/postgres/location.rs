//! Locations of households: true ones, masked ones, and those of households that are withheld.

use deadpool_postgres::{GenericClient, Transaction};
use ebp_anon::Position;
use ebp_core::model::{Location, Precision};
use uuid::Uuid;

use crate::{StoreError, revoked::region};

/// Stores a true location.
pub async fn put_location(
    tx: &Transaction<'_>,
    household: Uuid,
    location: &Location,
) -> Result<(), StoreError> {
    let precision = location.precision.unwrap_or(Precision::Entered).name();
    tx.execute(
        "INSERT INTO location (household, latitude, longitude, precision) VALUES ($1, $2, $3, $4)
         ON CONFLICT (household)
             DO UPDATE SET latitude = $2, longitude = $3, precision = $4",
        &[&household, &location.latitude, &location.longitude, &precision],
    )
    .await?;
    Ok(())
}

/// Stores the household's one masked location.
pub async fn put_masked(
    tx: &Transaction<'_>,
    household: Uuid,
    masked: &Location,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO location (household, latitude, longitude, masked, nuts3)
         VALUES ($1, $2, $3, true, $4)",
        &[&household, &masked.latitude, &masked.longitude, &region(masked)],
    )
    .await?;
    Ok(())
}

/// Withholds the household, and stores its true location where it is not shown.
pub async fn withhold(
    tx: &Transaction<'_>,
    household: Uuid,
    origin: Option<Position>,
) -> Result<(), StoreError> {
    tx.execute("UPDATE household SET withheld = true WHERE uuid = $1", &[&household]).await?;
    let (latitude, longitude) = (origin.map(Position::latitude), origin.map(Position::longitude));
    tx.execute(
        "INSERT INTO withheld_location (household, latitude, longitude) VALUES ($1, $2, $3)",
        &[&household, &latitude, &longitude],
    )
    .await?;
    Ok(())
}

/// Masks a household that was withheld, and makes it visible again.
pub async fn settle(
    tx: &Transaction<'_>,
    household: Uuid,
    masked: &Location,
) -> Result<(), StoreError> {
    tx.execute("DELETE FROM withheld_location WHERE household = $1", &[&household]).await?;
    put_masked(tx, household, masked).await?;
    tx.execute("UPDATE household SET withheld = false WHERE uuid = $1", &[&household]).await?;
    Ok(())
}
