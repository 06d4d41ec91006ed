//! Storing measurements, those of many reports in one statement.
//!
//! Enters: reports. Leaves: the result for each measurement, once that is durable. Absent: listing
//! them, and the rules that the schema keeps: that each slot of a meter and each identifier is
//! there once for ever, and nothing outside consent.
//!
//! The fastest way into a table is `COPY` in its binary form. It has no `ON CONFLICT`: if one
//! measurement is stored already, nothing is stored. That is rare (an answer was lost); then those
//! are left out and the rest is copied again.

use crate::rule::consent::require_granted;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, OnceLock},
};

use deadpool_postgres::Client;
use ebp_core::model::{Measurement, MeasurementIds};
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    PostgresError, consent,
    copy::{CopyError, Row, copy, make_partitions, month},
    gather::{Asked, Bounds, Gather, answer_all},
    patience::{CHANGE, Connections},
    quota::{self, Reserved},
    report::{Admissible, Admitted, Report},
    stored::{Content, content_of, keys, stored},
    value::Day,
};
use crate::{Admission, InsertOutcome, Key, KnownMeter, Place, Quota, Refusal, StoreError};

/// The schema's SQLSTATE: the consent of a measurement's household does not cover it.
const NOT_WITHIN_CONSENT: &str = "EBP01";

/// Another transaction notes the latest measurements of the same devices in another order.
const DEADLOCK: &str = "40P01";

/// A slot or an identifier is there already.
const NOT_UNIQUE: &str = "23505";

/// How often it is retried after conflicts: another transaction stored one of the identifiers or
/// revoked consent, or the month's partition was missing.
const TRIES: usize = 8;

/// Reports in one transaction: each may hold a lock.
const REPORTS: usize = 256;

/// Measurements in one transaction; a single report may have more.
const ROWS: usize = 8_000;

/// The queue of reports to store.
pub type Reports = Gather<Report, Vec<InsertOutcome>>;

/// Stores the queued reports, on that many connections at once.
pub fn reports(connections: &Connections, senders: usize, quota: Arc<OnceLock<Quota>>) -> Reports {
    let connections = connections.clone();
    let weigh = |report: &Report| report.measurements.len();
    let bounds = Bounds { questions: REPORTS, weight: ROWS, weigh };
    Gather::start(senders, bounds, move |group| {
        store_group(connections.clone(), group, quota.get().copied())
    })
}

async fn store_group(
    connections: Connections,
    group: Vec<Asked<Report, Vec<InsertOutcome>>>,
    quota: Option<Quota>,
) {
    let reports: Vec<&Report> = group.iter().map(|asked| &asked.question).collect();
    let Broken { error, refused } = match insert(&connections, &reports, quota).await {
        Ok(answers) => return answer_all(group, Ok(answers)),
        Err(broken) => broken,
    };
    // An error that one of them caused must not fail the others.
    let one_by_one = matches!(
        &error,
        StoreError::Postgres(error) if group.len() > 1 && !error.is_unreachable()
    );
    let refused = refused.into_iter().chain(std::iter::repeat_with(|| None));
    for (asked, refused) in group.into_iter().zip(refused) {
        let answer = match refused {
            // Sending it again would not help.
            Some(refused) => Err(refused),
            None if one_by_one => {
                let alone = insert(&connections, &[&asked.question], quota).await;
                let alone = alone.map_err(|broken| broken.error);
                alone.and_then(|mut answers| answers.pop().unwrap_or_else(missing))
            }
            None => Err(error.clone()),
        };
        asked.answer(answer);
    }
}

fn missing<T>() -> Result<T, StoreError> {
    Err(PostgresError::Protocol("an answer is missing".into()).into())
}

type Answers = Vec<Result<Vec<InsertOutcome>, StoreError>>;

/// A group of reports of which nothing was stored.
struct Broken {
    /// Why.
    error: StoreError,
    /// For each report the error that admission gave, if it was read before the failure.
    refused: Vec<Option<StoreError>>,
}

/// What an insertion has read and reserved so far.
#[derive(Default)]
struct Progress {
    /// The quota reserved.
    reserved: Option<Reserved>,
    /// As in [`Broken`].
    refused: Vec<Option<StoreError>>,
}

