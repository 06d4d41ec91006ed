//! What is known of each device, by the fleet's row of it.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::Connection;
use uuid::Uuid;

use super::super::value::{Id, Instant};
use crate::{StoreError, alert::most_damaged, rule::alert::DeviceFacts};

/// Of all devices whose households consent.
pub fn all(db: &Connection, at: Timestamp) -> Result<Vec<DeviceFacts>, StoreError> {
    let mut damaged = damaged(db)?;
    let mut statement = db.prepare_cached(
        "SELECT device, last_report, measured_at,
                CASE WHEN incidents > 0 THEN (
                    SELECT min(reported_at) FROM meter JOIN incident ON incident.meter = meter.uuid
                    WHERE measurement_device = fleet.device AND resolved_at IS NULL) END,
                (SELECT max(not_after) FROM certificate
                 WHERE certificate.device = fleet.device AND revoked_at IS NULL
                     AND scopes LIKE '%measurement-write%'),
                EXISTS (SELECT 1 FROM device_silence AS silence
                        WHERE silence.device = fleet.device
                            AND (ends_at IS NULL OR ends_at > ?1))
         FROM fleet_device AS fleet WHERE consent = 1 ORDER BY device",
    )?;
    let mut facts = Vec::new();
    let mut rows = statement.query([Instant(at)])?;
    while let Some(row) = rows.next()? {
        let Id(device) = row.get(0)?;
        let instants: [Option<Instant>; 4] = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
        let [last_report, last_measurement, incident_since, certificate_until] =
            instants.map(|at| at.map(|at| at.0));
        facts.push(DeviceFacts {
            device,
            last_report,
            last_measurement,
            incident_since,
            certificate_until,
            damaged: damaged.remove(&device),
            silenced: row.get(5)?,
        });
    }
    Ok(facts)
}

/// The fleet's row has the share alone, and of few telegrams that says nothing.
fn damaged(db: &Connection) -> Result<HashMap<Uuid, (u64, u64)>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT reception.device, telegrams, reception.damaged
         FROM fleet_device AS fleet JOIN meter_reception AS reception USING (device)
         JOIN meter ON meter.uuid = reception.meter AND measurement_device = reception.device
         WHERE consent = 1 AND fleet.damaged IS NOT NULL AND telegrams > 0",
    )?;
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, Id>(0)?.0, row.get(1)?, row.get(2)?));
    let meters = statement.query_map([], row)?.collect::<Result<Vec<_>, _>>()?;
    Ok(most_damaged(meters.into_iter()))
}
