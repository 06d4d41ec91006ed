//! A device's past: in which slots its meters were measured, its incidents, its statuses by day.

use ebp_core::{
    contract::{Coverage, DeviceDay, DeviceHistory, IncidentEpisode, MeterCoverage, Reception},
    model::IncidentType,
};
use jiff::{Timestamp, ToSpan, civil::Date};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{
    consent,
    device::household_of,
    value::{Id, Instant, Text},
};
use crate::{
    StoreError,
    fleet_page::{day, latest_first},
    rule::{
        coverage::{Covered, CoveredDays},
        fleet::SurveyCycles,
    },
    set,
};

/// In which slots the device's meters were measured.
pub fn coverage(
    db: &Connection,
    device: Uuid,
    from: Date,
    days: usize,
    cycles: SurveyCycles,
    at: Timestamp,
) -> Result<Coverage, StoreError> {
    let household = household_of(db, device)?;
    let granted_at = consent::consent(db, household)?.granted_at;
    let covered = CoveredDays { from, days, granted_at, at, cycles };
    let (start, end) = covered.bounds();
    let known: Vec<(Id, i32)> = db
        .prepare_cached(
            "SELECT uuid, number FROM meter WHERE measurement_device = ?1 ORDER BY position",
        )?
        .query_map([Id(device)], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut of_meter = db.prepare_cached(
        "SELECT slot, measured_at, received_at, flags FROM measurement
         WHERE meter = ?1 AND slot >= ?2 AND slot < ?3",
    )?;
    let mut meters = Vec::new();
    for (Id(uuid), number) in known {
        let rows = of_meter.query_map(params![number, Instant(start), Instant(end)], |row| {
            let (Instant(slot), Instant(measured_at)) = (row.get(0)?, row.get(1)?);
            let Instant(received_at) = row.get(2)?;
            Ok(Covered { slot, measured_at, received_at, flags: set::flags(row.get(3)?) })
        })?;
        let rows: Vec<Covered> = rows.collect::<Result<_, _>>()?;
        meters.push(MeterCoverage { uuid, days: covered.draw(rows) });
    }
    let to = from.checked_add(i64::try_from(days).unwrap_or(1).days()).unwrap_or(Date::MAX);
    let cycle = u32::try_from(cycles.measurement.duration().as_secs()).unwrap_or(900);
    Ok(Coverage { cycle, from, to, meters })
}

/// The device's incidents and statuses since that instant.
pub fn history(
    db: &Connection,
    device: Uuid,
    since: Timestamp,
) -> Result<DeviceHistory, StoreError> {
    household_of(db, device)?;
    let incidents = db
        .prepare_cached(
            "SELECT meter.uuid, incident.type, reported_at, resolved_at
             FROM meter JOIN incident ON incident.meter = meter.uuid
             WHERE measurement_device = ?1 AND coalesce(resolved_at, ?2) >= ?2
             UNION ALL
             SELECT meter.uuid, past.type, reported_at, resolved_at
             FROM meter JOIN incident_episode AS past ON past.meter = meter.uuid
             WHERE measurement_device = ?1 AND resolved_at >= ?2",
        )?
        .query_map(params![Id(device), Instant(since)], |row| {
            let (Id(meter), Text(kind)): (Id, Text<IncidentType>) = (row.get(0)?, row.get(1)?);
            let (Instant(reported_at), resolved_at): (Instant, Option<Instant>) =
                (row.get(2)?, row.get(3)?);
            let resolved_at = resolved_at.map(|Instant(at)| at);
            Ok(IncidentEpisode { meter, kind, reported_at, resolved_at })
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let days = db
        .prepare_cached(
            "SELECT day, version, pending, bytes, telegrams, damaged
             FROM device_day WHERE device = ?1 AND day >= ?2 ORDER BY day",
        )?
        .query_map(params![Id(device), since.as_second().div_euclid(86_400)], |row| {
            let count =
                |place| row.get::<_, Option<i64>>(place).map(|count| count.map(i64::unsigned_abs));
            let number: i64 = row.get(0)?;
            Ok(DeviceDay {
                day: day(number),
                version: row.get(1)?,
                pending: count(2)?,
                bytes: count(3)?,
                damaged_share: Reception::share(
                    count(4)?.unwrap_or_default(),
                    count(5)?.unwrap_or_default(),
                ),
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(DeviceHistory { incidents: latest_first(incidents), days })
}
