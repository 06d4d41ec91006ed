//! A meter's measurements, a page at a time.
//!
//! Enters: which meter, from where. Leaves: a page in the order of time. Absent: storing.

use deadpool_postgres::Client;
use ebp_core::{contract::StoredMeasurement, model::MeasurementData};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::value::Instant;
use crate::store::{Cursor, HouseholdId, Page, PageQuery, StoreError, set};

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
            // Read from the partitions' indexes in their order; only those of one microsecond are
            // sorted. The comparison of single times is what leaves partitions out.
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
        .map(|last| Cursor { measured_at: last.measured_at.as_microsecond(), uuid: last.uuid });
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

/// Data points as they are kept.
pub fn parse(data: &str) -> Result<MeasurementData, StoreError> {
    serde_json::from_str(data).map_err(|_| StoreError::Damaged("measurement"))
}
