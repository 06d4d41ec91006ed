//! Storing measurements and listing them.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Client;
use ebp_core::{
    contract::StoredMeasurement,
    model::{ConsentState, Measurement, MeasurementData},
};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{PostgresError, consent, value::Instant};
use crate::store::{
    Admission, Cursor, HouseholdId, Outcome, Page, PageQuery, Refusal, StoreError, set,
};

/// The schema's own SQLSTATE: the consent of a measurement's household does not cover it.
const NOT_WITHIN_CONSENT: &str = "EBP01";

/// No partition takes the row.
const NO_PARTITION: &str = "23514";

/// Stores what may be stored and says of each measurement what became of it.
///
/// One statement stores, and is a transaction by itself. What admission was held against cannot
/// have changed since it was read but by a revocation, and that one the schema sees.
pub async fn insert(
    db: &Client,
    household: HouseholdId,
    measurements: &[Measurement],
    received_at: Timestamp,
) -> Result<Vec<Outcome>, StoreError> {
    let admission = admission(db, household, received_at).await?;
    let refusals: Vec<Option<Refusal>> =
        measurements.iter().map(|measurement| admission.check(measurement).err()).collect();
    let admitted = || {
        measurements
            .iter()
            .zip(&refusals)
            .filter(|(_, refusal)| refusal.is_none())
            .map(|(measurement, _)| measurement)
    };
    let mut seen = HashSet::new();
    let mut rows: Vec<&Measurement> =
        admitted().filter(|measurement| seen.insert(measurement.uuid)).collect();
    // Two that store the same measurements take their keys in the same order: the one waits for
    // the other, and never both.
    rows.sort_unstable_by_key(|measurement| measurement.uuid);
    let mut accepted = if rows.is_empty() {
        HashSet::new()
    } else {
        store(db, household, &rows, received_at).await?
    };
    let known: Vec<&Measurement> =
        admitted().filter(|measurement| !accepted.contains(&measurement.uuid)).collect();
    // Of the same uuid twice in one upload the second is held against the first, now stored.
    let repeated = rows.len() != admitted().count();
    let stored = if known.is_empty() && !repeated {
        HashMap::new()
    } else {
        stored(db, &admitted().collect::<Vec<_>>()).await?
    };
    let outcome = |(measurement, refusal): (&Measurement, Option<Refusal>)| match refusal {
        Some(refusal) => Outcome::Refused(refusal),
        None if accepted.remove(&measurement.uuid) => Outcome::Accepted,
        None => {
            let key = (measurement.uuid, measurement.meter, micros(measurement.measured_at));
            match stored.get(&key) {
                Some((data, flags))
                    if *data == measurement.data
                        && *flags == set::flag_bits(&measurement.flags) =>
                {
                    Outcome::Duplicate
                }
                _ => Outcome::Refused(Refusal::OtherContent),
            }
        }
    };
    Ok(measurements.iter().zip(refusals).map(outcome).collect())
}

async fn admission(
    db: &Client,
    household: HouseholdId,
    received_at: Timestamp,
) -> Result<Admission, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT granted_at, revoked_at, ARRAY(SELECT uuid FROM meter WHERE household = $1)
             FROM consent WHERE household = $1",
        )
        .await?;
    let row = db.query_opt(&statement, &[&household.0]).await?.ok_or(StoreError::NotFound)?;
    let consent = consent::from_row(&row)?;
    let granted_at = match (consent.state, consent.granted_at) {
        (ConsentState::Granted, Some(granted_at)) => granted_at,
        (ConsentState::Revoked, _) => return Err(StoreError::ConsentRevoked),
        _ => return Err(StoreError::ConsentNotGranted),
    };
    let meters: Vec<Uuid> = row.try_get(2)?;
    Ok(Admission::new(meters.into_iter().collect(), granted_at, received_at))
}

/// Stores those that are not there yet, and says which.
async fn store(
    db: &Client,
    household: HouseholdId,
    rows: &[&Measurement],
    received_at: Timestamp,
) -> Result<HashSet<Uuid>, StoreError> {
    let uuids: Vec<Uuid> = rows.iter().map(|row| row.uuid).collect();
    let meters: Vec<Uuid> = rows.iter().map(|row| row.meter).collect();
    let times: Vec<Instant> = rows.iter().map(|row| Instant(row.measured_at)).collect();
    let data = rows
        .iter()
        .map(|row| serde_json::to_string(&row.data).map_err(|_| StoreError::Damaged("measurement")))
        .collect::<Result<Vec<_>, _>>()?;
    let flags: Vec<Option<i16>> = rows.iter().map(|row| set::flag_bits(&row.flags)).collect();
    let statement = db
        .prepare_cached(
            "WITH sent AS (
                 SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[],
                                      $6::smallint[])
                     AS sent (uuid, meter, measured_at, data, flags)
             ), fresh AS (
                 INSERT INTO measurement_key (uuid) SELECT uuid FROM sent
                 ON CONFLICT DO NOTHING RETURNING uuid
             )
             INSERT INTO measurement (meter, measured_at, uuid, received_at, data, flags)
             SELECT meter, measured_at, uuid, $5, data::json, flags FROM sent JOIN fresh USING (uuid)
             RETURNING uuid",
        )
        .await?;
    let mut partitions_made = false;
    let inserted = loop {
        let insertion = db
            .query(&statement, &[&uuids, &meters, &times, &data, &Instant(received_at), &flags])
            .await
            .map_err(PostgresError::from);
        match insertion {
            Ok(inserted) => break inserted,
            Err(error) if error.is(NO_PARTITION) && !partitions_made => {
                make_partitions(db, &times).await?;
                partitions_made = true;
            }
            Err(error) if error.is(NOT_WITHIN_CONSENT) => {
                // Revoked since admission was read; then that is the answer.
                admission(db, household, received_at).await?;
                return Err(error.into());
            }
            Err(error) => return Err(error.into()),
        }
    };
    inserted.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

