//! The queue: jobs are added, given to workers, cancelled and retried.

use ebp_core::{
    contract::{Job, JobState},
    trace::TraceId,
};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::{
    super::value::{Id, Instant},
    archive,
    clock::now,
    list,
    subject::put_subjects,
};
use crate::{
    ClaimedJob, JobOrder, JobPolicy, Lease, Standing, StoreError,
    job::{WORKERS_LOST, later, signed, unsigned, valid_leases},
};

/// Adds a job, or answers the one that was added by the same key.
pub fn add(tx: &Transaction<'_>, order: &JobOrder) -> Result<Job, StoreError> {
    let JobOrder { kind, input, subjects, created_by, key, trace_id } = order;
    let known: Option<(Id, bool)> = tx
        .query_row(
            "SELECT uuid, kind = ?3 AND coalesce(
                        (SELECT bytes = ?4 FROM job_input WHERE job = uuid), TRUE)
             FROM job WHERE created_by = ?1 AND key = ?2",
            params![created_by.name(), key, kind, input],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    match known {
        Some((Id(known), true)) => return list::show(tx, known),
        Some((_, false)) => return Err(StoreError::JobKey),
        None => {}
    }
    let (uuid, now) = (Uuid::new_v4(), Instant(now(tx)?));
    tx.execute(
        "INSERT INTO job (uuid, kind, state, created_by, key, created_at, run_after, trace_id)
         VALUES (?1, ?2, 'waiting', ?3, ?4, ?5, ?5, ?6)",
        params![
            Id(uuid),
            kind,
            created_by.name(),
            key,
            now,
            trace_id.map(|trace| Id(trace.uuid()))
        ],
    )?;
    tx.execute("INSERT INTO job_input (job, bytes) VALUES (?1, ?2)", params![Id(uuid), input])?;
    put_subjects(tx, uuid, subjects, true)?;
    list::show(tx, uuid)
}

/// Whether a job waits that is due, or one runs whose worker is lost.
pub fn is_any_due(db: &Connection, policy: &JobPolicy) -> Result<bool, StoreError> {
    let now = now(db)?;
    let (first, last) = valid_leases(now, policy);
    Ok(db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM job WHERE state = 'waiting' AND (run_after <= ?1 OR run_after > ?2))
                 OR EXISTS (SELECT 1 FROM job WHERE state = 'running' AND (lease_until < ?3 OR lease_until > ?4))",
        )?
        .query_row(
            params![
                Instant(now),
                Instant(later(now, policy.longest_delay)),
                Instant(first),
                Instant(last)
            ],
            |row| row.get(0),
        )?)
}

