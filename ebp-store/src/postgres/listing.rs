//! A meter's measurements, a page at a time.
//!
//! Enters: which meter, from where. Leaves: a page in the order of time. Absent: storing.

use deadpool_postgres::Client;
use ebp_core::{
    contract::StoredMeasurement,
    model::{MeasurementData, MeasurementIds, parse_data},
};
use tokio_postgres::Row;
use uuid::Uuid;

use super::value::Instant;
use crate::{
    HouseholdId, Page, PageQuery, StoreError,
    page::{Choice, Listed, Window, choose, rows_for},
    set,
};

/// A page of a meter's measurements.
pub async fn page(
    db: &Client,
    household: HouseholdId,
    meter: Uuid,
    query: PageQuery,
) -> Result<Page, StoreError> {
    let statement =
        db.prepare_cached("SELECT number FROM meter WHERE uuid = $1 AND household = $2").await?;
    let known = db.query_opt(&statement, &[&meter, &household.0]).await?;
    let number: i32 = known.ok_or(StoreError::NotFound)?.try_get(0)?;
    let ids = MeasurementIds::for_meter(meter);
    let window = Window::from_query(&query);
    let [slot, start, to] = [window.slot, window.start, window.to].map(Instant::within);
    let statement = db
        .prepare_cached(
            // Read from the partitions' indexes in the order of slots; nothing is sorted. The
            // comparison of slots is what leaves partitions out.
            "SELECT slot, measured_at, received_at, uuid, data::text, flags
             FROM listed_measurement
             WHERE meter = $1 AND slot >= $2 AND slot < $4
                 AND measured_at >= $3 AND measured_at < $4
             ORDER BY slot LIMIT $5",
        )
        .await?;
    let mut read = rows_for(query.limit);
    loop {
        let limit = i64::try_from(read).unwrap_or(i64::MAX);
        let rows = db.query(&statement, &[&number, &slot, &start, &to, &limit]).await?;
        let rows = rows.iter().map(|row| listed(row, &ids)).collect::<Result<_, _>>()?;
        match choose(rows, read, window.after, query.limit) {
            Choice::Page(page) => return Ok(page),
            Choice::More(more) => read = more,
        }
    }
}

fn listed(row: &Row, ids: &MeasurementIds) -> Result<Listed, StoreError> {
    let (Instant(slot), Instant(measured_at)) = (row.try_get(0)?, row.try_get(1)?);
    let Instant(received_at) = row.try_get(2)?;
    let uuid: Option<Uuid> = row.try_get(3)?;
    let item = StoredMeasurement {
        uuid: uuid.unwrap_or_else(|| ids.at(slot)),
        measured_at,
        received_at,
        data: parse(row.try_get(4)?)?,
        flags: set::flags(row.try_get(5)?),
    };
    Ok(Listed { slot: slot.as_microsecond(), item })
}

/// Data points as stored.
pub fn parse(data: &str) -> Result<MeasurementData, StoreError> {
    parse_data(data).map_err(|_| StoreError::Damaged("measurement"))
}
