//! What is known of the devices that may be in trouble, by the fleet's rows of them.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::super::value::{Id, Instant};
use crate::{
    StoreError,
    alert::{AlertBounds, most_damaged},
    rule::alert::{AlertThresholds, DeviceFacts, TunnelConflict},
};

/// Of devices whose households consent: those that may be in trouble, and those with an open episode.
pub fn in_question(
    db: &Connection,
    thresholds: &AlertThresholds,
    at: Timestamp,
) -> Result<Vec<DeviceFacts>, StoreError> {
    let bounds = AlertBounds::at(at, thresholds);
    let mut statement = db.prepare_cached(
        "SELECT fleet.device, last_report, measured_at,
                CASE WHEN incidents > 0 THEN (
                    SELECT min(reported_at) FROM meter JOIN incident ON incident.meter = meter.uuid
                    WHERE measurement_device = fleet.device AND resolved_at IS NULL) END,
                (SELECT max(not_after) FROM certificate
                 WHERE certificate.device = fleet.device AND revoked_at IS NULL
                     AND scopes LIKE '%measurement-write%'),
                EXISTS (SELECT 1 FROM device_silence AS silence
                        WHERE silence.device = fleet.device
                            AND (ends_at IS NULL OR ends_at > ?1)),
                conflict_at, instance, conflict_instance,
                (SELECT max(known_at) FROM error_group
                 WHERE error_group.device = fleet.device AND known_at > ?8)
         FROM fleet_device AS fleet
         LEFT JOIN tunnel ON tunnel.device = fleet.device AND conflict_at > ?7
         WHERE consent = 1 AND (
             last_report < ?2 OR last_report > ?4 OR measured_at < ?3 OR measured_at > ?4
             OR incidents > 0 OR certificate_end < ?5 OR damaged >= ?6 OR conflict_at IS NOT NULL
             OR fleet.device IN (SELECT device FROM alert_episode WHERE ended_at IS NULL)
             OR fleet.device IN (SELECT device FROM error_group
                                 WHERE device IS NOT NULL AND known_at > ?8))
         ORDER BY fleet.device",
    )?;
    let mut facts = statement
        .query_map(
            params![
                Instant(at),
                bounds.silent.map(Instant),
                bounds.late.map(Instant),
                Instant(bounds.future),
                bounds.certificate.map(Instant),
                bounds.damaged,
                Instant(bounds.conflict),
                Instant(bounds.new_error)
            ],
            facts_of,
        )?
        .collect::<Result<Vec<DeviceFacts>, _>>()?;
    for facts in &mut facts {
        facts.damaged = damaged(db, facts.device)?;
    }
    Ok(facts)
}

/// A row's, without the share of damaged telegrams.
fn facts_of(row: &Row<'_>) -> rusqlite::Result<DeviceFacts> {
    let instants: [Option<Instant>; 4] = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
    let [last_report, last_measurement, incident_since, certificate_until] =
        instants.map(|at| at.map(|at| at.0));
    let conflict: (Option<Instant>, Option<Id>, Option<Id>) =
        (row.get(6)?, row.get(7)?, row.get(8)?);
    Ok(DeviceFacts {
        device: row.get::<_, Id>(0)?.0,
        last_report,
        last_measurement,
        incident_since,
        certificate_until,
        damaged: None,
        conflict: match conflict {
            (Some(Instant(at)), Some(Id(holding)), Some(Id(refused))) => {
                Some(TunnelConflict { at, instances: [holding, refused] })
            }
            _ => None,
        },
        new_error: row.get::<_, Option<Instant>>(9)?.map(|at| at.0),
        silenced: row.get(5)?,
    })
}

/// The fleet's row has the share alone, and of few telegrams that says nothing.
fn damaged(db: &Connection, device: Uuid) -> Result<Option<(u64, u64)>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT telegrams, damaged FROM meter_reception AS reception
         JOIN meter ON meter.uuid = reception.meter AND measurement_device = reception.device
         WHERE reception.device = ?1 AND telegrams > 0",
    )?;
    let row = |row: &Row<'_>| Ok((device, row.get(0)?, row.get(1)?));
    let meters = statement.query_map([Id(device)], row)?.collect::<Result<Vec<_>, _>>()?;
    Ok(most_damaged(meters.into_iter()).remove(&device))
}
