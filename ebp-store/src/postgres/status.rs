//! Devices' status.

use std::collections::HashMap;

use deadpool_postgres::{Client, GenericClient, Transaction};
use ebp_core::contract::{ClockState, Component, DeviceStatus, Notice};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{error_group, store_error::or_gone, value::Instant};
use crate::{
    StoreError, set,
    status::{StatusRow, StoredStatus, check, reception, stored, stored_keys},
};

/// Replaces the device's stored status.
pub async fn report(
    client: &mut Client,
    device: Uuid,
    status: &DeviceStatus,
    at: Timestamp,
) -> Result<(), StoreError> {
    let tx = client.transaction().await?;
    // A revocation waits until this is stored, and then deletes it; so does the removal of the
    // device or one of its meters.
    let statement = tx
        .prepare_cached(
            "SELECT consent.revoked_at IS NOT NULL
             FROM measurement_device JOIN consent USING (household)
             WHERE measurement_device.uuid = $1 FOR SHARE OF consent",
        )
        .await?;
    match tx.query_opt(&statement, &[&device]).await? {
        Some(row) if !row.try_get::<_, bool>(0)? => {}
        Some(_) => return Err(StoreError::ConsentRevoked),
        // Of a household that revoked, or not there.
        None => {
            let sql = "SELECT FROM measurement_device WHERE uuid = $1";
            let known = tx.query_opt(sql, &[&device]).await?;
            return Err(known.map_or(StoreError::NotFound, |_| StoreError::ConsentRevoked));
        }
    }
    // Asked only now: what was waited for may have changed it. The meters stay the device's until
    // this is stored.
    let statement = tx
        .prepare_cached(
            "SELECT uuid FROM meter WHERE measurement_device = $1 ORDER BY uuid FOR SHARE",
        )
        .await?;
    let rows = tx.query(&statement, &[&device]).await?;
    let read = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<Uuid>, _>>()?;
    check(status, &read)?;
    let spool = status.spool.as_ref();
    let statement = tx
        .prepare_cached(
            "INSERT INTO measurement_device_status
                 (device, reported_at, clock, pending, refused, unplaced, bytes, notices, host_keys)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (device) DO UPDATE SET reported_at = $2, clock = $3, pending = $4,
                 refused = $5, unplaced = $6, bytes = $7, notices = $8, host_keys = $9",
        )
        .await?;
    tx.execute(
        &statement,
        &[
            &device,
            &Instant(at),
            &status.clock.map(ClockState::name),
            &spool.map(|figures| stored(figures.pending)),
            &spool.map(|figures| stored(figures.refused)),
            &spool.map(|figures| stored(figures.unplaced)),
            &spool.map(|figures| stored(figures.bytes)),
            &set::bits(&Notice::ALL, &status.notices),
            &stored_keys(&status.host_keys),
        ],
    )
    .await
    .map_err(or_gone)?;
    let statement =
        tx.prepare_cached("UPDATE measurement_device SET last_report = $2 WHERE uuid = $1").await?;
    tx.execute(&statement, &[&device, &Instant(at)]).await?;
    components(&tx, device, status, at).await?;
    receptions(&tx, device, status).await?;
    error_group::report(&tx, device, &status.errors, at).await?;
    tx.commit().await?;
    Ok(())
}

/// A component that is reported with the same version keeps its time.
async fn components(
    tx: &Transaction<'_>,
    device: Uuid,
    status: &DeviceStatus,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (names, versions): (Vec<&str>, Vec<&str>) =
        status.components.iter().map(|(name, version)| (name.as_str(), version.as_str())).unzip();
    let statement = tx
        .prepare_cached(
            "DELETE FROM measurement_device_component
             WHERE device = $1 AND component <> ALL ($2::text[])",
        )
        .await?;
    tx.execute(&statement, &[&device, &names]).await?;
    let statement = tx
        .prepare_cached(
            "INSERT INTO measurement_device_component AS kept (device, component, version, since)
             SELECT $1, component, version, $4
             FROM unnest($2::text[], $3::text[]) AS told (component, version)
             ON CONFLICT (device, component) DO UPDATE
                 SET version = excluded.version, since = excluded.since
                 WHERE kept.version <> excluded.version",
        )
        .await?;
    tx.execute(&statement, &[&device, &names, &versions, &Instant(at)]).await?;
    Ok(())
}

