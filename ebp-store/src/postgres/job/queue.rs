//! The queue: jobs are added, given to workers, cancelled and retried.
//!
//! Workers of several servers ask at the same time: each passes over the rows that another one has
//! locked (`SKIP LOCKED`), so that nobody waits and no job is given twice.

use deadpool_postgres::{GenericClient, Transaction};
use ebp_core::{
    contract::{Job, JobState},
    trace::TraceId,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{super::value::Instant, archive, clock::now, list, subject::put_subjects};
use crate::{
    ClaimedJob, JobOrder, JobPolicy, Lease, Standing, StoreError,
    job::{WORKERS_LOST, later, signed, unsigned, valid_leases},
};

/// Adds a job, or answers the one that was added by the same key.
pub async fn add(tx: &Transaction<'_>, order: &JobOrder) -> Result<Job, StoreError> {
    let JobOrder { kind, input, subjects, created_by, key, trace_id } = order;
    let (uuid, now) = (Uuid::new_v4(), Instant(now(tx).await?));
    // Where another transaction adds the same key at this moment this one waits for its end.
    let added = tx
        .execute(
            "INSERT INTO job (uuid, kind, state, created_by, key, created_at, run_after, trace_id)
             VALUES ($1, $2, 'waiting', $3, $4, $5, $5, $6)
             ON CONFLICT (created_by, key) DO NOTHING",
            &[&uuid, kind, &created_by.name(), key, &now, &trace_id.map(TraceId::uuid)],
        )
        .await?;
    if added == 0 {
        let known = tx
            .query_one(
                "SELECT uuid, kind = $3 AND coalesce(
                            (SELECT bytes = $4 FROM job_input WHERE job = uuid), TRUE)
                 FROM job WHERE created_by = $1 AND key = $2",
                &[&created_by.name(), key, kind, input],
            )
            .await?;
        return match known.try_get(1)? {
            true => list::show(tx, known.try_get(0)?).await,
            false => Err(StoreError::JobKey),
        };
    }
    tx.execute("INSERT INTO job_input (job, bytes) VALUES ($1, $2)", &[&uuid, input]).await?;
    put_subjects(tx, uuid, subjects, true).await?;
    list::show(tx, uuid).await
}

/// Whether a job waits that is due, or one runs whose worker is lost.
pub async fn is_any_due(db: &impl GenericClient, policy: &JobPolicy) -> Result<bool, StoreError> {
    let now = now(db).await?;
    let (first, last) = valid_leases(now, policy);
    let row = db
        .query_one(
            "SELECT EXISTS (SELECT FROM job WHERE state = 'waiting' AND (run_after <= $1 OR run_after > $2))
                 OR EXISTS (SELECT FROM job WHERE state = 'running' AND (lease_until < $3 OR lease_until > $4))",
            &[
                &Instant(now),
                &Instant(later(now, policy.longest_delay)),
                &Instant(first),
                &Instant(last),
            ],
        )
        .await?;
    Ok(row.try_get(0)?)
}

/// Gives the worker a job that is due, if there is one of these kinds.
pub async fn claim(
    tx: &Transaction<'_>,
    worker: Uuid,
    kinds: &[&str],
    policy: &JobPolicy,
) -> Result<Option<ClaimedJob>, StoreError> {
    take_back(tx, policy).await?;
    let now = now(tx).await?;
    // One that waits for longer than any job has to was put off before the clock was set back.
    let due = tx
        .query_opt(
            "SELECT uuid, kind, attempt, trace_id FROM job
             WHERE state = 'waiting' AND (run_after <= $1 OR run_after > $2) AND kind = ANY ($3)
             ORDER BY run_after, uuid LIMIT 1 FOR UPDATE SKIP LOCKED",
            &[&Instant(now), &Instant(later(now, policy.longest_delay)), &kinds],
        )
        .await?;
    let Some(row) = due else { return Ok(None) };
    let (job, attempt): (Uuid, i64) = (row.try_get(0)?, row.try_get(2)?);
    let lease = Lease { job, worker, attempt: unsigned(attempt.saturating_add(1))? };
    tx.execute(
        "UPDATE job SET state = 'running', worker = $2, attempt = $3, lease_until = $4,
                        progress = 0, total = NULL
         WHERE uuid = $1",
        &[&job, &worker, &i64::from(lease.attempt), &Instant(later(now, policy.lease))],
    )
    .await?;
    let input = tx.query_opt("SELECT bytes FROM job_input WHERE job = $1", &[&job]).await?;
    let input = input.map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
    let trace_id = row.try_get::<_, Option<Uuid>>(3)?.map(TraceId::from_uuid);
    Ok(Some(ClaimedJob { lease, kind: row.try_get(1)?, input, trace_id }))
}

/// Takes jobs back whose workers are lost.
async fn take_back(tx: &Transaction<'_>, policy: &JobPolicy) -> Result<(), StoreError> {
    let now = now(tx).await?;
    let (first, last) = valid_leases(now, policy);
    let lost = tx
        .query(
            "SELECT uuid, losses, cancel_requested FROM job
             WHERE state = 'running' AND (lease_until < $1 OR lease_until > $2)
             FOR UPDATE SKIP LOCKED",
            &[&Instant(first), &Instant(last)],
        )
        .await?;
    for row in lost {
        let (job, cancelled): (Uuid, bool) = (row.try_get(0)?, row.try_get(2)?);
        let losses: u32 = unsigned(row.try_get::<_, i64>(1)?.saturating_add(1))?;
        let sql = "UPDATE job SET losses = $2 WHERE uuid = $1";
        tx.execute(sql, &[&job, &i64::from(losses)]).await?;
        match policy.after_loss(losses) {
            _ if cancelled => end(tx, job, JobState::Cancelled, None).await?,
            Some(wait) => put_off(tx, job, later(now, wait), None).await?,
            None => end(tx, job, JobState::Failed, Some(WORKERS_LOST)).await?,
        }
    }
    Ok(())
}

