//! Devices' status.

use ebp_core::contract::{Component, DeviceStatus, Notice};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::{
    device::{note_report, require_device},
    error_group,
    value::{Id, Instant},
};
use crate::{
    StoreError, set,
    status::{StatusRow, StoredStatus, check, reception, stored, stored_keys},
};

/// Replaces the device's stored status.
pub fn report(
    tx: &Transaction<'_>,
    device: Uuid,
    status: &DeviceStatus,
    at: Timestamp,
) -> Result<(), StoreError> {
    require_device(tx, device)?;
    let read: Vec<Uuid> = tx
        .prepare_cached("SELECT uuid FROM meter WHERE measurement_device = ?1")?
        .query_map([Id(device)], |row| row.get(0).map(|Id(uuid)| uuid))?
        .collect::<Result<_, _>>()?;
    check(status, &read)?;
    let spool = status.spool.as_ref();
    tx.prepare_cached(
        "INSERT INTO measurement_device_status
             (device, reported_at, clock, pending, refused, unplaced, bytes, notices, host_keys)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (device) DO UPDATE SET reported_at = ?2, clock = ?3, pending = ?4,
             refused = ?5, unplaced = ?6, bytes = ?7, notices = ?8, host_keys = ?9",
    )?
    .execute(params![
        Id(device),
        Instant(at),
        status.clock.map(ebp_core::contract::ClockState::name),
        spool.map(|figures| stored(figures.pending)),
        spool.map(|figures| stored(figures.refused)),
        spool.map(|figures| stored(figures.unplaced)),
        spool.map(|figures| stored(figures.bytes)),
        set::bits(&Notice::ALL, &status.notices),
        stored_keys(&status.host_keys)
    ])?;
    note_report(tx, device, at)?;
    components(tx, device, status, at)?;
    receptions(tx, device, status, &read)?;
    error_group::report(tx, device, &status.errors, at)
}

/// A component that is reported with the same version keeps its time.
fn components(
    tx: &Transaction<'_>,
    device: Uuid,
    status: &DeviceStatus,
    at: Timestamp,
) -> Result<(), StoreError> {
    for name in of_device(tx, device)?.components.keys() {
        if !status.components.contains_key(name) {
            tx.prepare_cached(
                "DELETE FROM measurement_device_component WHERE device = ?1 AND component = ?2",
            )?
            .execute(params![Id(device), name])?;
        }
    }
    let mut keep = tx.prepare_cached(
        "INSERT INTO measurement_device_component (device, component, version, since)
         VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (device, component) DO UPDATE SET version = ?3, since = ?4
             WHERE version <> ?3",
    )?;
    for (name, version) in &status.components {
        keep.execute(params![Id(device), name, version, Instant(at)])?;
    }
    Ok(())
}

fn receptions(
    tx: &Transaction<'_>,
    device: Uuid,
    status: &DeviceStatus,
    read: &[Uuid],
) -> Result<(), StoreError> {
    for meter in read {
        if !status.meters.iter().any(|told| told.meter == *meter) {
            tx.prepare_cached("DELETE FROM meter_reception WHERE device = ?1 AND meter = ?2")?
                .execute([Id(device), Id(*meter)])?;
        }
    }
    let mut keep = tx.prepare_cached(
        "INSERT INTO meter_reception (device, meter, telegrams, damaged) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (device, meter) DO UPDATE SET
             telegrams_before = telegrams, damaged_before = damaged, telegrams = ?3, damaged = ?4
             WHERE telegrams <> ?3 OR damaged <> ?4",
    )?;
    for told in &status.meters {
        keep.execute(params![
            Id(device),
            Id(told.meter),
            stored(told.telegrams),
            stored(told.damaged)
        ])?;
    }
    Ok(())
}

/// What a device told.
pub fn of_device(db: &Connection, device: Uuid) -> Result<StoredStatus, StoreError> {
    let status = db
        .prepare_cached(
            "SELECT reported_at, clock, pending, refused, unplaced, bytes, notices
             FROM measurement_device_status WHERE device = ?1",
        )?
        .query_row([Id(device)], |row| {
            let Instant(reported_at) = row.get(0)?;
            Ok(StatusRow {
                reported_at,
                clock: row.get(1)?,
                spool: [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?],
                notices: row.get(6)?,
            })
        })
        .optional()?;
    let Some(status) = status else { return Ok(StoredStatus::default()) };
    let mut health = status.health()?;
    health.meters = db
        .prepare_cached(
            "SELECT meter, telegrams, damaged, telegrams_before, damaged_before
             FROM meter_reception JOIN meter ON meter.uuid = meter
             WHERE device = ?1 ORDER BY position",
        )?
        .query_map([Id(device)], |row| {
            let Id(meter) = row.get(0)?;
            let (last, before) = ((row.get(1)?, row.get(2)?), (row.get(3)?, row.get(4)?));
            Ok(reception(meter, last, before))
        })?
        .collect::<Result<_, _>>()?;
    let components = db
        .prepare_cached(
            "SELECT component, version, since FROM measurement_device_component
             WHERE device = ?1",
        )?
        .query_map([Id(device)], |row| {
            let Instant(since) = row.get(2)?;
            Ok((row.get(0)?, Component { version: row.get(1)?, since }))
        })?
        .collect::<Result<_, _>>()?;
    Ok(StoredStatus { components, health: Some(health) })
}
