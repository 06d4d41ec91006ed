//! Incidents of meters.

use ebp_core::model::{Incident, IncidentType};
use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};
use uuid::Uuid;

use super::value::{Id, Instant, Text};
use crate::{HouseholdId, StoreError};

/// The meter's incidents, by type.
pub fn list(
    db: &Connection,
    household: HouseholdId,
    meter: Uuid,
) -> Result<Vec<Incident>, StoreError> {
    require_meter(db, household, meter)?;
    of_meter(db, meter)
}

/// The incidents of a meter that is known to be there.
pub fn of_meter(db: &Connection, meter: Uuid) -> Result<Vec<Incident>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT type, reported_at, resolved_at FROM incident WHERE meter = ?1 ORDER BY type",
        )?
        .query_map([Id(meter)], incident)?
        .collect::<Result<_, _>>()?)
}

/// Those that had ended when another one of their type began.
pub fn past(
    db: &Connection,
    household: HouseholdId,
    meter: Uuid,
) -> Result<Vec<Incident>, StoreError> {
    require_meter(db, household, meter)?;
    Ok(db
        .prepare_cached(
            "SELECT type, reported_at, resolved_at FROM incident_episode
             WHERE meter = ?1 ORDER BY reported_at, type",
        )?
        .query_map([Id(meter)], incident)?
        .collect::<Result<_, _>>()?)
}

/// Opens the incident, unless it is open.
pub fn report(
    tx: &Transaction<'_>,
    household: HouseholdId,
    meter: Uuid,
    kind: IncidentType,
    at: Timestamp,
) -> Result<Incident, StoreError> {
    require_meter(tx, household, meter)?;
    tx.prepare_cached(
        "INSERT INTO incident (meter, type, reported_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (meter, type) DO UPDATE SET reported_at = ?3, resolved_at = NULL
             WHERE resolved_at IS NOT NULL",
    )?
    .execute(params![Id(meter), Text(kind), Instant(at)])?;
    one(tx, meter, kind)
}

/// Ends the incident, unless it has ended.
pub fn resolve(
    tx: &Transaction<'_>,
    household: HouseholdId,
    meter: Uuid,
    kind: IncidentType,
    at: Timestamp,
) -> Result<Incident, StoreError> {
    require_meter(tx, household, meter)?;
    // A clock that was set back in between must not keep it open.
    tx.prepare_cached(
        "UPDATE incident SET resolved_at = max(?3, reported_at)
         WHERE meter = ?1 AND type = ?2 AND resolved_at IS NULL",
    )?
    .execute(params![Id(meter), Text(kind), Instant(at)])?;
    one(tx, meter, kind)
}

fn one(db: &Connection, meter: Uuid, kind: IncidentType) -> Result<Incident, StoreError> {
    of_meter(db, meter)?
        .into_iter()
        .find(|incident| incident.kind == kind)
        .ok_or(StoreError::NotFound)
}

/// The household has that meter.
pub fn require_meter(
    db: &Connection,
    household: HouseholdId,
    meter: Uuid,
) -> Result<(), StoreError> {
    let own: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM meter WHERE uuid = ?1 AND household = ?2)")?
        .query_row([Id(meter), Id(household.0)], |row| row.get(0))?;
    if own { Ok(()) } else { Err(StoreError::NotFound) }
}

fn incident(row: &Row<'_>) -> rusqlite::Result<Incident> {
    let (Text(kind), Instant(reported_at)): (Text<IncidentType>, Instant) =
        (row.get(0)?, row.get(1)?);
    let resolved_at: Option<Instant> = row.get(2)?;
    Ok(Incident { kind, reported_at, resolved_at: resolved_at.map(|at| at.0) })
}
