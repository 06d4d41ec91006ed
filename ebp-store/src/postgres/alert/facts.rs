//! What is known of the devices that may be in trouble, by the fleet's rows of them.

use std::collections::HashMap;

use deadpool_postgres::GenericClient;
use jiff::Timestamp;
use uuid::Uuid;

use super::super::value::Instant;
use crate::{
    StoreError,
    alert::{AlertBounds, most_damaged},
    rule::alert::{AlertThresholds, DeviceFacts, TunnelConflict},
};

/// Of devices whose households consent: those that may be in trouble, and those with an open episode.
pub async fn in_question(
    db: &impl GenericClient,
    thresholds: &AlertThresholds,
    at: Timestamp,
) -> Result<Vec<DeviceFacts>, StoreError> {
    let bounds = AlertBounds::at(at, thresholds);
    let statement = db
        .prepare_cached(
            "SELECT fleet.device, last_report, measured_at,
                    CASE WHEN incidents > 0 THEN (
                        SELECT min(reported_at)
                        FROM meter JOIN incident ON incident.meter = meter.uuid
                        WHERE measurement_device = fleet.device AND resolved_at IS NULL) END,
                    (SELECT max(not_after) FROM certificate
                     WHERE certificate.device = fleet.device AND revoked_at IS NULL
                         AND scopes LIKE '%measurement-write%'),
                    EXISTS (SELECT FROM device_silence AS silence
                            WHERE silence.device = fleet.device
                                AND (ends_at IS NULL OR ends_at > $1)),
                    conflict_at, instance, conflict_instance,
                    (SELECT max(known_at) FROM error_group
                     WHERE error_group.device = fleet.device AND known_at > $8)
             FROM fleet_device AS fleet
             LEFT JOIN tunnel ON tunnel.device = fleet.device AND conflict_at > $7
             WHERE consent = 1 AND (
                 last_report < $2 OR last_report > $4 OR measured_at < $3 OR measured_at > $4
                 OR incidents > 0 OR certificate_end < $5 OR damaged >= $6 OR conflict_at IS NOT NULL
                 OR fleet.device IN (SELECT device FROM alert_episode WHERE ended_at IS NULL)
                 OR fleet.device IN (SELECT device FROM error_group
                                     WHERE device IS NOT NULL AND known_at > $8))
             ORDER BY fleet.device",
        )
        .await?;
    let rows = db
        .query(
            &statement,
            &[
                &Instant(at),
                &bounds.silent.map(Instant),
                &bounds.late.map(Instant),
                &Instant(bounds.future),
                &bounds.certificate.map(Instant),
                &bounds.damaged,
                &Instant(bounds.conflict),
                &Instant(bounds.new_error),
            ],
        )
        .await?;
    let devices = rows
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<Vec<Uuid>, tokio_postgres::Error>>()?;
    let mut damaged = damaged(db, &devices).await?;
    let mut facts = Vec::new();
    for row in &rows {
        let device: Uuid = row.try_get(0)?;
        let instants: [Option<Instant>; 4] =
            [row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?];
        let [last_report, last_measurement, incident_since, certificate_until] =
            instants.map(|at| at.map(|at| at.0));
        let conflict: (Option<Instant>, Option<Uuid>, Option<Uuid>) =
            (row.try_get(6)?, row.try_get(7)?, row.try_get(8)?);
        facts.push(DeviceFacts {
            device,
            last_report,
            last_measurement,
            incident_since,
            certificate_until,
            damaged: damaged.remove(&device),
            conflict: match conflict {
                (Some(Instant(at)), Some(holding), Some(refused)) => {
                    Some(TunnelConflict { at, instances: [holding, refused] })
                }
                _ => None,
            },
            new_error: row.try_get::<_, Option<Instant>>(9)?.map(|at| at.0),
            silenced: row.try_get(5)?,
        });
    }
    Ok(facts)
}

/// The fleet's row has the share alone, and of few telegrams that says nothing.
async fn damaged(
    db: &impl GenericClient,
    devices: &[Uuid],
) -> Result<HashMap<Uuid, (u64, u64)>, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT reception.device, telegrams, damaged FROM meter_reception AS reception
             JOIN meter ON meter.uuid = reception.meter AND measurement_device = reception.device
             WHERE reception.device = ANY ($1) AND telegrams > 0",
        )
        .await?;
    let rows = db.query(&statement, &[&devices]).await?;
    let meters = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)));
    Ok(most_damaged(meters.collect::<Result<Vec<_>, StoreError>>()?.into_iter()))
}
