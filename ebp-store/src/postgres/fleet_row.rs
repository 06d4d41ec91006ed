//! Rows of what the fleet's devices are judged by.

use deadpool_postgres::GenericClient;
use ebp_core::contract::{FleetVersion, Silence};
use tokio_postgres::Row;
use uuid::Uuid;

use super::value::Instant;
use crate::{StoreError, fleet_page::consent, rule::fleet::FleetFacts};

/// How many devices run each version.
pub async fn versions(db: &impl GenericClient) -> Result<Vec<FleetVersion>, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT version, count(*) FROM fleet_device WHERE version IS NOT NULL
             GROUP BY version ORDER BY version COLLATE \"C\"",
        )
        .await?;
    let version = |row: &Row| {
        let devices: i64 = row.try_get(1)?;
        Ok(FleetVersion { version: row.try_get(0)?, devices: devices.unsigned_abs() })
    };
    db.query(&statement, &[]).await?.iter().map(version).collect()
}

/// The facts of a row, and its device.
pub fn facts(row: &Row) -> Result<(FleetFacts, Uuid), StoreError> {
    let instant =
        |place: usize| row.try_get::<_, Option<Instant>>(place).map(|at| at.map(|Instant(at)| at));
    let facts = FleetFacts {
        consent: consent(row.try_get(0)?),
        granted_at: instant(1)?,
        last_report: instant(2)?,
        meters: row.try_get(3)?,
        unmeasured: row.try_get(4)?,
        measured_at: instant(5)?,
        another_meter: row.try_get(6)?,
        incidents: row.try_get(7)?,
        damaged: row.try_get(8)?,
        rising: row.try_get(9)?,
        clock_wrong: row.try_get(10)?,
        spool_trouble: row.try_get(11)?,
        pending: row.try_get(12)?,
        version: row.try_get(13)?,
        certificate_end: instant(14)?,
        speaks_on: row.try_get("speaks_on")?,
    };
    Ok((facts, row.try_get(15)?))
}

/// A silence from the columns at that place.
pub fn silence_of(row: &Row, place: usize) -> Result<Silence, StoreError> {
    let Instant(begun_at) = row.try_get(place + 1)?;
    let ends_at: Option<Instant> = row.try_get(place + 2)?;
    Ok(Silence {
        reason: row.try_get(place)?,
        begun_at,
        ends_at: ends_at.map(|Instant(at)| at),
        until_recovery: row.try_get(place + 3)?,
    })
}
