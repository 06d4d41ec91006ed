//! What is known of each device.

use std::collections::HashMap;

use rusqlite::Connection;
use uuid::Uuid;

use super::super::value::{Id, Instant};
use crate::{
    StoreError,
    alert::{MeterFacts, complete},
    rule::alert::DeviceFacts,
};

/// Of all devices whose households consent.
pub fn all(db: &Connection) -> Result<Vec<DeviceFacts>, StoreError> {
    let mut meters = meters(db)?;
    let devices: Vec<(Id, Option<Instant>, Option<Instant>)> = db
        .prepare_cached(
            "SELECT device.uuid, reported_at,
                    (SELECT max(not_after) FROM certificate
                     WHERE certificate.device = device.uuid AND certificate.revoked_at IS NULL
                         AND scopes LIKE '%measurement-write%')
             FROM measurement_device AS device JOIN consent USING (household)
             LEFT JOIN measurement_device_status AS status ON status.device = device.uuid
             WHERE granted_at IS NOT NULL AND consent.revoked_at IS NULL
             ORDER BY device.uuid",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    Ok(devices
        .into_iter()
        .map(|(Id(device), reported_at, certificate_until)| {
            let meters = meters.remove(&device).unwrap_or_default();
            let [reported_at, certificate_until] =
                [reported_at, certificate_until].map(|at| at.map(|at| at.0));
            complete(device, reported_at, certificate_until, &meters)
        })
        .collect())
}

/// A look into the primary key of measurements for each meter, latest slot first; nothing is scanned.
fn meters(db: &Connection) -> Result<HashMap<Uuid, Vec<MeterFacts>>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT measurement_device, measured_at, received_at,
                (SELECT min(reported_at) FROM incident
                 WHERE incident.meter = meter.uuid AND resolved_at IS NULL),
                telegrams, damaged
         FROM meter JOIN consent USING (household)
         LEFT JOIN measurement ON measurement.meter = meter.number AND slot = (
             SELECT slot FROM measurement AS last
             WHERE last.meter = meter.number ORDER BY slot DESC LIMIT 1)
         LEFT JOIN meter_reception AS reception
             ON reception.meter = meter.uuid AND reception.device = measurement_device
         WHERE measurement_device IS NOT NULL AND removed_at IS NULL
             AND granted_at IS NOT NULL AND revoked_at IS NULL",
    )?;
    let mut meters: HashMap<Uuid, Vec<MeterFacts>> = HashMap::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (Id(device), instants): (Id, [Option<Instant>; 3]) =
            (row.get(0)?, [row.get(1)?, row.get(2)?, row.get(3)?]);
        let [measured_at, received_at, incident_since] = instants.map(|at| at.map(|at| at.0));
        let telegrams: Option<(i64, i64)> = match (row.get(4)?, row.get(5)?) {
            (Some(telegrams), Some(damaged)) => Some((telegrams, damaged)),
            _ => None,
        };
        let telegrams =
            telegrams.map(|(all, damaged)| (all.unsigned_abs(), damaged.unsigned_abs()));
        let facts = MeterFacts { measured_at, received_at, incident_since, telegrams };
        meters.entry(device).or_default().push(facts);
    }
    Ok(meters)
}
