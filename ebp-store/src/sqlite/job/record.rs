//! The end of an attempt, with all that it changes.

use ebp_core::contract::{ChangeKind, ImportReport, ImportedLine, JobState, Registration};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::{
    super::{management::edit::note, register, value::Id},
    clock::now,
    queue::{end, put_off},
    subject::put_subjects,
};
use crate::{
    Editor, Faults, HouseholdId, JobEnd, JobPolicy, JobResult, Lease, Recorded, StoreError,
    Subject,
    job::{RESULT_LIMIT, RESULT_PART, later, unsigned},
    rule::import::imported,
};

/// Records it, if the worker still has the job.
pub fn record(
    tx: &Transaction<'_>,
    lease: Lease,
    (how, faults): (&JobEnd, &[Faults]),
    policy: &JobPolicy,
    at: Timestamp,
) -> Result<Recorded, StoreError> {
    let Lease { job, worker, attempt } = lease;
    let found: Option<(i64, String)> = tx
        .query_row(
            "SELECT failures, created_by FROM job
             WHERE uuid = ?1 AND worker = ?2 AND attempt = ?3 AND state = 'running'",
            params![Id(job), Id(worker), attempt],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((failures, group)) = found else { return Ok(Recorded::Lost) };
    let state = match how {
        JobEnd::Succeeded(result) => succeed(tx, job, result)?,
        JobEnd::Registers { lines, label } => {
            let group = group.parse().map_err(|_| StoreError::Damaged("job"))?;
            let editor = Editor { group, label: label.clone(), at };
            let result = import(tx, lines, faults, &editor)?;
            succeed(tx, job, &result)?
        }
        JobEnd::Failed { error, temporary, result } => {
            let failures: u32 = unsigned(failures.saturating_add(1))?;
            tx.execute("UPDATE job SET failures = ?2 WHERE uuid = ?1", params![Id(job), failures])?;
            match policy.after_failure(failures).filter(|_| *temporary) {
                Some(wait) => {
                    put_off(tx, job, later(now(tx)?, wait), Some(error))?;
                    JobState::Waiting
                }
                None => {
                    if are_there(tx, &result.subjects)? {
                        put_result(tx, job, result)?;
                    }
                    end(tx, job, JobState::Failed, Some(error))?;
                    JobState::Failed
                }
            }
        }
        JobEnd::Cancelled => {
            end(tx, job, JobState::Cancelled, None)?;
            JobState::Cancelled
        }
        JobEnd::Released => {
            put_off(tx, job, now(tx)?, None)?;
            JobState::Waiting
        }
    };
    Ok(Recorded::As(state))
}

/// Keeps the result and ends the job. Where a household of the result is there no more under its
/// identifier the job waits to begin anew.
fn succeed(tx: &Transaction<'_>, job: Uuid, result: &JobResult) -> Result<JobState, StoreError> {
    if !are_there(tx, &result.subjects)? {
        put_off(tx, job, now(tx)?, None)?;
        return Ok(JobState::Waiting);
    }
    put_result(tx, job, result)?;
    erase_people(tx, job)?;
    tx.execute("UPDATE job SET progress = coalesce(total, progress) WHERE uuid = ?1", [Id(job)])?;
    end(tx, job, JobState::Succeeded, None)?;
    Ok(JobState::Succeeded)
}

/// Whether the households are there under these identifiers: one that has revoked has another.
fn are_there(tx: &Transaction<'_>, subjects: &[Subject]) -> Result<bool, StoreError> {
    let mut exists =
        tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM household WHERE uuid = ?1)")?;
    for subject in subjects {
        if let Subject::Household(household) = subject
            && !exists.query_row([Id(*household)], |row| row.get(0))?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Registers every line that has a registration, each with its entry in the history of changes; returns
/// the report of all lines.
fn import(
    tx: &Transaction<'_>,
    lines: &[(ImportedLine, Option<Registration>)],
    faults: &[Faults],
    editor: &Editor,
) -> Result<JobResult, StoreError> {
    let mut report = ImportReport { dry_run: false, stored: true, lines: Vec::new() };
    for ((line, registration), faults) in lines.iter().zip(faults) {
        let Some(registration) = registration else {
            report.lines.push(line.clone());
            continue;
        };
        let registered =
            register::register_checked(tx, registration, faults.clone(), false, editor.at);
        let line = imported(line, registered)?;
        if let Some(registered) = &line.registered {
            let household = HouseholdId(registered.household);
            note(tx, household, editor, ChangeKind::Registered, &[])?;
        }
        report.lines.push(line);
    }
    Ok(JobResult::of_import(&report))
}

/// Erases an input that names people: a job that succeeded does not need it again.
fn erase_people(tx: &Transaction<'_>, job: Uuid) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM job_input WHERE job = ?1
             AND EXISTS (SELECT 1 FROM job_subject WHERE job = ?1 AND of_input)",
        [Id(job)],
    )?;
    tx.execute("DELETE FROM job_subject WHERE job = ?1 AND of_input", [Id(job)])?;
    Ok(())
}

/// Keeps a result in the place of what an attempt before left.
fn put_result(tx: &Transaction<'_>, job: Uuid, result: &JobResult) -> Result<(), StoreError> {
    if result.bytes.len() > RESULT_LIMIT {
        return Err(StoreError::ResultTooLong);
    }
    tx.execute("DELETE FROM job_result WHERE job = ?1", [Id(job)])?;
    for (part, bytes) in (0_i64..).zip(result.bytes.chunks(RESULT_PART)) {
        tx.execute(
            "INSERT INTO job_result (job, part, bytes) VALUES (?1, ?2, ?3)",
            params![Id(job), part, bytes],
        )?;
    }
    put_subjects(tx, job, &result.subjects, false)
}
