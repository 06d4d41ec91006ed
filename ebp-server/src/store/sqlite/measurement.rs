//! Storing measurements and listing them.

use ebp_core::{
    contract::StoredMeasurement,
    model::{ConsentState, Measurement, MeasurementData, MeasurementIds, write_data},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::{
    consent,
    value::{Id, Instant},
};
use crate::store::{
    Admission, Cursor, HouseholdId, KnownMeter, Outcome, Page, PageQuery, Refusal, StoreError, set,
};

/// Stores what may be stored and says of each measurement what became of it.
pub fn insert(
    tx: &Transaction<'_>,
    household: HouseholdId,
    measurements: &[Measurement],
    received_at: Timestamp,
) -> Result<Vec<Outcome>, StoreError> {
    let consent = consent::consent(tx, household)?;
    let granted_at = match (consent.state, consent.granted_at) {
        (ConsentState::Granted, Some(granted_at)) => granted_at,
        (ConsentState::Revoked, _) => return Err(StoreError::ConsentRevoked),
        _ => return Err(StoreError::ConsentNotGranted),
    };
    let meters = tx
        .prepare_cached("SELECT uuid FROM meter WHERE household = ?1")?
        .query_map([Id(household.0)], |row| {
            let Id(uuid) = row.get(0)?;
            Ok(KnownMeter { number: 0, ids: MeasurementIds::of(uuid) })
        })?
        .collect::<Result<_, _>>()?;
    let admission = Admission::new(meters, granted_at, received_at);
    measurements
        .iter()
        .map(|measurement| match admission.check(measurement) {
            Ok(_) => insert_one(tx, measurement, received_at),
            Err(refusal) => Ok(Outcome::Refused(refusal)),
        })
        .collect()
}

fn insert_one(
    tx: &Transaction<'_>,
    measurement: &Measurement,
    received_at: Timestamp,
) -> Result<Outcome, StoreError> {
    let mut data = String::new();
    write_data(&measurement.data, &mut data).map_err(|_| StoreError::Damaged("measurement"))?;
    let inserted = tx
        .prepare_cached(
            "INSERT INTO measurement (meter, measured_at, uuid, received_at, data, flags)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            Id(measurement.meter),
            Instant(measurement.measured_at),
            Id(measurement.uuid),
            Instant(received_at),
            data,
            set::flag_bits(&measurement.flags)
        ])?;
    if inserted == 1 {
        return Ok(Outcome::Accepted);
    }
    let stored: Option<(Id, i64, String, Option<i16>)> = tx
        .prepare_cached("SELECT meter, measured_at, data, flags FROM measurement WHERE uuid = ?1")?
        .query_row([Id(measurement.uuid)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let (meter, measured_at, data, flags) = stored.ok_or(StoreError::Damaged("measurement"))?;
    let same = meter.0 == measurement.meter
        && measured_at == measurement.measured_at.as_microsecond()
        && flags == set::flag_bits(&measurement.flags)
        && parse(&data)? == measurement.data;
    Ok(if same { Outcome::Duplicate } else { Outcome::Refused(Refusal::OtherContent) })
}

/// A page of a meter's measurements.
pub fn page(
    db: &Connection,
    household: HouseholdId,
    meter: Uuid,
    query: PageQuery,
) -> Result<Page, StoreError> {
    let own: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM meter WHERE uuid = ?1 AND household = ?2)")?
        .query_row([Id(meter), Id(household.0)], |row| row.get(0))?;
    if !own {
        return Err(StoreError::NotFound);
    }
    // The page starts at the later of `from` and the cursor. One comparison of pairs serves both:
    // every uuid is more than no octets. Times compare to the microsecond, as they are kept.
    let from = query.from.map_or(i64::MIN, Timestamp::as_microsecond);
    let to = query.to.map_or(i64::MAX, Timestamp::as_microsecond);
    let (start, behind) = match query.after {
        Some(cursor) if cursor.measured_at >= from => (cursor.measured_at, Some(Id(cursor.uuid))),
        _ => (from, None),
    };
    // One more than asked for tells whether there is a next page.
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut rows = db
        .prepare_cached(
            // Read from the primary key in its order; nothing is sorted.
            "SELECT uuid, measured_at, received_at, data, flags FROM measurement
             WHERE meter = ?1 AND (measured_at, uuid) > (?2, coalesce(?3, x'')) AND measured_at < ?4
             ORDER BY measured_at, uuid LIMIT ?5",
        )?
        .query_map(params![Id(meter), start, behind, to, limit], |row| {
            let (uuid, measured_at): (Id, Instant) = (row.get(0)?, row.get(1)?);
            let (received_at, data): (Instant, String) = (row.get(2)?, row.get(3)?);
            Ok((uuid.0, measured_at.0, received_at.0, data, row.get(4)?))
        })?
        .map(|row| {
            let (uuid, measured_at, received_at, data, flags) = row?;
            let (data, flags) = (parse(&data)?, set::flags(flags));
            Ok(StoredMeasurement { uuid, measured_at, received_at, data, flags })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    let more = rows.len() > query.limit;
    rows.truncate(query.limit);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|last| Cursor { measured_at: last.measured_at.as_microsecond(), uuid: last.uuid });
    Ok(Page { items: rows, next })
}

fn parse(data: &str) -> Result<MeasurementData, StoreError> {
    serde_json::from_str(data).map_err(|_| StoreError::Damaged("measurement"))
}