/// Takes a job from its worker, if it has one, until that instant.
pub async fn put_off(
    tx: &Transaction<'_>,
    job: Uuid,
    until: Timestamp,
    error: Option<&str>,
) -> Result<(), StoreError> {
    archive::erase(tx, job).await?;
    tx.execute(
        "UPDATE job SET state = 'waiting', worker = NULL, lease_until = NULL, run_after = $2,
                        error = coalesce($3, error)
         WHERE uuid = $1",
        &[&job, &Instant(until), &error],
    )
    .await?;
    Ok(())
}

/// Ends a job.
pub async fn end(
    tx: &Transaction<'_>,
    job: Uuid,
    state: JobState,
    error: Option<&str>,
) -> Result<(), StoreError> {
    if state != JobState::Succeeded {
        archive::erase(tx, job).await?;
    }
    tx.execute(
        "UPDATE job SET state = $2, worker = NULL, lease_until = NULL, ended_at = $3, error = $4
         WHERE uuid = $1",
        &[&job, &state.name(), &Instant(now(tx).await?), &error],
    )
    .await?;
    Ok(())
}

/// How worker and job stand.
pub async fn standing(db: &impl GenericClient, lease: Lease) -> Result<Standing, StoreError> {
    let row = db
        .query_opt(
            "SELECT cancel_requested FROM job
             WHERE uuid = $1 AND worker = $2 AND attempt = $3 AND state = 'running'",
            &[&lease.job, &lease.worker, &i64::from(lease.attempt)],
        )
        .await?;
    standing_of(row.map(|row| row.try_get(0)).transpose()?)
}

pub(super) fn standing_of(cancel_requested: Option<bool>) -> Result<Standing, StoreError> {
    Ok(match cancel_requested {
        None => Standing::Lost,
        Some(true) => Standing::CancelRequested,
        Some(false) => Standing::Held,
    })
}

/// Renews the lease and notes how far the job is.
pub async fn renew(
    tx: &Transaction<'_>,
    lease: Lease,
    (progress, total): (u64, Option<u64>),
    policy: &JobPolicy,
) -> Result<Standing, StoreError> {
    let row = tx
        .query_opt(
            "UPDATE job SET lease_until = $4, progress = $5, total = $6
             WHERE uuid = $1 AND worker = $2 AND attempt = $3 AND state = 'running'
             RETURNING cancel_requested",
            &[
                &lease.job,
                &lease.worker,
                &i64::from(lease.attempt),
                &Instant(later(now(tx).await?, policy.lease)),
                &signed(progress),
                &total.map(signed),
            ],
        )
        .await?;
    standing_of(row.map(|row| row.try_get(0)).transpose()?)
}

/// A job whose row nobody else changes until the transaction ends.
async fn held(tx: &Transaction<'_>, job: Uuid) -> Result<Job, StoreError> {
    tx.execute("SELECT FROM job WHERE uuid = $1 FOR UPDATE", &[&job]).await?;
    list::show(tx, job).await
}

/// Ends a job that waits, and asks the worker of one that runs to stop.
pub async fn cancel(tx: &Transaction<'_>, job: Uuid) -> Result<Job, StoreError> {
    match held(tx, job).await?.state {
        JobState::Waiting => end(tx, job, JobState::Cancelled, None).await?,
        JobState::Running => {
            let sql = "UPDATE job SET cancel_requested = true WHERE uuid = $1";
            tx.execute(sql, &[&job]).await?;
        }
        state => return Err(StoreError::JobState(state)),
    }
    list::show(tx, job).await
}

/// Makes a job due again that came to its end without a result that is left.
pub async fn retry(tx: &Transaction<'_>, job: Uuid) -> Result<Job, StoreError> {
    let Job { state, erased, .. } = held(tx, job).await?;
    let input: bool = tx
        .query_one("SELECT EXISTS (SELECT FROM job_input WHERE job = $1)", &[&job])
        .await?
        .try_get(0)?;
    match state {
        JobState::Failed | JobState::Cancelled if input => {}
        JobState::Succeeded if input && erased => {}
        JobState::Failed | JobState::Cancelled => return Err(StoreError::JobErased),
        JobState::Succeeded if erased => return Err(StoreError::JobErased),
        state => return Err(StoreError::JobState(state)),
    }
    tx.execute("DELETE FROM job_result WHERE job = $1", &[&job]).await?;
    archive::erase(tx, job).await?;
    tx.execute("DELETE FROM job_subject WHERE job = $1 AND NOT of_input", &[&job]).await?;
    tx.execute(
        "UPDATE job SET state = 'waiting', failures = 0, losses = 0, run_after = $2, progress = 0,
                        total = NULL, cancel_requested = false, ended_at = NULL, error = NULL,
                        erased = false
         WHERE uuid = $1",
        &[&job, &Instant(now(tx).await?)],
    )
    .await?;
    list::show(tx, job).await
}
