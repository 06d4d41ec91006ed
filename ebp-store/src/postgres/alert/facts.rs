//! What is known of each device.

use std::collections::HashMap;

use deadpool_postgres::GenericClient;
use uuid::Uuid;

use super::super::value::Instant;
use crate::{
    StoreError,
    alert::{MeterFacts, complete},
    rule::alert::DeviceFacts,
};

/// Of all devices whose households consent.
pub async fn all(db: &impl GenericClient) -> Result<Vec<DeviceFacts>, StoreError> {
    let mut meters = meters(db).await?;
    let statement = db
        .prepare_cached(
            "SELECT device.uuid, reported_at,
                    (SELECT max(not_after) FROM certificate
                     WHERE certificate.device = device.uuid AND certificate.revoked_at IS NULL
                         AND scopes LIKE '%measurement-write%')
             FROM measurement_device AS device JOIN consent USING (household)
             LEFT JOIN measurement_device_status AS status ON status.device = device.uuid
             WHERE granted_at IS NOT NULL AND consent.revoked_at IS NULL
             ORDER BY device.uuid",
        )
        .await?;
    let mut facts = Vec::new();
    for row in db.query(&statement, &[]).await? {
        let device: Uuid = row.try_get(0)?;
        let (reported_at, certificate_until): (Option<Instant>, Option<Instant>) =
            (row.try_get(1)?, row.try_get(2)?);
        let meters = meters.remove(&device).unwrap_or_default();
        let [reported_at, certificate_until] =
            [reported_at, certificate_until].map(|at| at.map(|at| at.0));
        facts.push(complete(device, reported_at, certificate_until, &meters));
    }
    Ok(facts)
}

/// For each meter a look into the indexes of the partitions, latest slot first: the first that has
/// one ends it.
async fn meters(db: &impl GenericClient) -> Result<HashMap<Uuid, Vec<MeterFacts>>, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT measurement_device,
                    greatest(regular.measured_at, other.measured_at),
                    greatest(regular.received_at, other.received_at),
                    (SELECT min(reported_at) FROM incident
                     WHERE incident.meter = meter.uuid AND resolved_at IS NULL),
                    telegrams, damaged
             FROM meter JOIN consent USING (household)
             LEFT JOIN LATERAL (
                 SELECT measured_at, received_at FROM measurement AS kept
                 WHERE kept.meter = meter.number AND kept.uuid IS NULL
                 ORDER BY slot DESC LIMIT 1) AS regular ON true
             LEFT JOIN LATERAL (
                 SELECT measured_at, received_at FROM measurement AS kept
                 WHERE kept.meter = meter.number AND kept.uuid IS NOT NULL
                 ORDER BY slot DESC LIMIT 1) AS other ON true
             LEFT JOIN meter_reception AS reception
                 ON reception.meter = meter.uuid AND reception.device = measurement_device
             WHERE measurement_device IS NOT NULL AND removed_at IS NULL
                 AND granted_at IS NOT NULL AND revoked_at IS NULL",
        )
        .await?;
    let mut meters: HashMap<Uuid, Vec<MeterFacts>> = HashMap::new();
    for row in db.query(&statement, &[]).await? {
        let instants: [Option<Instant>; 3] = [row.try_get(1)?, row.try_get(2)?, row.try_get(3)?];
        let [measured_at, received_at, incident_since] = instants.map(|at| at.map(|at| at.0));
        let (all, damaged): (Option<i64>, Option<i64>) = (row.try_get(4)?, row.try_get(5)?);
        let telegrams =
            all.zip(damaged).map(|(all, damaged)| (all.unsigned_abs(), damaged.unsigned_abs()));
        let facts = MeterFacts { measured_at, received_at, incident_since, telegrams };
        meters.entry(row.try_get(0)?).or_default().push(facts);
    }
    Ok(meters)
}