/// As [`insert_within`]; quota that was reserved and not used is returned.
async fn insert(
    connections: &Connections,
    reports: &[&Report],
    quota: Option<Quota>,
) -> Result<Answers, Broken> {
    let mut progress = Progress::default();
    let stored = insert_within(connections, reports, quota, &mut progress).await;
    if let (Err(_), Some(reserved)) = (&stored, &progress.reserved) {
        quota::give_back(connections, reserved).await;
    }
    stored.map_err(|error| Broken { error, refused: progress.refused })
}

/// Stores the admitted measurements of these reports, all or nothing, and returns the result for
/// each.
async fn insert_within(
    connections: &Connections,
    reports: &[&Report],
    quota: Option<Quota>,
    Progress { reserved, refused: known }: &mut Progress,
) -> Result<Answers, StoreError> {
    let (mut taken, mut archived) = (HashSet::new(), Vec::new());
    let mut tries = 0;
    loop {
        tries += 1;
        let db = connections.get().await?;
        let mut admitted = connections.within(CHANGE, admit(&db, reports)).await?;
        *known = admitted.iter().map(|admitted| admitted.as_ref().err().cloned()).collect();
        if !archived.is_empty() {
            refuse_archived(&mut admitted, &archived);
        }
        if let (Some(quota), None) = (quota, &*reserved) {
            let reserving = quota::reserve(&db, reports, &admitted, quota);
            *reserved = Some(connections.within(CHANGE, reserving).await?);
        }
        let full = reserved.as_ref().map(|reserved| &reserved.full);
        let (rows, later) = split(reports, &admitted, &taken, full);
        let refused = match connections.within(CHANGE, copy(&db, &rows)).await {
            Ok(()) => {
                let stored = connections.within(CHANGE, stored(&db, &later)).await?;
                if !stored.is_empty() {
                    connections.within(CHANGE, make_durable(&db)).await?;
                }
                return Ok(outcomes(reports, admitted, &rows, &stored, full));
            }
            Err(CopyError::NoPartition) if tries < TRIES => {
                drop(Client::take(db));
                let db = connections.get().await?;
                archived = connections.within(CHANGE, archived_months(&db)).await?;
                let made = make_partitions(&db, &rows, &archived);
                connections.within(CHANGE, made).await?;
                continue;
            }
            Err(CopyError::NoPartition) => {
                drop(Client::take(db));
                return Err(
                    PostgresError::Protocol("a month goes away again and again".into()).into()
                );
            }
            Err(CopyError::Begin(error)) => {
                drop(Client::take(db));
                return Err(error.into());
            }
            Err(CopyError::End(error)) => error,
        };
        if tries < TRIES && refused.is(NOT_UNIQUE) {
            taken.extend(connections.within(CHANGE, keys(&db, &rows)).await?);
        } else if tries == TRIES || ![NOT_WITHIN_CONSENT, DEADLOCK].iter().any(|it| refused.is(it))
        {
            // The session may have ended with the error: the next attempt takes another one.
            drop(Client::take(db));
            return Err(refused.into());
        }
        // Otherwise consent was revoked since admission was checked; the next check sees it.
    }
}

/// The measurements to store, in the order of their keys; and those whose key is taken, in the
/// database or by an earlier one of the upload, or that exceed the quota.
fn split<'a>(
    reports: &[&'a Report],
    admitted: &[Admitted],
    taken: &HashSet<Key>,
    full: Option<&HashSet<Key>>,
) -> (Vec<Row<'a>>, Vec<Row<'a>>) {
    let most = reports.iter().map(|report| report.measurements.len()).sum();
    let mut all: Vec<Row<'a>> = Vec::with_capacity(most);
    let mut number = 0;
    for (report, admitted) in reports.iter().zip(admitted) {
        let places = admitted.iter().flat_map(|admitted| &admitted.places);
        for (place, (measurement, admitted)) in report.measurements.iter().zip(places).enumerate() {
            if let Ok(admitted) = admitted {
                let (number, received_at) = (number + place, report.received_at);
                all.push(Row { measurement, place: *admitted, received_at, number });
            }
        }
        number += report.measurements.len();
    }
    // Each report is in order, or nearly; those of the same key stay as they came.
    all.sort_by_key(|row| row.place.key());
    let (mut last, mut later) = (None, Vec::new());
    all.retain(|row| {
        let key = row.place.key();
        let fresh = last.replace(key) != Some(key)
            && !taken.contains(&key)
            && full.is_none_or(|full| !full.contains(&key));
        if !fresh {
            later.push(*row);
        }
        fresh
    });
    (all, later)
}

