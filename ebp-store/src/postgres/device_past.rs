//! A device's past: in which slots its meters were measured, its incidents, its statuses by day.

use deadpool_postgres::Client;
use ebp_core::contract::{
    Coverage, DeviceDay, DeviceHistory, IncidentEpisode, MeterCoverage, Reception,
};
use jiff::{Timestamp, ToSpan, civil::Date};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{consent, device::household_of, incident::from_row, value::Instant};
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
pub async fn coverage(
    db: &Client,
    device: Uuid,
    from: Date,
    days: usize,
    cycles: SurveyCycles,
    at: Timestamp,
) -> Result<Coverage, StoreError> {
    let household = household_of(db, device).await?;
    let granted_at = consent::consent(db, household).await?.granted_at;
    let covered = CoveredDays { from, days, granted_at, at, cycles };
    let (start, end) = covered.bounds();
    let statement = db
        .prepare_cached(
            "SELECT uuid, number FROM meter WHERE measurement_device = $1 ORDER BY position",
        )
        .await?;
    let known = db.query(&statement, &[&device]).await?;
    let statement = db
        .prepare_cached(
            "SELECT slot, measured_at, received_at, flags FROM listed_measurement
             WHERE meter = $1 AND slot >= $2 AND slot < $3",
        )
        .await?;
    let mut meters = Vec::new();
    for meter in known {
        let number: i32 = meter.try_get(1)?;
        let rows = db.query(&statement, &[&number, &Instant(start), &Instant(end)]).await?;
        let row = |row: &Row| {
            let (Instant(slot), Instant(measured_at)) = (row.try_get(0)?, row.try_get(1)?);
            let Instant(received_at) = row.try_get(2)?;
            Ok(Covered { slot, measured_at, received_at, flags: set::flags(row.try_get(3)?) })
        };
        let rows = rows.iter().map(row).collect::<Result<Vec<_>, StoreError>>()?;
        meters.push(MeterCoverage { uuid: meter.try_get(0)?, days: covered.draw(rows) });
    }
    let to = from.checked_add(i64::try_from(days).unwrap_or(1).days()).unwrap_or(Date::MAX);
    let cycle = u32::try_from(cycles.measurement.duration().as_secs()).unwrap_or(900);
    Ok(Coverage { cycle, from, to, meters })
}

/// The device's incidents and statuses since that instant.
pub async fn history(
    db: &Client,
    device: Uuid,
    since: Timestamp,
) -> Result<DeviceHistory, StoreError> {
    household_of(db, device).await?;
    let statement = db
        .prepare_cached(
            // Of each meter by itself: a device has a few.
            "SELECT of_meter.type, reported_at, resolved_at, meter.uuid
             FROM meter CROSS JOIN LATERAL (
                 SELECT incident.type, reported_at, resolved_at FROM incident
                 WHERE incident.meter = meter.uuid AND coalesce(resolved_at, $2) >= $2
                 UNION ALL
                 SELECT past.type, reported_at, resolved_at FROM incident_episode AS past
                 WHERE past.meter = meter.uuid AND resolved_at >= $2
                 OFFSET 0
             ) AS of_meter
             WHERE measurement_device = $1",
        )
        .await?;
    let episode = |row: &Row| {
        let incident = from_row(row)?;
        Ok(IncidentEpisode {
            meter: row.try_get(3)?,
            kind: incident.kind,
            reported_at: incident.reported_at,
            resolved_at: incident.resolved_at,
        })
    };
    let rows = db.query(&statement, &[&device, &Instant(since)]).await?;
    let incidents = rows.iter().map(episode).collect::<Result<_, StoreError>>()?;
    let statement = db
        .prepare_cached(
            "SELECT day, version, pending, bytes,
                    least(telegrams, 9000000000000000000)::bigint,
                    least(damaged, 9000000000000000000)::bigint
             FROM device_day WHERE device = $1 AND day >= $2 ORDER BY day",
        )
        .await?;
    let of_day = |row: &Row| {
        let count = |place: usize| {
            row.try_get::<_, Option<i64>>(place).map(|count| count.map(i64::unsigned_abs))
        };
        let number: i32 = row.try_get(0)?;
        Ok(DeviceDay {
            day: day(number.into()),
            version: row.try_get(1)?,
            pending: count(2)?,
            bytes: count(3)?,
            damaged_share: Reception::share(
                count(4)?.unwrap_or_default(),
                count(5)?.unwrap_or_default(),
            ),
        })
    };
    let first = i32::try_from(since.as_second().div_euclid(86_400)).unwrap_or_default();
    let rows = db.query(&statement, &[&device, &first]).await?;
    let days = rows.iter().map(of_day).collect::<Result<_, StoreError>>()?;
    Ok(DeviceHistory { incidents: latest_first(incidents), days })
}
