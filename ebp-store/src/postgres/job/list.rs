//! Jobs as they are shown, and their results.

use deadpool_postgres::GenericClient;
use ebp_core::{
    contract::{Job, JobFault, JobState},
    scope::Group,
    trace::TraceId,
};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::super::{
    list_page::{bounds, page},
    value::Instant,
};
use crate::{JobCounts, ListCursor, ListPage, ListQuery, StoreError, job::unsigned};

/// Jobs in the order in which they were asked for.
pub async fn list(
    db: &impl GenericClient,
    of: Option<Group>,
    query: ListQuery,
) -> Result<ListPage<Job>, StoreError> {
    let (at, uuid, limit) = bounds(query);
    let sql = "SELECT uuid, kind, state, created_by, created_at, attempt, failures, run_after,
                       progress, total, cancel_requested, ended_at, error, erased,
                       (SELECT sum(length(bytes)) FROM job_result WHERE job = uuid), trace_id
                FROM job WHERE (created_at, uuid) > ($1, $2) AND ($3::text IS NULL OR created_by = $3)
                ORDER BY created_at, uuid LIMIT $4";
    let rows = db.query(sql, &[&at, &uuid, &of.map(Group::name), &limit]).await?;
    let placed = |row: &Row| {
        let job = job(row)?;
        let registered_at = job.created_at.as_microsecond();
        Ok((ListCursor { registered_at, uuid: job.uuid }, job))
    };
    Ok(page(query, rows.iter().map(placed).collect::<Result<_, StoreError>>()?))
}

/// A job.
pub async fn show(db: &impl GenericClient, uuid: Uuid) -> Result<Job, StoreError> {
    let sql = "SELECT uuid, kind, state, created_by, created_at, attempt, failures, run_after,
                      progress, total, cancel_requested, ended_at, error, erased,
                      (SELECT sum(length(bytes)) FROM job_result WHERE job = uuid), trace_id
               FROM job WHERE uuid = $1";
    let row = db.query_opt(sql, &[&uuid]).await?;
    job(&row.ok_or(StoreError::NotFound)?)
}

/// A job's result.
pub async fn result(db: &impl GenericClient, uuid: Uuid) -> Result<Vec<u8>, StoreError> {
    let sql = "SELECT bytes FROM job_result WHERE job = $1 ORDER BY part";
    let rows = db.query(sql, &[&uuid]).await?;
    let parts: Vec<&[u8]> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    if parts.is_empty() { Err(StoreError::NotFound) } else { Ok(parts.concat()) }
}

/// How many jobs are in each state.
pub async fn counts(db: &impl GenericClient) -> Result<JobCounts, StoreError> {
    let rows = db.query("SELECT state, count(*) FROM job GROUP BY state", &[]).await?;
    rows.iter().map(|row| Ok((state(row.try_get(0)?)?, unsigned(row.try_get(1)?)?))).collect()
}

/// When the oldest job that has not ended was asked for.
pub async fn oldest(db: &impl GenericClient) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT min(created_at) FROM job WHERE state IN ('waiting', 'running')";
    let oldest: Option<Instant> = db.query_one(sql, &[]).await?.try_get(0)?;
    Ok(oldest.map(|at| at.0))
}

/// A state by its name.
fn state(name: &str) -> Result<JobState, StoreError> {
    name.parse().map_err(|_| StoreError::Damaged("job"))
}

fn job(row: &Row) -> Result<Job, StoreError> {
    let number = |place: usize| row.try_get::<_, i64>(place);
    let (Instant(created_at), Instant(run_after)) = (row.try_get(4)?, row.try_get(7)?);
    let (total, result): (Option<i64>, Option<i64>) = (row.try_get(9)?, row.try_get(14)?);
    let read = row.try_get::<_, Option<&str>>(12)?.map(JobFault::read);
    let (error, fault) = read.map_or((None, None), |(text, fault)| (Some(text), fault));
    Ok(Job {
        uuid: row.try_get(0)?,
        kind: row.try_get(1)?,
        state: state(row.try_get(2)?)?,
        created_by: row.try_get(3)?,
        created_at,
        trace_id: row.try_get::<_, Option<Uuid>>(15)?.map(TraceId::from_uuid),
        attempt: unsigned(number(5)?)?,
        failures: unsigned(number(6)?)?,
        run_after,
        progress: unsigned(number(8)?)?,
        total: total.map(unsigned).transpose()?,
        cancel_requested: row.try_get(10)?,
        ended_at: row.try_get::<_, Option<Instant>>(11)?.map(|at| at.0),
        error,
        fault,
        erased: row.try_get(13)?,
        result: result.map(unsigned).transpose()?,
    })
}
