//! Archives of jobs: parts are read when a job has succeeded, and erased.

use deadpool_postgres::{GenericClient, Transaction};
use uuid::Uuid;

use crate::{StoreError, job::signed};

/// A part of the archive that this attempt made.
pub async fn read(
    db: &impl GenericClient,
    job: Uuid,
    attempt: u32,
    part: u64,
) -> Result<Vec<u8>, StoreError> {
    let sql = "SELECT bytes FROM job_archive JOIN job ON job.uuid = job_archive.job
               WHERE job_archive.job = $1 AND part = $2 AND attempt = $3 AND state = 'succeeded'";
    let row = db.query_opt(sql, &[&job, &signed(part), &i64::from(attempt)]).await?;
    Ok(row.ok_or(StoreError::NotFound)?.try_get(0)?)
}

/// Erases a job's archive.
pub async fn erase(tx: &Transaction<'_>, job: Uuid) -> Result<(), StoreError> {
    tx.execute("DELETE FROM job_archive WHERE job = $1", &[&job]).await?;
    Ok(())
}
