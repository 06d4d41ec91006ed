//! What is known of each device, by the fleet's row of it.

use std::collections::HashMap;

use deadpool_postgres::GenericClient;
use jiff::Timestamp;
use uuid::Uuid;

use super::super::value::Instant;
use crate::{StoreError, alert::most_damaged, rule::alert::DeviceFacts};

/// Of all devices whose households consent.
pub async fn all(db: &impl GenericClient, at: Timestamp) -> Result<Vec<DeviceFacts>, StoreError> {
    let mut damaged = damaged(db).await?;
    let statement = db
        .prepare_cached(
            "SELECT device, last_report, measured_at,
                    CASE WHEN incidents > 0 THEN (
                        SELECT min(reported_at)
                        FROM meter JOIN incident ON incident.meter = meter.uuid
                        WHERE measurement_device = fleet.device AND resolved_at IS NULL) END,
                    (SELECT max(not_after) FROM certificate
                     WHERE certificate.device = fleet.device AND revoked_at IS NULL
                         AND scopes LIKE '%measurement-write%'),
                    EXISTS (SELECT FROM device_silence AS silence
                            WHERE silence.device = fleet.device
                                AND (ends_at IS NULL OR ends_at > $1))
             FROM fleet_device AS fleet WHERE consent = 1 ORDER BY device",
        )
        .await?;
    let mut facts = Vec::new();
    for row in db.query(&statement, &[&Instant(at)]).await? {
        let device: Uuid = row.try_get(0)?;
        let instants: [Option<Instant>; 4] =
            [row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?];
        let [last_report, last_measurement, incident_since, certificate_until] =
            instants.map(|at| at.map(|at| at.0));
        facts.push(DeviceFacts {
            device,
            last_report,
            last_measurement,
            incident_since,
            certificate_until,
            damaged: damaged.remove(&device),
            silenced: row.try_get(5)?,
        });
    }
    Ok(facts)
}

/// The fleet's row has the share alone, and of few telegrams that says nothing.
async fn damaged(db: &impl GenericClient) -> Result<HashMap<Uuid, (u64, u64)>, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT reception.device, telegrams, reception.damaged
             FROM fleet_device AS fleet JOIN meter_reception AS reception USING (device)
             JOIN meter ON meter.uuid = reception.meter AND measurement_device = reception.device
             WHERE consent = 1 AND fleet.damaged IS NOT NULL AND telegrams > 0",
        )
        .await?;
    let rows = db.query(&statement, &[]).await?;
    let meters = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)));
    Ok(most_damaged(meters.collect::<Result<Vec<_>, StoreError>>()?.into_iter()))
}