async fn make_partitions(db: &Client, times: &[Instant]) -> Result<(), StoreError> {
    db.execute(
        "SELECT make_measurement_partition(month) FROM (
             SELECT DISTINCT date_trunc('month', measured_at AT TIME ZONE 'UTC')
                 AT TIME ZONE 'UTC' AS month
             FROM unnest($1::timestamptz[]) AS measured_at ORDER BY month
         ) AS months",
        &[&times],
    )
    .await?;
    Ok(())
}

type Key = (Uuid, Uuid, i64);
type Content = (MeasurementData, Option<i16>);

/// What is stored by uuid, meter and time of these. One with the same uuid that differs in meter
/// or time is not among them.
async fn stored(
    db: &Client,
    measurements: &[&Measurement],
) -> Result<HashMap<Key, Content>, StoreError> {
    let uuids: Vec<Uuid> = measurements.iter().map(|row| row.uuid).collect();
    let meters: Vec<Uuid> = measurements.iter().map(|row| row.meter).collect();
    let times: Vec<Instant> = measurements.iter().map(|row| Instant(row.measured_at)).collect();
    let statement = db
        .prepare_cached(
            // LIMIT keeps each look-up one of its own, in the one partition of its time.
            "SELECT sent.uuid, sent.meter, sent.measured_at, found.data::text,
                    found.flags
             FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[])
                 AS sent (uuid, meter, measured_at)
             CROSS JOIN LATERAL (
                 SELECT data, flags FROM measurement
                 WHERE measurement.meter = sent.meter
                     AND measurement.measured_at = sent.measured_at
                     AND measurement.uuid = sent.uuid
                 LIMIT 1
             ) AS found",
        )
        .await?;
    let rows = db.query(&statement, &[&uuids, &meters, &times]).await?;
    rows.iter()
        .map(|row| {
            let measured_at: Instant = row.try_get(2)?;
            let key = (row.try_get(0)?, row.try_get(1)?, micros(measured_at.0));
            Ok((key, (parse(row.try_get(3)?)?, row.try_get(4)?)))
        })
        .collect()
}

/// A page of a meter's measurements.
pub async fn page(
    db: &Client,
    household: HouseholdId,
    meter: Uuid,
    query: PageQuery,
) -> Result<Page, StoreError> {
    let statement =
        db.prepare_cached("SELECT FROM meter WHERE uuid = $1 AND household = $2").await?;
    db.query_opt(&statement, &[&meter, &household.0]).await?.ok_or(StoreError::NotFound)?;
    // The page starts behind the cursor, or behind every uuid of the microsecond before `from`:
    // one comparison of pairs serves both. Times compare to the microsecond, as they are kept.
    let from = query.from.map_or(i64::MIN, Timestamp::as_microsecond);
    let to = query.to.map_or(i64::MAX, Timestamp::as_microsecond);
    let (start, behind) = match query.after {
        Some(cursor) if cursor.measured_at >= from => (cursor.measured_at, cursor.uuid),
        _ => (from.saturating_sub(1), Uuid::max()),
    };
    // One more than asked for tells whether there is a next page.
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1);
    let statement = db
        .prepare_cached(
            // Read from the partitions' keys in their order; nothing is sorted. The comparison of
            // single times is what leaves partitions out.
            "SELECT uuid, measured_at, received_at, data::text, flags FROM measurement
             WHERE meter = $1 AND (measured_at, uuid) > ($2, $3) AND measured_at >= $2
                 AND measured_at < $4
             ORDER BY measured_at, uuid LIMIT $5",
        )
        .await?;
    let rows = db
        .query(
            &statement,
            &[&meter, &Instant::within(start), &behind, &Instant::within(to), &limit],
        )
        .await?;
    let mut items = rows.iter().map(measurement).collect::<Result<Vec<_>, _>>()?;
    let more = items.len() > query.limit;
    items.truncate(query.limit);
    let next = items
        .last()
        .filter(|_| more)
        .map(|last| Cursor { measured_at: micros(last.measured_at), uuid: last.uuid });
    Ok(Page { items, next })
}

fn measurement(row: &Row) -> Result<StoredMeasurement, StoreError> {
    let (measured_at, received_at): (Instant, Instant) = (row.try_get(1)?, row.try_get(2)?);
    Ok(StoredMeasurement {
        uuid: row.try_get(0)?,
        measured_at: measured_at.0,
        received_at: received_at.0,
        data: parse(row.try_get(3)?)?,
        flags: set::flags(row.try_get(4)?),
    })
}

fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

fn parse(data: &str) -> Result<MeasurementData, StoreError> {
    serde_json::from_str(data).map_err(|_| StoreError::Damaged("measurement"))
}
