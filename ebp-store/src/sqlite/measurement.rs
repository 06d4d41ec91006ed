//! Storing measurements and listing them.

use crate::rule::consent::require_granted;
use ebp_core::{
    contract::StoredMeasurement,
    model::{Measurement, MeasurementIds},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::{
    consent,
    quota::Budgets,
    series,
    stored::{insert_one, parse},
    value::{Id, Instant},
};
use crate::{
    Admission, HouseholdId, InsertOutcome, KnownMeter, Page, PageQuery, Quota, Source, StoreError,
    page::{Choice, Listed, Window, choose, rows_for},
    rule::admission::{Latest, latest_of},
    set,
};

/// Stores the admitted measurements and returns the result for each.
pub fn insert(
    tx: &Transaction<'_>,
    household: HouseholdId,
    measurements: &[Measurement],
    received_at: Timestamp,
    limit: Option<(Quota, Source)>,
) -> Result<Vec<InsertOutcome>, StoreError> {
    let consent = consent::consent(tx, household)?;
    let granted_at = require_granted(&consent)?;
    let meters = tx
        .prepare_cached("SELECT uuid, number FROM meter WHERE household = ?1")?
        .query_map([Id(household.0)], |row| {
            let Id(uuid) = row.get(0)?;
            Ok(KnownMeter { number: row.get(1)?, ids: MeasurementIds::for_meter(uuid) })
        })?
        .collect::<Result<_, _>>()?;
    let admission = Admission::new(meters, granted_at, received_at);
    let mut budgets = limit.map(|(quota, source)| {
        Budgets::new(quota, quota.allowance(source, granted_at, received_at), granted_at)
    });
    let mut there = Vec::new();
    let outcomes = measurements
        .iter()
        .map(|measurement| match admission.check(measurement) {
            Ok(place) => {
                let outcome = match &mut budgets {
                    Some(budgets) if !budgets.is_regular(&place) => {
                        budgets.insert(tx, place, measurement, received_at)
                    }
                    _ => insert_one(tx, place, measurement, received_at),
                }?;
                if matches!(outcome, InsertOutcome::Accepted | InsertOutcome::Duplicate) {
                    there.push(Latest {
                        meter: place.meter,
                        measured_at: measurement.measured_at,
                        received_at,
                        flags: set::flag_bits(&measurement.flags),
                    });
                }
                Ok(outcome)
            }
            Err(refusal) => Ok(InsertOutcome::Refused(refusal)),
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    if let Some(budgets) = budgets {
        budgets.note(tx)?;
    }
    series::remove_changed(tx, measurements, &outcomes, received_at)?;
    note_latest(tx, &latest_of(there.into_iter()))?;
    Ok(outcomes)
}

/// Notes the latest measurement of each meter, if it is later than the one that is noted.
fn note_latest(tx: &Transaction<'_>, latest: &[Latest]) -> Result<(), StoreError> {
    let mut note = tx.prepare_cached(
        "INSERT INTO meter_latest (meter, measured_at, received_at, flags) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (meter) DO UPDATE SET
             received_at = max(received_at, excluded.received_at),
             flags = iif(excluded.measured_at >= measured_at, excluded.flags, flags),
             measured_at = max(measured_at, excluded.measured_at)",
    )?;
    for Latest { meter, measured_at, received_at, flags } in latest {
        note.execute(params![meter, Instant(*measured_at), Instant(*received_at), flags])?;
    }
    Ok(())
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
    let ids = MeasurementIds::for_meter(meter);
    let Window { slot, start, to, after } = Window::from_query(&query);
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
