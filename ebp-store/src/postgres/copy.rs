//! Copies rows of measurements into the partition of their month, by `COPY` in binary format.
//!
//! Enters: rows in the order of their keys. Leaves: nothing, once all of them are durable. Absent:
//! the rules of admission.

use std::pin::pin;

use bytes::{BufMut, BytesMut};
use deadpool_postgres::Client;
use ebp_core::model::{Measurement, write_data};
use futures_util::{SinkExt, future};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use tokio_postgres::types::ToSql;

use super::{
    PostgresError,
    value::{EPOCH, Instant},
};
use crate::{
    Place, StoreError,
    rule::admission::{Latest, latest_of},
    set,
};

/// A measurement to store.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The measurement.
    pub measurement: &'a Measurement,
    /// Its key.
    pub place: Place,
    /// When it was received.
    pub received_at: Timestamp,
    /// Its index in the upload.
    pub number: usize,
}

/// Why nothing was copied.
pub enum CopyError {
    /// There is no table for their month, or for one of their months.
    NoPartition,
    /// It did not begin.
    Begin(PostgresError),
    /// The rows were rejected; the connection can still be used.
    End(PostgresError),
}

/// No partition takes the row, or there is none by the month's name.
const NO_PARTITION: [&str; 2] = ["23514", "42P01"];

/// It was not answered in time.
impl From<PostgresError> for CopyError {
    fn from(error: PostgresError) -> Self {
        Self::Begin(error)
    }
}

impl CopyError {
    fn from_error(error: tokio_postgres::Error, other: fn(PostgresError) -> Self) -> Self {
        let error = error.into();
        if NO_PARTITION.iter().any(|code| PostgresError::is(&error, code)) {
            Self::NoPartition
        } else {
            other(error)
        }
    }
}

/// Stores all of these or none. Those of one month go into its partition by name: PostgreSQL then
/// fills whole pages at a time, which it does not do through the partitioned table.
///
/// The transaction is an explicit one: PostgreSQL says that a `COPY` is complete before it commits
/// one that began with it, and the client library does not wait any longer. Only the answer to
/// `COMMIT` confirms that the rows are durable (seen when PostgreSQL had no room for its log). Its
/// beginning and end are sent along with the rows, without waiting for an answer to each: after a
/// failure PostgreSQL treats `COMMIT` as a rollback.
///
/// After a failure at the beginning the connection cannot be used any more, because the client
/// library has lost track of PostgreSQL's answers.
pub async fn copy(db: &Client, rows: &[Row<'_>]) -> Result<(), CopyError> {
    let slots = rows.iter().map(|row| row.place.slot);
    let (Some(first), Some(last)) = (slots.clone().min(), slots.max()) else { return Ok(()) };
    let month = month(first);
    let table = if month == self::month(last) {
        format!("measurement_{:04}_{:02}", month.year(), month.month())
    } else {
        "measurement".to_owned()
    };
    let begin = |error| CopyError::from_error(error, CopyError::Begin);
    let end = |error| CopyError::from_error(error, CopyError::End);
    let statement = db
        .prepare_cached(&format!(
            "COPY {table} (meter, slot, measured_at, received_at, uuid, data, flags)
             FROM STDIN BINARY"
        ))
        .await
        .map_err(begin)?;
    let note = db.prepare_cached(NOTE_LATEST).await.map_err(begin)?;
    let latest = latest_of(rows.iter().map(|row| Latest {
        meter: row.place.meter,
        measured_at: row.measurement.measured_at,
        received_at: row.received_at,
        flags: set::flag_bits(&row.measurement.flags),
    }));
    let meters: Vec<i32> = latest.iter().map(|one| one.meter).collect();
    let measured: Vec<Instant> = latest.iter().map(|one| Instant(one.measured_at)).collect();
    let received: Vec<Instant> = latest.iter().map(|one| Instant(one.received_at)).collect();
    let flags: Vec<Option<i16>> = latest.iter().map(|one| one.flags).collect();
    let encoded = encode(rows).map_err(CopyError::End)?;
    // Sent in this order.
    let (begun, copying) = future::join(db.batch_execute("BEGIN"), db.copy_in(&statement)).await;
    begun.map_err(begin)?;
    let mut sink = pin!(copying.map_err(begin)?);
    // PostgreSQL's error is returned at the end.
    let sent = sink.send(encoded.freeze()).await;
    let parameters: [&(dyn ToSql + Sync); 4] = [&meters, &measured, &received, &flags];
    let noting = db.execute(&note, &parameters);
    let (taken, noted, committed) =
        future::join3(sink.finish(), noting, db.batch_execute("COMMIT")).await;
    taken.map_err(end)?;
    sent.and(noted.map(drop)).and(committed).map_err(end)
}

/// Notes the latest measurements of meters, those that are later than the ones that are noted.
const NOTE_LATEST: &str = "
    INSERT INTO meter_latest AS kept (meter, measured_at, received_at, flags)
    SELECT * FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[], $4::smallint[])
    ON CONFLICT (meter) DO UPDATE SET
        received_at = greatest(kept.received_at, excluded.received_at),
        flags = CASE WHEN excluded.measured_at >= kept.measured_at THEN excluded.flags
                     ELSE kept.flags END,
        measured_at = greatest(kept.measured_at, excluded.measured_at)";

