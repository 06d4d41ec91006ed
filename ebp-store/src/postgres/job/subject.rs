//! Whom jobs are about.

use deadpool_postgres::Transaction;
use uuid::Uuid;

use crate::{StoreError, Subject};

/// Notes whom a job's input or result is about.
pub async fn put_subjects(
    tx: &Transaction<'_>,
    job: Uuid,
    subjects: &[Subject],
    of_input: bool,
) -> Result<(), StoreError> {
    let subjects: Vec<Vec<u8>> = subjects.iter().map(Subject::octets).collect();
    tx.execute(
        "INSERT INTO job_subject (job, subject, of_input)
         SELECT $1, subject, $3 FROM unnest($2::bytea[]) AS given (subject)
         ON CONFLICT DO NOTHING",
        &[&job, &subjects, &of_input],
    )
    .await?;
    Ok(())
}