/// The result for each measurement.
fn outcomes(
    reports: &[&Report],
    admitted: Vec<Admitted>,
    rows: &[Row<'_>],
    stored: &HashMap<usize, Content>,
    full: Option<&HashSet<Key>>,
) -> Answers {
    let most = reports.iter().map(|report| report.measurements.len()).sum();
    let mut accepted = vec![false; most];
    for row in rows {
        accepted[row.number] = true;
    }
    let outcome = |number, measurement: &Measurement, admitted: Result<Place, _>| match admitted {
        Err(refusal) => InsertOutcome::Refused(refusal),
        Ok(_) if accepted[number] => InsertOutcome::Accepted,
        Ok(_) if stored.get(&number) == Some(&content_of(measurement)) => InsertOutcome::Duplicate,
        Ok(place) if full.is_some_and(|full| full.contains(&place.key())) => {
            InsertOutcome::Refused(Refusal::QuotaUsedUp)
        }
        Ok(_) => InsertOutcome::Refused(Refusal::OtherContent),
    };
    let mut first = 0;
    let answer = |(report, admitted): (&&Report, Admitted)| {
        let numbers = first..;
        first += report.measurements.len();
        let each = numbers.zip(&report.measurements).zip(admitted?.places);
        Ok(each.map(|((number, one), admitted)| outcome(number, one, admitted)).collect())
    };
    reports.iter().zip(admitted).map(answer).collect()
}

/// For each measurement of each report its key, or why it is refused.
async fn admit(db: &Client, reports: &[&Report]) -> Result<Vec<Admitted>, StoreError> {
    let households: Vec<Uuid> = reports.iter().map(|report| report.household.0).collect();
    let statement = db
        .prepare_cached(
            "SELECT granted_at, revoked_at, household,
                    ARRAY(SELECT uuid FROM meter WHERE meter.household = consent.household
                          ORDER BY number),
                    ARRAY(SELECT number FROM meter WHERE meter.household = consent.household
                          ORDER BY number)
             FROM consent WHERE household = ANY ($1)",
        )
        .await?;
    let mut of_household = HashMap::new();
    for row in db.query(&statement, &[&households]).await? {
        let consent = consent::from_row(&row)?;
        let (uuids, numbers): (Vec<Uuid>, Vec<i32>) = (row.try_get(3)?, row.try_get(4)?);
        let known = |(uuid, number)| KnownMeter { number, ids: MeasurementIds::for_meter(uuid) };
        let meters: Vec<KnownMeter> = uuids.into_iter().zip(numbers).map(known).collect();
        of_household.insert(row.try_get::<_, Uuid>(2)?, (consent, meters));
    }
    let admitted = |report: &&Report| {
        let (consent, meters) =
            of_household.get(&report.household.0).ok_or(StoreError::ConsentRevoked)?;
        let granted_at = require_granted(consent)?;
        let admission = Admission::new(meters.clone(), granted_at, report.received_at);
        let places = report.measurements.iter().map(|one| admission.check(one)).collect();
        Ok(Admissible { granted_at, places })
    };
    Ok(reports.iter().map(admitted).collect())
}

fn refuse_archived(admitted: &mut [Admitted], archived: &[Date]) {
    for place in admitted.iter_mut().flatten().flat_map(|admitted| &mut admitted.places) {
        if matches!(place, Ok(Place { slot, .. }) if archived.contains(&month(*slot))) {
            *place = Err(Refusal::Archived);
        }
    }
}

async fn archived_months(db: &Client) -> Result<Vec<Date>, StoreError> {
    let statement = db.prepare_cached("SELECT month FROM archived_month").await?;
    let months = db.query(&statement, &[]).await?;
    months.iter().map(|row| Ok(row.try_get::<_, Day>(0)?.0)).collect()
}

/// Makes rows that were found stored durable.
///
/// A row whose sender waited for a synchronous standby is visible once that wait was aborted,
/// although the standby does not have it; a device that gets it confirmed would delete its copy. A
/// transaction that writes to the log waits for everything before it.
async fn make_durable(db: &Client) -> Result<(), StoreError> {
    let written = "BEGIN; SELECT pg_logical_emit_message(true, 'ebp', ''); COMMIT";
    Ok(db.batch_execute(written).await?)
}
