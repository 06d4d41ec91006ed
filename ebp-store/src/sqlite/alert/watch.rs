//! The lease by which one server watches.

use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::super::{
    job::clock::now,
    value::{Id, Instant},
};
use crate::{
    JobPolicy, StoreError, WatchLease,
    job::{later, valid_leases},
};

/// Takes or renews it.
pub fn take(
    tx: &Transaction<'_>,
    worker: Uuid,
    policy: &JobPolicy,
) -> Result<Option<WatchLease>, StoreError> {
    let now = now(tx)?;
    let (first, last) = valid_leases(now, policy);
    let term = tx
        .prepare_cached(
            "INSERT INTO alert_watch (one, worker, term, lease_until) VALUES (1, ?1, 1, ?2)
             ON CONFLICT (one) DO UPDATE SET
                 term = term + (worker <> ?1), worker = ?1, lease_until = ?2
             WHERE worker = ?1 OR lease_until < ?3 OR lease_until > ?4
             RETURNING term",
        )?
        .query_row(
            params![Id(worker), Instant(later(now, policy.lease)), Instant(first), Instant(last)],
            |row| row.get(0),
        )
        .optional()?;
    Ok(term.map(|term| WatchLease { worker, term }))
}

/// Gives it back.
pub fn release(tx: &Transaction<'_>, lease: WatchLease) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE alert_watch SET lease_until = 0 WHERE worker = ?1 AND term = ?2",
        params![Id(lease.worker), lease.term],
    )?;
    Ok(())
}

/// Whether the worker still has it.
pub fn is_held(tx: &Transaction<'_>, lease: WatchLease) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM alert_watch WHERE worker = ?1 AND term = ?2)";
    Ok(tx
        .prepare_cached(sql)?
        .query_row(params![Id(lease.worker), lease.term], |row| row.get(0))?)
}
