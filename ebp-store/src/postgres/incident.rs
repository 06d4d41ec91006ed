//! Incidents of meters.

use deadpool_postgres::{Client, GenericClient};
use ebp_core::model::{Incident, IncidentType};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{store_error::or_gone, value::Instant};
use crate::{HouseholdId, StoreError};

/// The meter's incidents, by type.
pub async fn list(
    db: &Client,
    household: HouseholdId,
    meter: Uuid,
) -> Result<Vec<Incident>, StoreError> {
    require_meter(db, household, meter).await?;
    of_meter(db, meter).await
}

/// The incidents of a meter that is known to be there.
pub async fn of_meter(db: &Client, meter: Uuid) -> Result<Vec<Incident>, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT type, reported_at, resolved_at FROM incident
             WHERE meter = $1 ORDER BY type COLLATE \"C\"",
        )
        .await?;
    db.query(&statement, &[&meter]).await?.iter().map(from_row).collect()
}

/// Those that had ended when another one of their type began.
pub async fn past(
    db: &Client,
    household: HouseholdId,
    meter: Uuid,
) -> Result<Vec<Incident>, StoreError> {
    require_meter(db, household, meter).await?;
    let statement = db
        .prepare_cached(
            "SELECT type, reported_at, resolved_at FROM incident_episode
             WHERE meter = $1 ORDER BY reported_at, type",
        )
        .await?;
    db.query(&statement, &[&meter]).await?.iter().map(from_row).collect()
}

/// Opens the incident, unless it is open.
pub async fn report(
    db: &Client,
    household: HouseholdId,
    meter: Uuid,
    kind: IncidentType,
    at: Timestamp,
) -> Result<Incident, StoreError> {
    require_meter(db, household, meter).await?;
    let statement = db
        .prepare_cached(
            "INSERT INTO incident (meter, type, reported_at) VALUES ($1, $2, $3)
             ON CONFLICT (meter, type) DO UPDATE SET reported_at = $3, resolved_at = NULL
                 WHERE incident.resolved_at IS NOT NULL",
        )
        .await?;
    let incident = db.execute(&statement, &[&meter, &kind.to_string(), &Instant(at)]).await;
    incident.map_err(or_gone)?;
    one(db, meter, kind).await
}

/// Ends the incident, unless it has ended.
pub async fn resolve(
    db: &Client,
    household: HouseholdId,
    meter: Uuid,
    kind: IncidentType,
    at: Timestamp,
) -> Result<Incident, StoreError> {
    require_meter(db, household, meter).await?;
    // A clock that was set back in between must not keep it open.
    let statement = db
        .prepare_cached(
            "UPDATE incident SET resolved_at = greatest($3, reported_at)
             WHERE meter = $1 AND type = $2 AND resolved_at IS NULL",
        )
        .await?;
    db.execute(&statement, &[&meter, &kind.to_string(), &Instant(at)]).await?;
    one(db, meter, kind).await
}

async fn one(db: &Client, meter: Uuid, kind: IncidentType) -> Result<Incident, StoreError> {
    of_meter(db, meter)
        .await?
        .into_iter()
        .find(|incident| incident.kind == kind)
        .ok_or(StoreError::NotFound)
}

/// The household has that meter.
pub async fn require_meter(
    db: &impl GenericClient,
    household: HouseholdId,
    meter: Uuid,
) -> Result<(), StoreError> {
    let statement =
        db.prepare_cached("SELECT FROM meter WHERE uuid = $1 AND household = $2").await?;
    db.query_opt(&statement, &[&meter, &household.0]).await?.ok_or(StoreError::NotFound)?;
    Ok(())
}

/// From a row that begins with the type and the instants of reporting and resolving.
pub fn from_row(row: &Row) -> Result<Incident, StoreError> {
    let kind: &str = row.try_get(0)?;
    let reported_at: Instant = row.try_get(1)?;
    let resolved_at: Option<Instant> = row.try_get(2)?;
    Ok(Incident {
        kind: kind.parse().map_err(|_| StoreError::Damaged("incident"))?,
        reported_at: reported_at.0,
        resolved_at: resolved_at.map(|at| at.0),
    })
}
