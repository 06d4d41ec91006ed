//! Storing measurements, those of many reports in one statement.
//!
//! Enters: reports. Leaves: what became of each measurement, once that is durable. Absent: listing
//! them, and the rules that the schema keeps: that each identifier is there once for ever, and
//! nothing outside consent.
//!
//! The fastest way into a table is `COPY` in its binary form. It knows no `ON CONFLICT`: one
//! identifier that is there already and nothing of it is stored. That is rare (an answer was
//! lost), and then those are left out and the rest is copied again.

use std::{
    collections::{HashMap, HashSet},
    pin::pin,
};

use bytes::{BufMut, BytesMut};
use deadpool_postgres::{Client, Pool};
use ebp_core::model::{ConsentState, Measurement, MeasurementData, MeasurementIds, write_data};
use futures_util::SinkExt;
use jiff::{Timestamp, tz::TimeZone};
use uuid::Uuid;

use super::{
    PostgresError, consent,
    gather::{Asked, Bounds, Gather, answer_all},
    listing::parse,
    value::Instant,
};
use crate::store::{Admission, HouseholdId, KnownMeter, Outcome, Refusal, StoreError, set};

/// The schema's own SQLSTATE: the consent of a measurement's household does not cover it.
const NOT_WITHIN_CONSENT: &str = "EBP01";

/// No partition takes the row, or there is none by the month's name.
const NO_PARTITION: [&str; 2] = ["23514", "42P01"];

/// An identifier is there already.
const NOT_UNIQUE: &str = "23505";

/// How often others may be in the way before it is given up: each time somebody else stored one of
/// the identifiers, revoked, or the month was missing.
const TRIES: usize = 8;

/// Reports in one transaction: each may hold a lock.
const REPORTS: usize = 256;

/// Measurements in one transaction; a single report may have as many.
const ROWS: usize = 10_000;

/// A report and when it came.
pub struct Report {
    pub household: HouseholdId,
    pub measurements: Vec<Measurement>,
    pub received_at: Timestamp,
}

/// Where reports are left to be stored.
pub type Reports = Gather<Report, Vec<Outcome>>;

/// Stores what is left there, by so many connections at once.
pub fn reports(pool: &Pool, connections: usize) -> Reports {
    let pool = pool.clone();
    let weigh = |report: &Report| report.measurements.len();
    let bounds = Bounds { questions: REPORTS, weight: ROWS, weigh };
    Gather::start(connections, bounds, move |group| store_group(pool.clone(), group))
}

async fn store_group(pool: Pool, group: Vec<Asked<Report, Vec<Outcome>>>) {
    let reports: Vec<&Report> = group.iter().map(|asked| &asked.question).collect();
    match insert(&pool, &reports).await {
        // What one of them brought about is not the others' fault.
        Err(StoreError::Postgres(error)) if group.len() > 1 && !error.is_unreachable() => {
            for asked in group {
                let alone = insert(&pool, &[&asked.question]).await;
                asked.answer(alone.and_then(|mut answers| answers.pop().unwrap_or_else(missing)));
            }
        }
        stored => answer_all(group, stored),
    }
}

fn missing<T>() -> Result<T, StoreError> {
    Err(PostgresError::Protocol("an answer is missing".into()).into())
}

type Answers = Vec<Result<Vec<Outcome>, StoreError>>;

