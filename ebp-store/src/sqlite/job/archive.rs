//! Archives of jobs: parts are read when a job has succeeded, and erased.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::super::value::Id;
use crate::{StoreError, job::signed};

/// A part of the archive that this attempt made.
pub fn read(db: &Connection, job: Uuid, attempt: u32, part: u64) -> Result<Vec<u8>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT bytes FROM job_archive JOIN job ON job.uuid = job_archive.job
         WHERE job_archive.job = ?1 AND part = ?2 AND attempt = ?3 AND state = 'succeeded'",
    )?;
    let bytes = statement.query_row(params![Id(job), signed(part), attempt], |row| row.get(0));
    bytes.optional()?.ok_or(StoreError::NotFound)
}

/// Erases a job's archive.
pub fn erase(tx: &Transaction<'_>, job: Uuid) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM job_archive WHERE job = ?1")?.execute([Id(job)])?;
    Ok(())
}
