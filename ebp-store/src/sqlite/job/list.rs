//! Jobs as they are shown, and their results.

use ebp_core::{
    contract::{Job, JobFault, JobState},
    scope::Group,
    trace::TraceId,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::super::{
    list_page::{bounds, page},
    value::{Id, Instant},
};
use crate::{JobCounts, ListCursor, ListPage, ListQuery, StoreError, job::unsigned};

/// Jobs in the order in which they were asked for.
pub fn list(
    db: &Connection,
    of: Option<Group>,
    query: ListQuery,
) -> Result<ListPage<Job>, StoreError> {
    let (at, uuid, limit) = bounds(query);
    let sql = "SELECT uuid, kind, state, created_by, created_at, attempt, failures, run_after,
                       progress, total, cancel_requested, ended_at, error, erased,
                       (SELECT sum(length(bytes)) FROM job_result WHERE job = uuid), trace_id
                FROM job WHERE (created_at, uuid) > (?1, ?2) AND (?3 IS NULL OR created_by = ?3)
                ORDER BY created_at, uuid LIMIT ?4";
    let jobs: Vec<Kept> = db
        .prepare_cached(sql)?
        .query_map(params![at, uuid, of.map(Group::name), limit], kept)?
        .collect::<Result<_, _>>()?;
    let placed = |kept: Kept| {
        let job = job(kept)?;
        let registered_at = job.created_at.as_microsecond();
        Ok((ListCursor { registered_at, uuid: job.uuid }, job))
    };
    Ok(page(query, jobs.into_iter().map(placed).collect::<Result<_, StoreError>>()?))
}

/// A job.
pub fn show(db: &Connection, uuid: Uuid) -> Result<Job, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT uuid, kind, state, created_by, created_at, attempt, failures, run_after,
                progress, total, cancel_requested, ended_at, error, erased,
                (SELECT sum(length(bytes)) FROM job_result WHERE job = uuid), trace_id
         FROM job WHERE uuid = ?1",
    )?;
    job(statement.query_row([Id(uuid)], kept).optional()?.ok_or(StoreError::NotFound)?)
}

/// A job's result.
pub fn result(db: &Connection, uuid: Uuid) -> Result<Vec<u8>, StoreError> {
    let parts: Vec<Vec<u8>> = db
        .prepare_cached("SELECT bytes FROM job_result WHERE job = ?1 ORDER BY part")?
        .query_map([Id(uuid)], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    if parts.is_empty() { Err(StoreError::NotFound) } else { Ok(parts.concat()) }
}

/// How many jobs are in each state.
pub fn counts(db: &Connection) -> Result<JobCounts, StoreError> {
    let rows: Vec<(String, i64)> = db
        .prepare_cached("SELECT state, count(*) FROM job GROUP BY state")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    rows.into_iter().map(|(name, count)| Ok((state(&name)?, unsigned(count)?))).collect()
}

/// When the oldest job that has not ended was asked for.
pub fn oldest(db: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT min(created_at) FROM job WHERE state IN ('waiting', 'running')";
    let oldest: Option<Instant> = db.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(oldest.map(|at| at.0))
}

/// A state by its name.
pub fn state(name: &str) -> Result<JobState, StoreError> {
    name.parse().map_err(|_| StoreError::Damaged("job"))
}

/// A job's columns.
struct Kept {
    uuid: Uuid,
    texts: [String; 3],
    instants: [Instant; 2],
    numbers: [i64; 3],
    total: Option<i64>,
    ended_at: Option<Instant>,
    error: Option<String>,
    flags: [bool; 2],
    result: Option<i64>,
    trace: Option<Id>,
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let Id(uuid) = row.get(0)?;
    Ok(Kept {
        uuid,
        texts: [row.get(1)?, row.get(2)?, row.get(3)?],
        instants: [row.get(4)?, row.get(7)?],
        numbers: [row.get(5)?, row.get(6)?, row.get(8)?],
        total: row.get(9)?,
        ended_at: row.get(11)?,
        error: row.get(12)?,
        flags: [row.get(10)?, row.get(13)?],
        result: row.get(14)?,
        trace: row.get(15)?,
    })
}

fn job(kept: Kept) -> Result<Job, StoreError> {
    let [kind, name, created_by] = kept.texts;
    let [Instant(created_at), Instant(run_after)] = kept.instants;
    let [attempt, failures, progress] = kept.numbers;
    let [cancel_requested, erased] = kept.flags;
    let read = kept.error.as_deref().map(JobFault::read);
    let (error, fault) = read.map_or((None, None), |(text, fault)| (Some(text), fault));
    Ok(Job {
        uuid: kept.uuid,
        kind,
        state: state(&name)?,
        created_by,
        created_at,
        trace_id: kept.trace.map(|Id(trace)| TraceId::from_uuid(trace)),
        attempt: unsigned(attempt)?,
        failures: unsigned(failures)?,
        run_after,
        progress: unsigned(progress)?,
        total: kept.total.map(unsigned).transpose()?,
        cancel_requested,
        ended_at: kept.ended_at.map(|at| at.0),
        error,
        fault,
        result: kept.result.map(unsigned).transpose()?,
        erased,
    })
}