/// Stores what may be stored of these reports, all of it or nothing, and says of each measurement
/// what became of it.
async fn insert(pool: &Pool, reports: &[&Report]) -> Result<Answers, StoreError> {
    let mut known = HashSet::new();
    let mut tries = 0;
    loop {
        tries += 1;
        let mut db = pool.get().await?;
        let admitted = admit(&db, reports).await?;
        let most = reports.iter().map(|report| report.measurements.len()).sum();
        let mut rows = Vec::with_capacity(most);
        let mut later = Vec::new();
        let mut seen = HashSet::with_capacity(most);
        for (report, admitted) in reports.iter().zip(&admitted) {
            for (measurement, refusal) in report.measurements.iter().zip(admitted.iter().flatten())
            {
                if refusal.is_some() {
                    continue;
                }
                // Of the same identifier twice the second is held against the first.
                let fresh = !known.contains(&measurement.uuid) && seen.insert(measurement.uuid);
                if fresh {
                    rows.push((measurement, report.received_at));
                } else {
                    later.push(measurement);
                }
            }
        }
        match copy(&mut db, &mut rows).await {
            Ok(()) => {}
            Err(CopyError::Begin(error)) => {
                // The client library has lost count of what PostgreSQL answers.
                drop(Client::take(db));
                if tries == TRIES || !NO_PARTITION.iter().any(|code| error.is(code)) {
                    return Err(error.into());
                }
                make_partitions(&pool.get().await?, &rows).await?;
                continue;
            }
            Err(CopyError::End(error)) => {
                if tries == TRIES {
                    return Err(error.into());
                } else if error.is(NOT_UNIQUE) {
                    known.extend(keys(&db, &rows).await?);
                } else if NO_PARTITION.iter().any(|code| error.is(code)) {
                    make_partitions(&db, &rows).await?;
                } else if !error.is(NOT_WITHIN_CONSENT) {
                    // Otherwise revoked since admission was read; the next look sees it.
                    return Err(error.into());
                }
                continue;
            }
        }
        let stored = if later.is_empty() { HashMap::new() } else { stored(&db, &later).await? };
        return Ok(outcomes(reports, admitted, seen, &stored));
    }
}

/// Of each measurement what became of it; the first of each identifier in `accepted` was stored.
fn outcomes(
    reports: &[&Report],
    admitted: Vec<Result<Vec<Option<Refusal>>, StoreError>>,
    mut accepted: HashSet<Uuid>,
    stored: &HashMap<Key, Content>,
) -> Answers {
    let mut outcome = |measurement: &Measurement, refusal: Option<Refusal>| match refusal {
        Some(refusal) => Outcome::Refused(refusal),
        None if accepted.remove(&measurement.uuid) => Outcome::Accepted,
        None => match stored.get(&key(measurement)) {
            Some(content) if *content == content_of(measurement) => Outcome::Duplicate,
            _ => Outcome::Refused(Refusal::OtherContent),
        },
    };
    reports
        .iter()
        .zip(admitted)
        .map(|(report, refusals)| {
            let each = report.measurements.iter().zip(refusals?);
            Ok(each.map(|(measurement, refusal)| outcome(measurement, refusal)).collect())
        })
        .collect()
}

/// Of each report why which of its measurements is refused, or why all of it.
async fn admit(
    db: &Client,
    reports: &[&Report],
) -> Result<Vec<Result<Vec<Option<Refusal>>, StoreError>>, StoreError> {
    let households: Vec<Uuid> = reports.iter().map(|report| report.household.0).collect();
    let statement = db
        .prepare_cached(
            "SELECT granted_at, revoked_at, household,
                    ARRAY(SELECT uuid FROM meter WHERE meter.household = consent.household)
             FROM consent WHERE household = ANY ($1)",
        )
        .await?;
    let mut of_household = HashMap::new();
    for row in db.query(&statement, &[&households]).await? {
        let consent = consent::from_row(&row)?;
        let (household, meters): (Uuid, Vec<Uuid>) = (row.try_get(2)?, row.try_get(3)?);
        of_household.insert(household, (consent, meters));
    }
    let refusals = |report: &&Report| {
        let (consent, meters) =
            of_household.get(&report.household.0).ok_or(StoreError::NotFound)?;
        let granted_at = match (consent.state, consent.granted_at) {
            (ConsentState::Granted, Some(granted_at)) => granted_at,
            (ConsentState::Revoked, _) => return Err(StoreError::ConsentRevoked),
            _ => return Err(StoreError::ConsentNotGranted),
        };
        let known = |uuid| KnownMeter { number: 0, ids: MeasurementIds::of(uuid) };
        let meters = meters.iter().copied().map(known).collect();
        let admission = Admission::new(meters, granted_at, report.received_at);
        Ok(report.measurements.iter().map(|one| admission.check(one).err()).collect())
    };
    Ok(reports.iter().map(refusals).collect())
}

type Row<'a> = (&'a Measurement, Timestamp);

/// Why nothing was copied.
enum CopyError {
    /// It did not begin.
    Begin(PostgresError),
    /// What was sent was not taken.
    End(PostgresError),
}

