//! Consent's two steps.

use deadpool_postgres::{Client, GenericClient, Transaction};
use ebp_core::{contract::Consent, model::ConsentState};
use jiff::{SignedDuration, Timestamp};
use tokio_postgres::Row;

use super::{register::one_at_a_time, release::release, value::Instant};
use crate::{HouseholdId, StoreError, masking::Masking, revoked::Revoking};

/// The household's consent. Who asks was let through for a household that was there: that it is not
/// any more means that its consent was revoked.
pub async fn consent(
    db: &impl GenericClient,
    household: HouseholdId,
) -> Result<Consent, StoreError> {
    let statement = db
        .prepare_cached("SELECT granted_at, revoked_at FROM consent WHERE household = $1")
        .await?;
    let row = db.query_opt(&statement, &[&household.0]).await?.ok_or(StoreError::ConsentRevoked)?;
    from_row(&row)
}

/// From a row that begins with the instants of granting and revoking.
pub fn from_row(row: &Row) -> Result<Consent, StoreError> {
    let (granted_at, revoked_at): (Option<Instant>, Option<Instant>) =
        (row.try_get(0)?, row.try_get(1)?);
    Ok(Consent {
        state: match (granted_at, revoked_at) {
            (None, _) => ConsentState::NotGranted,
            (Some(_), None) => ConsentState::Granted,
            (Some(_), Some(_)) => ConsentState::Revoked,
        },
        granted_at: granted_at.map(|at| at.0),
        revoked_at: revoked_at.map(|at| at.0),
    })
}

/// The household's consent, which nobody else changes until the transaction ends. Uploads that are
/// under way are waited for.
async fn hold(tx: &Transaction<'_>, household: HouseholdId) -> Result<Consent, StoreError> {
    let row = tx
        .query_opt(
            "SELECT granted_at, revoked_at FROM consent WHERE household = $1 FOR UPDATE",
            &[&household.0],
        )
        .await?
        .ok_or(StoreError::ConsentRevoked)?;
    from_row(&row)
}

/// Grants it.
pub async fn grant(
    client: &mut Client,
    household: HouseholdId,
    at: Timestamp,
) -> Result<Consent, StoreError> {
    let tx = client.transaction().await?;
    match hold(&tx, household).await?.state {
        ConsentState::NotGranted => {}
        ConsentState::Granted => return Err(StoreError::ConsentAlreadyGranted),
        ConsentState::Revoked => return Err(StoreError::ConsentRevoked),
    }
    tx.execute(
        "UPDATE consent SET granted_at = $2 WHERE household = $1",
        &[&household.0, &Instant(at)],
    )
    .await?;
    let granted = consent(&tx, household).await?;
    tx.commit().await?;
    Ok(granted)
}

/// Revokes it and removes what identifies the household.
pub async fn revoke(
    client: &mut Client,
    household: HouseholdId,
    at: Timestamp,
    by: Option<&Masking>,
) -> Result<Consent, StoreError> {
    let tx = client.transaction().await?;
    one_at_a_time(&tx).await?;
    let before = hold(&tx, household).await?;
    let granted_at = match (before.state, before.granted_at) {
        (ConsentState::Granted, Some(granted_at)) => granted_at,
        (ConsentState::Revoked, _) => return Err(StoreError::ConsentRevoked),
        _ => return Err(StoreError::ConsentNotGranted),
    };
    // Uploads that are under way end first; what they bring was measured before this instant.
    let waited: f64 = tx
        .query_one(
            "SELECT extract(epoch FROM clock_timestamp() - transaction_timestamp())::float8
             FROM pg_advisory_xact_lock(consent_lock($1))",
            &[&household.0],
        )
        .await?
        .try_get(0)?;
    let waited = SignedDuration::try_from_secs_f64(waited.max(0.0)).unwrap_or_default();
    // A clock that was set back in between must not keep anybody from revoking.
    let revoked_at = at.checked_add(waited).unwrap_or(at).max(granted_at);
    release(&tx, household, &Revoking { granted_at, revoked_at, drawn: None, by }).await?;
    tx.commit().await?;
    Ok(Consent {
        state: ConsentState::Revoked,
        granted_at: Some(granted_at),
        revoked_at: Some(revoked_at),
    })
}
