//! Archives of jobs that run: parts are written, and all of a job taken back.

use rusqlite::{Transaction, params};

use super::{
    super::value::Id,
    archive::erase,
    clock::now,
    queue::{put_off, standing},
};
use crate::{
    Lease, Standing, StoreError,
    job::{check_part, signed},
};

/// Keeps a part, if the worker still has the job. The first one removes what an attempt before left.
pub fn put(
    tx: &Transaction<'_>,
    lease: Lease,
    part: u64,
    bytes: &[u8],
) -> Result<Standing, StoreError> {
    check_part(part, bytes)?;
    let standing = standing(tx, lease)?;
    if standing == Standing::Held {
        if part == 0 {
            erase(tx, lease.job)?;
        }
        tx.prepare_cached("INSERT INTO job_archive (job, part, bytes) VALUES (?1, ?2, ?3)")?
            .execute(params![Id(lease.job), signed(part), bytes])?;
    }
    Ok(standing)
}

/// Erases what running jobs have written: whom that is about is noted at their ends only. They have
/// lost their workers by that, and begin anew.
pub fn erase_unfinished(tx: &Transaction<'_>) -> Result<(), StoreError> {
    let running: Vec<Id> = tx
        .prepare_cached(
            "SELECT uuid FROM job WHERE state = 'running'
                 AND EXISTS (SELECT 1 FROM job_archive WHERE job = uuid)",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for Id(job) in running {
        put_off(tx, job, now(tx)?, None)?;
    }
    Ok(())
}