/// The month's first day in UTC.
pub fn month(microsecond: i64) -> Date {
    let at = Timestamp::from_microsecond(microsecond).unwrap_or_default();
    TimeZone::UTC.to_datetime(at).date().first_of_month()
}

/// `COPY`'s binary form: a head, of each row the number of its fields and of each field its length
/// and octets, and an end.
fn encode(rows: &[Row<'_>]) -> Result<BytesMut, PostgresError> {
    let mut out = BytesMut::with_capacity(32 + rows.len() * 256);
    out.put_slice(b"PGCOPY\n\xff\r\n\0");
    out.put_i32(0);
    out.put_i32(0);
    let instant = |out: &mut BytesMut, microsecond: i64| {
        out.put_i32(8);
        out.put_i64(microsecond - EPOCH);
    };
    for Row { measurement, place, received_at, .. } in rows {
        out.put_i16(7);
        out.put_i32(4);
        out.put_i32(place.meter);
        instant(&mut out, place.slot);
        instant(&mut out, measurement.measured_at.as_microsecond());
        instant(&mut out, received_at.as_microsecond());
        match place.uuid {
            None => out.put_i32(-1),
            Some(uuid) => {
                out.put_i32(16);
                out.put_slice(uuid.as_bytes());
            }
        }
        let start = out.len();
        out.put_i32(0);
        write_data(&measurement.data, &mut out)
            .map_err(|error| PostgresError::Protocol(error.to_string()))?;
        let length = i32::try_from(out.len() - start - 4)
            .map_err(|_| PostgresError::Protocol("a measurement is too long".into()))?;
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        match set::flag_bits(&measurement.flags) {
            None => out.put_i32(-1),
            Some(flags) => {
                out.put_i32(2);
                out.put_i16(flags);
            }
        }
    }
    out.put_i16(-1);
    Ok(out)
}

/// Creates the partitions of these rows' months, except archived ones.
pub async fn make_partitions(
    db: &Client,
    rows: &[Row<'_>],
    archived: &[Date],
) -> Result<(), StoreError> {
    let mut months: Vec<Date> = rows.iter().map(|row| month(row.place.slot)).collect();
    months.dedup();
    months.sort_unstable();
    months.dedup();
    months.retain(|month| !archived.contains(month));
    for month in months {
        let first = TimeZone::UTC.to_timestamp(month.into()).unwrap_or_default();
        db.execute("SELECT make_measurement_partition($1)", &[&Instant(first)]).await?;
    }
    Ok(())
}
