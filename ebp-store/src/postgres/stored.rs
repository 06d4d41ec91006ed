//! Looks up stored measurements.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Client;
use ebp_core::model::{Measurement, MeasurementData};
use uuid::Uuid;

use super::{copy::Row, listing::parse, value::Instant};
use crate::{Key, StoreError, set};

/// Which of these keys are there already.
pub(super) async fn keys(db: &Client, rows: &[Row<'_>]) -> Result<Vec<Key>, StoreError> {
    let found = find(db, rows).await?;
    let slots = found.into_iter().map(|(number, _)| number).collect::<HashSet<_>>();
    let mut keys: Vec<Key> = rows
        .iter()
        .filter(|row| row.place.uuid.is_none() && slots.contains(&row.number))
        .map(|row| row.place.key())
        .collect();
    let uuids: Vec<Uuid> = rows.iter().filter_map(|row| row.place.uuid).collect();
    let statement =
        db.prepare_cached("SELECT uuid FROM measurement_key WHERE uuid = ANY ($1)").await?;
    for row in db.query(&statement, &[&uuids]).await? {
        keys.push(Key::Own(row.try_get(0)?));
    }
    Ok(keys)
}

/// What a measurement says, besides what its place does.
pub(super) type Content = (i64, MeasurementData, Option<i16>);

pub(super) fn content_of(measurement: &Measurement) -> Content {
    let flags = set::flag_bits(&measurement.flags);
    (measurement.measured_at.as_microsecond(), measurement.data.clone(), flags)
}

/// What is stored at the places of these, by their numbers. What has the same identifier elsewhere
/// is not among it.
pub(super) async fn stored(
    db: &Client,
    rows: &[Row<'_>],
) -> Result<HashMap<usize, Content>, StoreError> {
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let found = find(db, rows).await?;
    found.into_iter().map(|(number, row)| Ok((number, content(&row)?))).collect()
}

fn content(row: &tokio_postgres::Row) -> Result<Content, StoreError> {
    let Instant(measured_at) = row.try_get(1)?;
    Ok((measured_at.as_microsecond(), parse(row.try_get(2)?)?, row.try_get(3)?))
}

/// The stored rows at the places of these, each with its number.
async fn find(
    db: &Client,
    rows: &[Row<'_>],
) -> Result<Vec<(usize, tokio_postgres::Row)>, StoreError> {
    let meters: Vec<i32> = rows.iter().map(|row| row.place.meter).collect();
    let slots: Vec<Instant> = rows.iter().map(|row| Instant::within(row.place.slot)).collect();
    let uuids: Vec<Option<Uuid>> = rows.iter().map(|row| row.place.uuid).collect();
    let statement = db
        .prepare_cached(
            // LIMIT keeps each look-up one of its own, in the one partition of its time.
            "SELECT place, found.measured_at, found.data::text, found.flags
             FROM unnest($1::integer[], $2::timestamptz[], $3::uuid[])
                 WITH ORDINALITY AS sent (meter, slot, uuid, place)
             CROSS JOIN LATERAL (
                 SELECT measured_at, data, flags FROM listed_measurement AS kept
                 WHERE kept.meter = sent.meter AND kept.slot = sent.slot
                     AND kept.uuid IS NOT DISTINCT FROM sent.uuid
                 LIMIT 1
             ) AS found",
        )
        .await?;
    let found = db.query(&statement, &[&meters, &slots, &uuids]).await?;
    let numbered = |row: tokio_postgres::Row| {
        let place = usize::try_from(row.try_get::<_, i64>(0)?).unwrap_or_default();
        let sent = rows.get(place.wrapping_sub(1));
        Ok((sent.ok_or(StoreError::Damaged("measurement"))?.number, row))
    };
    found.into_iter().map(numbered).collect()
}
