//! Silences of devices.

use ebp_core::contract::{NewSilence, Silence};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::{
    device::{household_of, require_device},
    fleet_row::{facts, silence_of, versions},
    value::{Id, Instant},
};
use crate::{
    StoreError,
    fleet_page::{holds, newest, silence},
    rule::fleet::{FleetFacts, FleetThresholds, SurveyCycles},
};

/// Silences a device, in place of a silence that is there.
pub fn begin(
    tx: &Transaction<'_>,
    device: Uuid,
    new: &NewSilence,
    at: Timestamp,
) -> Result<Silence, StoreError> {
    require_device(tx, device)?;
    let silence = silence(new, at)?;
    tx.execute(
        "INSERT INTO device_silence (device, reason, begun_at, ends_at, until_recovery)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (device) DO UPDATE SET reason = ?2, begun_at = ?3, ends_at = ?4,
             until_recovery = ?5",
        params![
            Id(device),
            silence.reason,
            Instant(at),
            silence.ends_at.map(Instant),
            silence.until_recovery
        ],
    )?;
    Ok(silence)
}

/// Ends a device's silence.
pub fn end(tx: &Transaction<'_>, device: Uuid) -> Result<(), StoreError> {
    household_of(tx, device)?;
    let ended = tx.execute("DELETE FROM device_silence WHERE device = ?1", [Id(device)])?;
    if ended == 0 { Err(StoreError::NotFound) } else { Ok(()) }
}

/// The device's silence at that instant.
pub fn show(
    db: &Connection,
    device: Uuid,
    cycles: SurveyCycles,
    at: Timestamp,
) -> Result<Silence, StoreError> {
    household_of(db, device)?;
    let than = FleetThresholds::at(at, cycles, newest(&versions(db)?));
    let found: Option<(FleetFacts, Silence)> = db
        .prepare_cached(
            "SELECT consent, granted_at, last_report, meters, unmeasured, measured_at,
                    another_meter, incidents, damaged, rising, clock_wrong, spool_trouble,
                    pending, version, certificate_end, device_silence.device,
                    reason, begun_at, ends_at, until_recovery, speaks_on
             FROM device_silence JOIN fleet_device ON fleet_device.device = device_silence.device
             WHERE device_silence.device = ?1",
        )?
        .query_row([Id(device)], |row| Ok((facts(row)?.0, silence_of(row, 16)?)))
        .optional()?;
    let found = found.filter(|(facts, silence)| holds(silence, facts.state(&than), at));
    found.map(|(_, silence)| silence).ok_or(StoreError::NotFound)
}

/// The devices whose silence is over.
pub fn over(db: &Connection, cycles: SurveyCycles, at: Timestamp) -> Result<Vec<Uuid>, StoreError> {
    let than = FleetThresholds::at(at, cycles, newest(&versions(db)?));
    let all: Vec<(Uuid, FleetFacts, Silence)> = db
        .prepare_cached(
            "SELECT consent, granted_at, last_report, meters, unmeasured, measured_at,
                    another_meter, incidents, damaged, rising, clock_wrong, spool_trouble,
                    pending, version, certificate_end, device_silence.device,
                    reason, begun_at, ends_at, until_recovery, speaks_on
             FROM device_silence JOIN fleet_device ON fleet_device.device = device_silence.device",
        )?
        .query_map([], |row| {
            let (facts, device) = facts(row)?;
            Ok((device, facts, silence_of(row, 16)?))
        })?
        .collect::<Result<_, _>>()?;
    let over =
        all.into_iter().filter(|(_, facts, silence)| !holds(silence, facts.state(&than), at));
    Ok(over.map(|(device, ..)| device).collect())
}