/// Gives the worker a job that is due, if there is one of these kinds.
pub fn claim(
    tx: &Transaction<'_>,
    worker: Uuid,
    kinds: &[&str],
    policy: &JobPolicy,
) -> Result<Option<ClaimedJob>, StoreError> {
    take_back(tx, policy)?;
    let now = now(tx)?;
    // One that waits for longer than any job has to was put off before the clock was set back.
    let due: Vec<(Id, String, i64, Option<Id>)> = tx
        .prepare_cached(
            "SELECT uuid, kind, attempt, trace_id FROM job
             WHERE state = 'waiting' AND (run_after <= ?1 OR run_after > ?2)
             ORDER BY run_after, uuid",
        )?
        .query_map(params![Instant(now), Instant(later(now, policy.longest_delay))], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .collect::<Result<_, _>>()?;
    let known = |kind: &String| kinds.contains(&kind.as_str());
    let due = due.into_iter().find(|(_, kind, ..)| known(kind));
    let Some((Id(job), kind, attempt, trace)) = due else { return Ok(None) };
    let lease = Lease { job, worker, attempt: unsigned(attempt.saturating_add(1))? };
    tx.execute(
        "UPDATE job SET state = 'running', worker = ?2, attempt = ?3, lease_until = ?4,
                        progress = 0, total = NULL
         WHERE uuid = ?1",
        params![Id(job), Id(worker), lease.attempt, Instant(later(now, policy.lease))],
    )?;
    let input = tx
        .query_row("SELECT bytes FROM job_input WHERE job = ?1", [Id(job)], |row| row.get(0))
        .optional()?;
    let trace_id = trace.map(|Id(trace)| TraceId::from_uuid(trace));
    Ok(Some(ClaimedJob { lease, kind, input: input.unwrap_or_default(), trace_id }))
}

/// Takes jobs back whose workers are lost.
fn take_back(tx: &Transaction<'_>, policy: &JobPolicy) -> Result<(), StoreError> {
    let now = now(tx)?;
    let (first, last) = valid_leases(now, policy);
    let lost: Vec<(Id, i64, bool)> = tx
        .prepare_cached(
            "SELECT uuid, losses, cancel_requested FROM job
             WHERE state = 'running' AND (lease_until < ?1 OR lease_until > ?2)",
        )?
        .query_map([Instant(first), Instant(last)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_, _>>()?;
    for (Id(job), losses, cancelled) in lost {
        let losses: u32 = unsigned(losses.saturating_add(1))?;
        tx.execute("UPDATE job SET losses = ?2 WHERE uuid = ?1", params![Id(job), losses])?;
        match policy.after_loss(losses) {
            _ if cancelled => end(tx, job, JobState::Cancelled, None)?,
            Some(wait) => put_off(tx, job, later(now, wait), None)?,
            None => end(tx, job, JobState::Failed, Some(WORKERS_LOST))?,
        }
    }
    Ok(())
}

/// Takes a job from its worker, if it has one, until that instant.
pub fn put_off(
    tx: &Transaction<'_>,
    job: Uuid,
    until: jiff::Timestamp,
    error: Option<&str>,
) -> Result<(), StoreError> {
    archive::erase(tx, job)?;
    tx.execute(
        "UPDATE job SET state = 'waiting', worker = NULL, lease_until = NULL, run_after = ?2,
                        error = coalesce(?3, error)
         WHERE uuid = ?1",
        params![Id(job), Instant(until), error],
    )?;
    Ok(())
}

/// Ends a job.
pub fn end(
    tx: &Transaction<'_>,
    job: Uuid,
    state: JobState,
    error: Option<&str>,
) -> Result<(), StoreError> {
    if state != JobState::Succeeded {
        archive::erase(tx, job)?;
    }
    tx.execute(
        "UPDATE job SET state = ?2, worker = NULL, lease_until = NULL, ended_at = ?3, error = ?4
         WHERE uuid = ?1",
        params![Id(job), state.name(), Instant(now(tx)?), error],
    )?;
    Ok(())
}

/// How worker and job stand.
pub fn standing(db: &Connection, lease: Lease) -> Result<Standing, StoreError> {
    let asked: Option<bool> = db
        .prepare_cached(
            "SELECT cancel_requested FROM job
             WHERE uuid = ?1 AND worker = ?2 AND attempt = ?3 AND state = 'running'",
        )?
        .query_row(params![Id(lease.job), Id(lease.worker), lease.attempt], |row| row.get(0))
        .optional()?;
    Ok(match asked {
        None => Standing::Lost,
        Some(true) => Standing::CancelRequested,
        Some(false) => Standing::Held,
    })
}

/// Renews the lease and notes how far the job is.
pub fn renew(
    tx: &Transaction<'_>,
    lease: Lease,
    (progress, total): (u64, Option<u64>),
    policy: &JobPolicy,
) -> Result<Standing, StoreError> {
    let standing = standing(tx, lease)?;
    if standing != Standing::Lost {
        tx.execute(
            "UPDATE job SET lease_until = ?2, progress = ?3, total = ?4 WHERE uuid = ?1",
            params![
                Id(lease.job),
                Instant(later(now(tx)?, policy.lease)),
                signed(progress),
                total.map(signed)
            ],
        )?;
    }
    Ok(standing)
}

/// Ends a job that waits, and asks the worker of one that runs to stop.
pub fn cancel(tx: &Transaction<'_>, job: Uuid) -> Result<Job, StoreError> {
    match list::show(tx, job)?.state {
        JobState::Waiting => end(tx, job, JobState::Cancelled, None)?,
        JobState::Running => {
            tx.execute("UPDATE job SET cancel_requested = 1 WHERE uuid = ?1", [Id(job)])?;
        }
        state => return Err(StoreError::JobState(state)),
    }
    list::show(tx, job)
}

/// Makes a job due again that came to its end without a result that is left.
pub fn retry(tx: &Transaction<'_>, job: Uuid) -> Result<Job, StoreError> {
    let Job { state, erased, .. } = list::show(tx, job)?;
    let input: bool =
        tx.query_row("SELECT EXISTS (SELECT 1 FROM job_input WHERE job = ?1)", [Id(job)], |row| {
            row.get(0)
        })?;
    match state {
        JobState::Failed | JobState::Cancelled if input => {}
        JobState::Succeeded if input && erased => {}
        JobState::Failed | JobState::Cancelled => return Err(StoreError::JobErased),
        JobState::Succeeded if erased => return Err(StoreError::JobErased),
        state => return Err(StoreError::JobState(state)),
    }
    tx.execute("DELETE FROM job_result WHERE job = ?1", [Id(job)])?;
    archive::erase(tx, job)?;
    tx.execute("DELETE FROM job_subject WHERE job = ?1 AND NOT of_input", [Id(job)])?;
    tx.execute(
        "UPDATE job SET state = 'waiting', failures = 0, losses = 0, run_after = ?2, progress = 0,
                        total = NULL, cancel_requested = 0, ended_at = NULL, error = NULL, erased = 0
         WHERE uuid = ?1",
        params![Id(job), Instant(now(tx)?)],
    )?;
    list::show(tx, job)
}
