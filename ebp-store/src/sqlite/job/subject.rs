//! Whom jobs are about.

use rusqlite::{Transaction, params};
use uuid::Uuid;

use super::super::value::Id;
use crate::{StoreError, Subject};

/// Notes whom a job's input or result is about.
pub fn put_subjects(
    tx: &Transaction<'_>,
    job: Uuid,
    subjects: &[Subject],
    of_input: bool,
) -> Result<(), StoreError> {
    let mut insert = tx.prepare_cached(
        "INSERT OR IGNORE INTO job_subject (job, subject, of_input) VALUES (?1, ?2, ?3)",
    )?;
    for subject in subjects {
        insert.execute(params![Id(job), subject.octets(), of_input])?;
    }
    Ok(())
}
