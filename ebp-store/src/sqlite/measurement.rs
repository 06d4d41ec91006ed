//! Storing measurements and listing them.

use ebp_core::{
    contract::StoredMeasurement,
    model::{ConsentState, Measurement, MeasurementData, MeasurementIds, parse_data, write_data},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::{
    consent,
    quota::Budgets,
    value::{Id, Instant},
};
use crate::{
    Admission, HouseholdId, KnownMeter, Outcome, Page, PageQuery, Place, Quota, Refusal, Source,
    StoreError,
    page::{Choice, Listed, Window, choose, rows_for},
    set,
};

/// Stores what may be stored and says of each measurement what became of it.
pub fn insert(
    tx: &Transaction<'_>,
    household: HouseholdId,
    measurements: &[Measurement],
    received_at: Timestamp,
    limit: Option<(Quota, Source)>,
) -> Result<Vec<Outcome>, StoreError> {
    let consent = consent::consent(tx, household)?;
    let granted_at = match (consent.state, consent.granted_at) {
        (ConsentState::Granted, Some(granted_at)) => granted_at,
        (ConsentState::Revoked, _) => return Err(StoreError::ConsentRevoked),
        _ => return Err(StoreError::ConsentNotGranted),
    };
    let meters = tx
        .prepare_cached("SELECT uuid, number FROM meter WHERE household = ?1")?
        .query_map([Id(household.0)], |row| {
            let Id(uuid) = row.get(0)?;
            Ok(KnownMeter { number: row.get(1)?, ids: MeasurementIds::of(uuid) })
        })?
        .collect::<Result<_, _>>()?;
    let admission = Admission::new(meters, granted_at, received_at);
    let mut budgets = limit.map(|(quota, source)| {
        Budgets::new(quota, quota.allowance(source, granted_at, received_at), granted_at)
    });
    let outcomes = measurements
        .iter()
        .map(|measurement| match admission.check(measurement) {
            Ok(place) => match &mut budgets {
                Some(budgets) if !budgets.is_regular(&place) => {
                    budgets.insert(tx, place, measurement, received_at)
                }
                _ => insert_one(tx, place, measurement, received_at),
            },
            Err(refusal) => Ok(Outcome::Refused(refusal)),
        })
        .collect::<Result<_, _>>()?;
    if let Some(budgets) = budgets {
        budgets.note(tx)?;
    }
    Ok(outcomes)
}

pub(super) fn insert_one(
    tx: &Transaction<'_>,
    place: Place,
    measurement: &Measurement,
    received_at: Timestamp,
) -> Result<Outcome, StoreError> {
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
        return Ok(Outcome::Accepted);
    }
    stored(tx, place, measurement)?.ok_or(StoreError::Damaged("measurement"))
}

/// What becomes of a measurement whose place is taken; nothing if it is not.
pub(super) fn stored(
    tx: &Transaction<'_>,
    place: Place,
    measurement: &Measurement,
) -> Result<Option<Outcome>, StoreError> {
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
    Ok(Some(if same { Outcome::Duplicate } else { Outcome::Refused(Refusal::OtherContent) }))
}

/// A page of a meter's measurements.
pub fn page(
    db: &Connection,
    household: HouseholdId,
    meter: Uuid,
    query: PageQuery,
) -> Result<Page, StoreError> {
    let number: i32 = db
        .prepare_cached("SELECT number FROM meter WHERE uuid = ?1 AND household = ?2")?
        .query_row([Id(meter), Id(household.0)], |row| row.get(0))
        .optional()?
        .ok_or(StoreError::NotFound)?;
    let ids = MeasurementIds::of(meter);
    let Window { slot, start, to, after } = Window::of(&query);
    let mut statement = db.prepare_cached(
        // Read from the primary key in its order; nothing is sorted.
        "SELECT slot, measured_at, received_at, uuid, data, flags FROM measurement
         WHERE meter = ?1 AND slot >= ?2 AND slot < ?4 AND measured_at >= ?3 AND measured_at < ?4
         ORDER BY slot LIMIT ?5",
    )?;
    let mut read = rows_for(query.limit);
    loop {
        let limit = i64::try_from(read).unwrap_or(i64::MAX);
        let rows = statement
            .query_and_then(params![number, slot, start, to, limit], |row| listed(row, &ids))?
            .collect::<Result<_, _>>()?;
        match choose(rows, read, after, query.limit) {
            Choice::Page(page) => return Ok(page),
            Choice::More(more) => read = more,
        }
    }
}

fn listed(row: &Row<'_>, ids: &MeasurementIds) -> Result<Listed, StoreError> {
    let (Instant(slot), Instant(measured_at)) = (row.get(0)?, row.get(1)?);
    let Instant(received_at) = row.get(2)?;
    let uuid = row.get_ref(3)?.as_blob().map_err(|_| StoreError::Damaged("measurement"))?;
    let uuid = if uuid.is_empty() {
        ids.at(slot)
    } else {
        Uuid::from_slice(uuid).map_err(|_| StoreError::Damaged("measurement"))?
    };
    let data = row.get_ref(4)?.as_str().map_err(|_| StoreError::Damaged("measurement"))?;
    let (data, flags) = (parse(data)?, set::flags(row.get(5)?));
    let item = StoredMeasurement { uuid, measured_at, received_at, data, flags };
    Ok(Listed { slot: slot.as_microsecond(), item })
}

fn parse(data: &str) -> Result<MeasurementData, StoreError> {
    parse_data(data).map_err(|_| StoreError::Damaged("measurement"))
}
