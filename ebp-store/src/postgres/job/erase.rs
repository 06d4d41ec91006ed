//! What goes of jobs: with a household's revocation or removal, and with time.

use deadpool_postgres::Transaction;
use uuid::Uuid;

use super::{super::value::Instant, archive, clock::now, packing};
use crate::{
    HouseholdId, StoreError, Subject,
    job::{CONTENT_KEPT, ERASED, JOB_KEPT, earlier},
};

/// By what jobs know a household and its participant.
pub async fn subjects(
    tx: &Transaction<'_>,
    household: HouseholdId,
) -> Result<[Subject; 2], StoreError> {
    let row = tx
        .query_opt(
            "SELECT email FROM household JOIN participant ON participant.id = household.participant
             WHERE household.uuid = $1",
            &[&household.0],
        )
        .await?;
    let email: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
    let participant = Subject::Participant(email.unwrap_or_default());
    Ok([Subject::Household(household.0), participant])
}

/// Erases the results that are about these, and the inputs that are. A job whose input is erased
/// ends; one that runs has lost its worker by that, which records nothing more.
pub async fn erase(tx: &Transaction<'_>, subjects: &[Subject]) -> Result<(), StoreError> {
    let now = Instant(now(tx).await?);
    packing::erase_unfinished(tx).await?;
    for subject in subjects {
        let sql = "SELECT job, of_input FROM job_subject WHERE subject = $1";
        for row in tx.query(sql, &[&subject.octets()]).await? {
            let (job, of_input): (Uuid, bool) = (row.try_get(0)?, row.try_get(1)?);
            // Its end that is being recorded is waited for, and goes with it.
            tx.execute("SELECT FROM job WHERE uuid = $1 FOR UPDATE", &[&job]).await?;
            if of_input {
                tx.execute("DELETE FROM job_input WHERE job = $1", &[&job]).await?;
            }
            tx.execute("DELETE FROM job_result WHERE job = $1", &[&job]).await?;
            archive::erase(tx, job).await?;
            tx.execute(
                "DELETE FROM job_subject WHERE job = $1 AND (NOT of_input OR $2)",
                &[&job, &of_input],
            )
            .await?;
            if of_input {
                tx.execute(
                    "UPDATE job SET state = 'cancelled', worker = NULL, lease_until = NULL,
                                    ended_at = $2
                     WHERE uuid = $1 AND state IN ('waiting', 'running')",
                    &[&job, &now],
                )
                .await?;
            }
            tx.execute(
                "UPDATE job SET erased = true, error = $2 WHERE uuid = $1",
                &[&job, &ERASED],
            )
            .await?;
        }
    }
    Ok(())
}

/// Removes what jobs that ended have left for long enough.
pub async fn expire(tx: &Transaction<'_>) -> Result<u64, StoreError> {
    let now = now(tx).await?;
    let [content, jobs] = [CONTENT_KEPT, JOB_KEPT].map(|kept| Instant(earlier(now, kept)));
    let mut expired = 0;
    for table in ["job_input", "job_result", "job_archive", "job_subject"] {
        let sql =
            format!("DELETE FROM {table} WHERE job IN (SELECT uuid FROM job WHERE ended_at < $1)");
        expired += tx.execute(&sql, &[&content]).await?;
    }
    Ok(expired + tx.execute("DELETE FROM job WHERE ended_at < $1", &[&jobs]).await?)
}
