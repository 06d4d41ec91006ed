//! What goes of jobs: with a household's revocation or removal, and with time.

use rusqlite::{OptionalExtension, Transaction, params};

use super::{
    super::value::{Id, Instant},
    archive,
    clock::now,
    packing,
};
use crate::{
    HouseholdId, StoreError, Subject,
    job::{CONTENT_KEPT, ERASED, JOB_KEPT, earlier},
};

/// By what jobs know a household and its participant.
pub fn subjects(tx: &Transaction<'_>, household: HouseholdId) -> Result<[Subject; 2], StoreError> {
    let email: Option<String> = tx
        .query_row(
            "SELECT email FROM household JOIN participant ON participant.id = household.participant
             WHERE household.uuid = ?1",
            [Id(household.0)],
            |row| row.get(0),
        )
        .optional()?;
    let participant = Subject::Participant(email.unwrap_or_default());
    Ok([Subject::Household(household.0), participant])
}

/// Erases the results that are about these, and the inputs that are. A job whose input is erased
/// ends; one that runs has lost its worker by that, which records nothing more.
pub fn erase(tx: &Transaction<'_>, subjects: &[Subject]) -> Result<(), StoreError> {
    let now = Instant(now(tx)?);
    packing::erase_unfinished(tx)?;
    for subject in subjects {
        let jobs: Vec<(Id, bool)> = tx
            .prepare_cached("SELECT job, of_input FROM job_subject WHERE subject = ?1")?
            .query_map([subject.octets()], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for (job, of_input) in jobs {
            tx.execute("DELETE FROM job_result WHERE job = ?1", [job])?;
            archive::erase(tx, job.0)?;
            tx.execute("DELETE FROM job_subject WHERE job = ?1 AND NOT of_input", [job])?;
            if of_input {
                tx.execute("DELETE FROM job_input WHERE job = ?1", [job])?;
                tx.execute("DELETE FROM job_subject WHERE job = ?1", [job])?;
                tx.execute(
                    "UPDATE job SET state = 'cancelled', worker = NULL, lease_until = NULL,
                                    ended_at = ?2
                     WHERE uuid = ?1 AND state IN ('waiting', 'running')",
                    params![job, now],
                )?;
            }
            tx.execute(
                "UPDATE job SET erased = 1, error = ?2 WHERE uuid = ?1",
                params![job, ERASED],
            )?;
        }
    }
    Ok(())
}

/// Removes what jobs that ended have left for long enough.
pub fn expire(tx: &Transaction<'_>) -> Result<u64, StoreError> {
    let now = now(tx)?;
    let [content, jobs] = [CONTENT_KEPT, JOB_KEPT].map(|kept| Instant(earlier(now, kept)));
    let ended = "SELECT uuid FROM job WHERE ended_at < ?1";
    let mut expired = 0;
    for table in ["job_input", "job_result", "job_archive", "job_subject"] {
        let sql = format!("DELETE FROM {table} WHERE job IN ({ended})");
        expired += tx.execute(&sql, [content])?;
    }
    expired += tx.execute("DELETE FROM job WHERE ended_at < ?1", [jobs])?;
    Ok(u64::try_from(expired).unwrap_or(u64::MAX))
}
