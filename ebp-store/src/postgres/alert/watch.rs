//! The lease by which one server watches.

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use uuid::Uuid;

use super::super::{job::clock::now, value::Instant};
use crate::{
    JobPolicy, StoreError, WatchLease,
    job::{later, valid_leases},
};

/// Takes or renews it.
pub async fn take(
    tx: &Transaction<'_>,
    worker: Uuid,
    policy: &JobPolicy,
) -> Result<Option<WatchLease>, StoreError> {
    let now = now(tx).await?;
    let (first, last) = valid_leases(now, policy);
    let row = tx
        .query_opt(
            "INSERT INTO alert_watch AS kept (one, worker, term, lease_until)
             VALUES (true, $1, 1, $2)
             ON CONFLICT (one) DO UPDATE SET
                 term = kept.term + (kept.worker <> $1)::int, worker = $1, lease_until = $2
             WHERE kept.worker = $1 OR kept.lease_until < $3 OR kept.lease_until > $4
             RETURNING term",
            &[&worker, &Instant(later(now, policy.lease)), &Instant(first), &Instant(last)],
        )
        .await?;
    let term: Option<i64> = row.map(|row| row.try_get(0)).transpose()?;
    Ok(term.map(|term| WatchLease { worker, term }))
}

/// Gives it back.
pub async fn release(tx: &Transaction<'_>, lease: WatchLease) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE alert_watch SET lease_until = $3 WHERE worker = $1 AND term = $2",
        &[&lease.worker, &lease.term, &Instant(Timestamp::UNIX_EPOCH)],
    )
    .await?;
    Ok(())
}

/// Whether the worker still has it; nobody takes it until the transaction ends.
pub async fn is_held(tx: &Transaction<'_>, lease: WatchLease) -> Result<bool, StoreError> {
    let sql = "SELECT FROM alert_watch WHERE worker = $1 AND term = $2 FOR UPDATE";
    Ok(tx.query_opt(sql, &[&lease.worker, &lease.term]).await?.is_some())
}