async fn receptions(
    tx: &Transaction<'_>,
    device: Uuid,
    status: &DeviceStatus,
) -> Result<(), StoreError> {
    let meters: Vec<Uuid> = status.meters.iter().map(|told| told.meter).collect();
    let telegrams: Vec<i64> = status.meters.iter().map(|told| stored(told.telegrams)).collect();
    let damaged: Vec<i64> = status.meters.iter().map(|told| stored(told.damaged)).collect();
    let statement = tx
        .prepare_cached(
            "DELETE FROM meter_reception WHERE device = $1 AND meter <> ALL ($2::uuid[])",
        )
        .await?;
    tx.execute(&statement, &[&device, &meters]).await?;
    let statement = tx
        .prepare_cached(
            "INSERT INTO meter_reception AS kept (device, meter, telegrams, damaged)
             SELECT $1, meter, telegrams, damaged
             FROM unnest($2::uuid[], $3::bigint[], $4::bigint[]) AS told (meter, telegrams, damaged)
             ON CONFLICT (device, meter) DO UPDATE
                 SET telegrams_before = kept.telegrams, damaged_before = kept.damaged,
                     telegrams = excluded.telegrams, damaged = excluded.damaged
                 WHERE kept.telegrams <> excluded.telegrams OR kept.damaged <> excluded.damaged",
        )
        .await?;
    tx.execute(&statement, &[&device, &meters, &telegrams, &damaged]).await?;
    Ok(())
}

/// The status of each of those devices; those without one are left out.
pub async fn of_devices(
    db: &impl GenericClient,
    devices: &[Uuid],
) -> Result<HashMap<Uuid, StoredStatus>, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT device, reported_at, clock, pending, refused, unplaced, bytes, notices
             FROM measurement_device_status WHERE device = ANY ($1)",
        )
        .await?;
    let mut told: HashMap<Uuid, StoredStatus> = HashMap::new();
    for row in db.query(&statement, &[&devices]).await? {
        let health = Some(status(&row)?.health()?);
        told.insert(row.try_get(0)?, StoredStatus { health, ..StoredStatus::default() });
    }
    if told.is_empty() {
        return Ok(told);
    }
    let statement = db
        .prepare_cached(
            "SELECT device, component, version, since FROM measurement_device_component
             WHERE device = ANY ($1)",
        )
        .await?;
    for row in db.query(&statement, &[&devices]).await? {
        let Instant(since) = row.try_get(3)?;
        let component = Component { version: row.try_get(2)?, since };
        if let Some(told) = told.get_mut(&row.try_get(0)?) {
            told.components.insert(row.try_get(1)?, component);
        }
    }
    let statement = db
        .prepare_cached(
            "SELECT device, meter, telegrams, damaged, telegrams_before, damaged_before
             FROM meter_reception JOIN meter ON meter.uuid = meter
             WHERE device = ANY ($1) ORDER BY position",
        )
        .await?;
    for row in db.query(&statement, &[&devices]).await? {
        let last = (row.try_get(2)?, row.try_get(3)?);
        let before = (row.try_get(4)?, row.try_get(5)?);
        let reception = reception(row.try_get(1)?, last, before);
        let health = told.get_mut(&row.try_get(0)?).and_then(|told| told.health.as_mut());
        if let Some(health) = health {
            health.meters.push(reception);
        }
    }
    Ok(told)
}

fn status(row: &Row) -> Result<StatusRow, StoreError> {
    let Instant(reported_at) = row.try_get(1)?;
    Ok(StatusRow {
        reported_at,
        clock: row.try_get(2)?,
        spool: [row.try_get(3)?, row.try_get(4)?, row.try_get(5)?, row.try_get(6)?],
        notices: row.try_get(7)?,
    })
}