/// Stores all of these or none. Those of one month go into its partition by name: PostgreSQL then
/// fills whole pages at a time, which it does not on the way over the partitioned table.
///
/// The transaction is an explicit one: PostgreSQL says that a `COPY` is complete before it commits
/// one that began with it, and the client library listens no longer. Only the answer to `COMMIT`
/// says that the rows are durable (seen when PostgreSQL had no room for its log).
async fn copy(db: &mut Client, rows: &mut [Row<'_>]) -> Result<(), CopyError> {
    let Some((first, _)) = rows.first() else { return Ok(()) };
    let month = month(first);
    let one = rows.iter().all(|(row, _)| self::month(row) == month);
    // The order of the index.
    rows.sort_unstable_by_key(|(row, _)| (row.meter, row.measured_at));
    let table = match month {
        (year, month) if one => format!("measurement_{year:04}_{month:02}"),
        _ => "measurement".to_owned(),
    };
    let begin = |error: tokio_postgres::Error| CopyError::Begin(error.into());
    let end = |error: tokio_postgres::Error| CopyError::End(error.into());
    let encoded = encode(rows).map_err(CopyError::End)?;
    let transaction = db.transaction().await.map_err(begin)?;
    let statement = transaction
        .prepare_cached(&format!(
            "COPY {table} (meter, measured_at, uuid, received_at, data, flags) FROM STDIN BINARY"
        ))
        .await
        .map_err(begin)?;
    let mut sink = pin!(transaction.copy_in(&statement).await.map_err(begin)?);
    // What PostgreSQL says against it is told at the end.
    let sent = sink.send(encoded.freeze()).await;
    sink.finish().await.map_err(end)?;
    sent.map_err(end)?;
    transaction.commit().await.map_err(end)
}

fn month(row: &Measurement) -> (i16, i8) {
    let date = TimeZone::UTC.to_datetime(row.measured_at);
    (date.year(), date.month())
}

/// `COPY`'s binary form: a head, of each row the number of its fields and of each field its length
/// and octets, and an end.
fn encode(rows: &[Row<'_>]) -> Result<BytesMut, PostgresError> {
    const EPOCH: i64 = 946_684_800_000_000;
    let mut out = BytesMut::with_capacity(32 + rows.len() * 256);
    out.put_slice(b"PGCOPY\n\xff\r\n\0");
    out.put_i32(0);
    out.put_i32(0);
    let uuid = |out: &mut BytesMut, uuid: Uuid| {
        out.put_i32(16);
        out.put_slice(uuid.as_bytes());
    };
    let instant = |out: &mut BytesMut, at: Timestamp| {
        out.put_i32(8);
        out.put_i64(at.as_microsecond() - EPOCH);
    };
    for (row, received_at) in rows {
        out.put_i16(6);
        uuid(&mut out, row.meter);
        instant(&mut out, row.measured_at);
        uuid(&mut out, row.uuid);
        instant(&mut out, *received_at);
        let place = out.len();
        out.put_i32(0);
        write_data(&row.data, &mut out)
            .map_err(|error| PostgresError::Protocol(error.to_string()))?;
        let length = i32::try_from(out.len() - place - 4)
            .map_err(|_| PostgresError::Protocol("a measurement is too long".into()))?;
        out[place..place + 4].copy_from_slice(&length.to_be_bytes());
        match set::flag_bits(&row.flags) {
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

/// Which of these identifiers are there already.
async fn keys(db: &Client, rows: &[Row<'_>]) -> Result<Vec<Uuid>, StoreError> {
    let uuids: Vec<Uuid> = rows.iter().map(|(row, _)| row.uuid).collect();
    let statement =
        db.prepare_cached("SELECT uuid FROM measurement_key WHERE uuid = ANY ($1)").await?;
    db.query(&statement, &[&uuids]).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

async fn make_partitions(db: &Client, rows: &[Row<'_>]) -> Result<(), StoreError> {
    let times: Vec<Instant> = rows.iter().map(|(row, _)| Instant(row.measured_at)).collect();
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

fn content_of(measurement: &Measurement) -> Content {
    (measurement.data.clone(), set::flag_bits(&measurement.flags))
}

fn key(measurement: &Measurement) -> Key {
    (measurement.uuid, measurement.meter, measurement.measured_at.as_microsecond())
}

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
            "SELECT sent.uuid, sent.meter, sent.measured_at, found.data::text, found.flags
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
            let key = (row.try_get(0)?, row.try_get(1)?, measured_at.0.as_microsecond());
            Ok((key, (parse(row.try_get(3)?)?, row.try_get(4)?)))
        })
        .collect()
}
