//! Archives of jobs that run: parts are written, and all of a job taken back.

use deadpool_postgres::Transaction;

use super::{
    archive::erase,
    clock::now,
    queue::{put_off, standing_of},
};
use crate::{
    Lease, Standing, StoreError,
    job::{check_part, signed},
};

/// Keeps a part, if the worker still has the job. The first one removes what an attempt before left.
pub async fn put(
    tx: &Transaction<'_>,
    lease: Lease,
    part: u64,
    bytes: &[u8],
) -> Result<Standing, StoreError> {
    check_part(part, bytes)?;
    // Nobody takes the job from the worker meanwhile.
    let row = tx
        .query_opt(
            "SELECT cancel_requested FROM job
             WHERE uuid = $1 AND worker = $2 AND attempt = $3 AND state = 'running' FOR UPDATE",
            &[&lease.job, &lease.worker, &i64::from(lease.attempt)],
        )
        .await?;
    let standing = standing_of(row.map(|row| row.try_get(0)).transpose()?)?;
    if standing == Standing::Held {
        if part == 0 {
            erase(tx, lease.job).await?;
        }
        let sql = "INSERT INTO job_archive (job, part, bytes) VALUES ($1, $2, $3)";
        tx.execute(sql, &[&lease.job, &signed(part), &bytes]).await?;
    }
    Ok(standing)
}

/// Erases what running jobs have written: whom that is about is noted at their ends only. They have
/// lost their workers by that, and begin anew.
pub async fn erase_unfinished(tx: &Transaction<'_>) -> Result<(), StoreError> {
    let running = tx
        .query(
            "SELECT uuid FROM job WHERE state = 'running'
                 AND EXISTS (SELECT FROM job_archive WHERE job = uuid) FOR UPDATE OF job",
            &[],
        )
        .await?;
    for row in running {
        put_off(tx, row.try_get(0)?, now(tx).await?, None).await?;
    }
    Ok(())
}
