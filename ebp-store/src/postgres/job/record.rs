//! The end of an attempt, with all that it changes.

use deadpool_postgres::Transaction;
use ebp_core::contract::{ChangeKind, ImportReport, ImportedLine, JobState, Registration};
use ebp_core::scope::Group;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    super::{
        management::edit::note_all,
        register::{Candidate, one_at_a_time, register_all},
    },
    clock::now,
    queue::{end, put_off},
    subject::put_subjects,
};
use crate::{
    Editor, Faults, JobEnd, JobPolicy, JobResult, Lease, Recorded, StoreError, Subject,
    job::{RESULT_LIMIT, RESULT_PART, later, unsigned},
    rule::import::imported,
};

/// Records it, if the worker still has the job.
pub async fn record(
    tx: &Transaction<'_>,
    lease: Lease,
    (how, faults): (&JobEnd, Vec<Faults>),
    policy: &JobPolicy,
    at: Timestamp,
) -> Result<Recorded, StoreError> {
    let Lease { job, worker, attempt } = lease;
    // Nobody revokes while it is looked whom a result is about, nor registers.
    one_at_a_time(tx).await?;
    let row = tx
        .query_opt(
            "SELECT failures, created_by FROM job
             WHERE uuid = $1 AND worker = $2 AND attempt = $3 AND state = 'running' FOR UPDATE",
            &[&job, &worker, &i64::from(attempt)],
        )
        .await?;
    let Some(row) = row else { return Ok(Recorded::Lost) };
    let state = match how {
        JobEnd::Succeeded(result) => succeed(tx, job, result).await?,
        JobEnd::Registers { lines, label } => {
            let group: Group =
                row.try_get::<_, &str>(1)?.parse().map_err(|_| StoreError::Damaged("job"))?;
            let editor = Editor { group, label: label.clone(), at };
            let result = import(tx, lines, faults, &editor).await?;
            succeed(tx, job, &result).await?
        }
        JobEnd::Failed { error, temporary, result } => {
            let failures: u32 = unsigned(row.try_get::<_, i64>(0)?.saturating_add(1))?;
            let sql = "UPDATE job SET failures = $2 WHERE uuid = $1";
            tx.execute(sql, &[&job, &i64::from(failures)]).await?;
            match policy.after_failure(failures).filter(|_| *temporary) {
                Some(wait) => {
                    put_off(tx, job, later(now(tx).await?, wait), Some(error)).await?;
                    JobState::Waiting
                }
                None => {
                    if are_there(tx, &result.subjects).await? {
                        put_result(tx, job, result).await?;
                    }
                    end(tx, job, JobState::Failed, Some(error)).await?;
                    JobState::Failed
                }
            }
        }
        JobEnd::Cancelled => {
            end(tx, job, JobState::Cancelled, None).await?;
            JobState::Cancelled
        }
        JobEnd::Released => {
            put_off(tx, job, now(tx).await?, None).await?;
            JobState::Waiting
        }
    };
    Ok(Recorded::As(state))
}

/// Keeps the result and ends the job. Where a household of the result is there no more under its
/// identifier the job waits to begin anew.
async fn succeed(
    tx: &Transaction<'_>,
    job: Uuid,
    result: &JobResult,
) -> Result<JobState, StoreError> {
    if !are_there(tx, &result.subjects).await? {
        put_off(tx, job, now(tx).await?, None).await?;
        return Ok(JobState::Waiting);
    }
    put_result(tx, job, result).await?;
    erase_people(tx, job).await?;
    tx.execute("UPDATE job SET progress = coalesce(total, progress) WHERE uuid = $1", &[&job])
        .await?;
    end(tx, job, JobState::Succeeded, None).await?;
    Ok(JobState::Succeeded)
}

/// Whether the households are there under these identifiers: one that has revoked has another.
async fn are_there(tx: &Transaction<'_>, subjects: &[Subject]) -> Result<bool, StoreError> {
    let household = |subject: &Subject| match subject {
        Subject::Household(household) => Some(*household),
        Subject::Participant(_) => None,
    };
    let households: Vec<Uuid> = subjects.iter().filter_map(household).collect();
    let row = tx
        .query_one(
            "SELECT NOT EXISTS (
                 SELECT FROM unnest($1::uuid[]) AS wanted (uuid)
                 WHERE NOT EXISTS (SELECT FROM household WHERE household.uuid = wanted.uuid))",
            &[&households],
        )
        .await?;
    Ok(row.try_get(0)?)
}

/// Registers every line that has a registration, each with its entry in the history of changes; returns
/// the report of all lines.
async fn import(
    tx: &Transaction<'_>,
    lines: &[(ImportedLine, Option<Registration>)],
    faults: Vec<Faults>,
    editor: &Editor,
) -> Result<JobResult, StoreError> {
    let candidates = lines.iter().zip(faults).filter_map(|((_, registration), faults)| {
        let registration = registration.as_ref()?;
        Some(Candidate { registration, faults, further: false })
    });
    let mut results = register_all(tx, candidates.collect(), editor.at).await?.into_iter();
    let mut report = ImportReport { dry_run: false, stored: true, lines: Vec::new() };
    for (line, registration) in lines {
        let result = registration.as_ref().and_then(|_| results.next());
        report.lines.push(match result {
            Some(result) => imported(line, result)?,
            None => line.clone(),
        });
    }
    let households =
        report.lines.iter().filter_map(|line| Some(line.registered.as_ref()?.household));
    note_all(tx, &households.collect::<Vec<_>>(), editor, ChangeKind::Registered).await?;
    Ok(JobResult::of_import(&report))
}

/// Erases an input that names people: a job that succeeded does not need it again.
async fn erase_people(tx: &Transaction<'_>, job: Uuid) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM job_input WHERE job = $1
             AND EXISTS (SELECT FROM job_subject WHERE job = $1 AND of_input)",
        &[&job],
    )
    .await?;
    tx.execute("DELETE FROM job_subject WHERE job = $1 AND of_input", &[&job]).await?;
    Ok(())
}

/// Keeps a result in the place of what an attempt before left.
async fn put_result(tx: &Transaction<'_>, job: Uuid, result: &JobResult) -> Result<(), StoreError> {
    if result.bytes.len() > RESULT_LIMIT {
        return Err(StoreError::ResultTooLong);
    }
    tx.execute("DELETE FROM job_result WHERE job = $1", &[&job]).await?;
    for (part, bytes) in (0_i64..).zip(result.bytes.chunks(RESULT_PART)) {
        let sql = "INSERT INTO job_result (job, part, bytes) VALUES ($1, $2, $3)";
        tx.execute(sql, &[&job, &part, &bytes]).await?;
    }
    put_subjects(tx, job, &result.subjects, false).await
}
