//! Measurements as rows: storing one, and comparing one with what is stored.

use ebp_core::model::{Measurement, MeasurementData, parse_data, write_data};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use super::value::Instant;
use crate::{InsertOutcome, Place, Refusal, StoreError, set};

pub(super) fn insert_one(
    tx: &Transaction<'_>,
    place: Place,
    measurement: &Measurement,
    received_at: Timestamp,
) -> Result<InsertOutcome, StoreError> {
    let mut data = String::new();
    write_data(&measurement.data, &mut data).map_err(|_| StoreError::Damaged("measurement"))?;
    // No octets where it follows from meter and slot.
    let uuid = place.uuid.as_ref().map_or(&[][..], |uuid| uuid.as_bytes());
    let (measured_at, flags) =
        (Instant(measurement.measured_at), set::flag_bits(&measurement.flags));
    let inserted = tx
        .prepare_cached(
            "INSERT INTO measurement (meter, slot, uuid, measured_at, received_at, data, flags)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            place.meter,
            place.slot,
            uuid,
            measured_at,
            Instant(received_at),
            data,
            flags
        ])?;
    if inserted == 1 {
        return Ok(InsertOutcome::Accepted);
    }
    stored(tx, place, measurement)?.ok_or(StoreError::Damaged("measurement"))
}

/// The result for a measurement whose key is taken; `None` if it is free.
pub(super) fn stored(
    tx: &Transaction<'_>,
    place: Place,
    measurement: &Measurement,
) -> Result<Option<InsertOutcome>, StoreError> {
    let uuid = place.uuid.as_ref().map_or(&[][..], |uuid| uuid.as_bytes());
    let flags = set::flag_bits(&measurement.flags);
    let (sql, key) = match &place.uuid {
        None => (
            "SELECT meter, measured_at, data, flags FROM measurement
             WHERE meter = ?1 AND slot = ?2 AND uuid = x''",
            params![place.meter, place.slot],
        ),
        Some(_) => (
            "SELECT meter, measured_at, data, flags FROM measurement
             WHERE uuid = ?1 AND uuid <> x''",
            params![uuid],
        ),
    };
    let stored: Option<(i32, i64, String, Option<i16>)> = tx
        .prepare_cached(sql)?
        .query_row(key, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((meter, at, data, stored_flags)) = stored else { return Ok(None) };
    let same = meter == place.meter
        && at == measurement.measured_at.as_microsecond()
        && stored_flags == flags
        && parse(&data)? == measurement.data;
    Ok(Some(if same {
        InsertOutcome::Duplicate
    } else {
        InsertOutcome::Refused(Refusal::OtherContent)
    }))
}

pub(super) fn parse(data: &str) -> Result<MeasurementData, StoreError> {
    parse_data(data).map_err(|_| StoreError::Damaged("measurement"))
}
