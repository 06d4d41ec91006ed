//! Rows of what the fleet's devices are judged by.

use ebp_core::contract::{FleetVersion, Silence};
use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::value::{Id, Instant};
use crate::{StoreError, fleet_page::consent, rule::fleet::FleetFacts};

/// How many devices run each version.
pub fn versions(db: &Connection) -> Result<Vec<FleetVersion>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT version, count(*) FROM fleet_device WHERE version IS NOT NULL
             GROUP BY version ORDER BY version",
        )?
        .query_map([], |row| {
            let devices: i64 = row.get(1)?;
            Ok(FleetVersion { version: row.get(0)?, devices: devices.unsigned_abs() })
        })?
        .collect::<Result<_, _>>()?)
}

/// The facts of a row, and its device.
pub fn facts(row: &Row<'_>) -> rusqlite::Result<(FleetFacts, Uuid)> {
    let instant = |place| row.get::<_, Option<Instant>>(place).map(|at| at.map(|Instant(at)| at));
    let facts = FleetFacts {
        consent: consent(row.get(0)?),
        granted_at: instant(1)?,
        last_report: instant(2)?,
        meters: row.get(3)?,
        unmeasured: row.get(4)?,
        measured_at: instant(5)?,
        another_meter: row.get(6)?,
        incidents: row.get(7)?,
        damaged: row.get(8)?,
        rising: row.get(9)?,
        clock_wrong: row.get(10)?,
        spool_trouble: row.get(11)?,
        pending: row.get(12)?,
        version: row.get(13)?,
        certificate_end: instant(14)?,
        speaks_on: row.get("speaks_on")?,
    };
    let Id(device) = row.get(15)?;
    Ok((facts, device))
}

/// A silence from the columns at that place.
pub fn silence_of(row: &Row<'_>, place: usize) -> rusqlite::Result<Silence> {
    let Instant(begun_at) = row.get(place + 1)?;
    let ends_at: Option<Instant> = row.get(place + 2)?;
    Ok(Silence {
        reason: row.get(place)?,
        begun_at,
        ends_at: ends_at.map(|Instant(at)| at),
        until_recovery: row.get(place + 3)?,
    })
}
