//! Reading and granting consent; `release` revokes it.

use crate::rule::consent::{consent_of, require_grantable};
use ebp_core::contract::Consent;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::value::{Id, Instant};
use crate::{HouseholdId, StoreError};

/// The household's consent. The request was authorized for a household that existed: if it does not
/// any more, its consent was revoked.
pub fn consent(db: &Connection, household: HouseholdId) -> Result<Consent, StoreError> {
    let (granted_at, revoked_at): (Option<Instant>, Option<Instant>) = db
        .prepare_cached("SELECT granted_at, revoked_at FROM consent WHERE household = ?1")?
        .query_row([Id(household.0)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .ok_or(StoreError::ConsentRevoked)?;
    Ok(from_instants(granted_at, revoked_at))
}

/// The consent from those columns.
pub fn from_instants(granted_at: Option<Instant>, revoked_at: Option<Instant>) -> Consent {
    consent_of(granted_at.map(|at| at.0), revoked_at.map(|at| at.0))
}

/// Grants it.
pub fn grant(
    tx: &Transaction<'_>,
    household: HouseholdId,
    at: Timestamp,
) -> Result<Consent, StoreError> {
    require_grantable(&consent(tx, household)?)?;
    tx.execute(
        "UPDATE consent SET granted_at = ?2 WHERE household = ?1",
        params![Id(household.0), Instant(at)],
    )?;
    consent(tx, household)
}
