//! Silences of devices.

use deadpool_postgres::{Client, Transaction};
use ebp_core::contract::{NewSilence, Silence};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    device::{household_of, require_device},
    fleet_row::{facts, silence_of, versions},
    store_error::or_gone,
    value::Instant,
};
use crate::{
    StoreError,
    fleet_page::{holds, newest, silence},
    rule::fleet::{FleetThresholds, SurveyCycles},
};

/// Silences a device, in place of a silence that is there.
pub async fn begin(
    tx: &Transaction<'_>,
    device: Uuid,
    new: &NewSilence,
    at: Timestamp,
) -> Result<Silence, StoreError> {
    let silence = silence(new, at)?;
    require_device(tx, device).await?;
    tx.execute(
        "INSERT INTO device_silence (device, reason, begun_at, ends_at, until_recovery)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (device) DO UPDATE SET reason = $2, begun_at = $3, ends_at = $4,
             until_recovery = $5",
        &[
            &device,
            &silence.reason,
            &Instant(at),
            &silence.ends_at.map(Instant),
            &silence.until_recovery,
        ],
    )
    .await
    .map_err(or_gone)?;
    Ok(silence)
}

/// Ends a device's silence.
pub async fn end(tx: &Transaction<'_>, device: Uuid) -> Result<(), StoreError> {
    household_of(tx, device).await?;
    match tx.execute("DELETE FROM device_silence WHERE device = $1", &[&device]).await? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

/// The device's silence at that instant.
pub async fn show(
    db: &Client,
    device: Uuid,
    cycles: SurveyCycles,
    at: Timestamp,
) -> Result<Silence, StoreError> {
    household_of(db, device).await?;
    let than = FleetThresholds::at(at, cycles, newest(&versions(db).await?));
    let statement = db
        .prepare_cached(
            "SELECT consent, granted_at, last_report, meters, unmeasured, measured_at,
                    another_meter, incidents, damaged, rising, clock_wrong, spool_trouble,
                    pending, version, certificate_end, device_silence.device,
                    reason, begun_at, ends_at, until_recovery, speaks_on
             FROM device_silence JOIN fleet_device ON fleet_device.device = device_silence.device
             WHERE device_silence.device = $1",
        )
        .await?;
    let row = db.query_opt(&statement, &[&device]).await?.ok_or(StoreError::NotFound)?;
    let ((facts, _), silence) = (facts(&row)?, silence_of(&row, 16)?);
    if holds(&silence, facts.state(&than), at) { Ok(silence) } else { Err(StoreError::NotFound) }
}

/// The devices whose silence is over, and when it began.
pub async fn over(
    db: &Client,
    cycles: SurveyCycles,
    at: Timestamp,
) -> Result<Vec<(Uuid, Instant)>, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT consent, granted_at, last_report, meters, unmeasured, measured_at,
                    another_meter, incidents, damaged, rising, clock_wrong, spool_trouble,
                    pending, version, certificate_end, device_silence.device,
                    reason, begun_at, ends_at, until_recovery, speaks_on
             FROM device_silence JOIN fleet_device ON fleet_device.device = device_silence.device",
        )
        .await?;
    let rows = db.query(&statement, &[]).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let than = FleetThresholds::at(at, cycles, newest(&versions(db).await?));
    let mut over = Vec::new();
    for row in &rows {
        let ((facts, device), silence) = (facts(row)?, silence_of(row, 16)?);
        if !holds(&silence, facts.state(&than), at) {
            over.push((device, Instant(silence.begun_at)));
        }
    }
    Ok(over)
}
