//! Reading and granting consent; `release` revokes it.

use crate::rule::consent::{consent_of, require_grantable};
use deadpool_postgres::{Client, GenericClient, Transaction};
use ebp_core::contract::Consent;
use jiff::Timestamp;
use tokio_postgres::Row;

use super::value::Instant;
use crate::{HouseholdId, StoreError};

/// The household's consent. The request was authorized for a household that existed: if it does not
/// any more, its consent was revoked.
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
    Ok(from_instants(granted_at, revoked_at))
}

/// From the columns' values.
pub fn from_instants(granted_at: Option<Instant>, revoked_at: Option<Instant>) -> Consent {
    consent_of(granted_at.map(|at| at.0), revoked_at.map(|at| at.0))
}

/// The household's consent, locked until the transaction ends. Waits for uploads that are in
/// progress.
pub(super) async fn hold(
    tx: &Transaction<'_>,
    household: HouseholdId,
) -> Result<Consent, StoreError> {
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
    require_grantable(&hold(&tx, household).await?)?;
    tx.execute(
        "UPDATE consent SET granted_at = $2 WHERE household = $1",
        &[&household.0, &Instant(at)],
    )
    .await?;
    let granted = consent(&tx, household).await?;
    tx.commit().await?;
    Ok(granted)
}
