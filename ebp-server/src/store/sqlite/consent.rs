//! Consent's two steps.

use ebp_core::{contract::Consent, model::ConsentState};
use jiff::{Timestamp, civil::Date};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use rust_decimal::Decimal;

use super::{
    certificate, masking,
    value::{Id, Instant, Text},
};
use crate::{
    masking::Masking,
    store::{HouseholdId, StoreError},
};

/// The household's consent.
pub fn consent(db: &Connection, household: HouseholdId) -> Result<Consent, StoreError> {
    let (granted_at, revoked_at): (Option<Instant>, Option<Instant>) = db
        .prepare_cached("SELECT granted_at, revoked_at FROM consent WHERE household = ?1")?
        .query_row([Id(household.0)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .ok_or(StoreError::NotFound)?;
    Ok(of(granted_at, revoked_at))
}

/// The consent that was granted and revoked then.
pub fn of(granted_at: Option<Instant>, revoked_at: Option<Instant>) -> Consent {
    Consent {
        state: match (granted_at, revoked_at) {
            (None, _) => ConsentState::NotGranted,
            (Some(_), None) => ConsentState::Granted,
            (Some(_), Some(_)) => ConsentState::Revoked,
        },
        granted_at: granted_at.map(|at| at.0),
        revoked_at: revoked_at.map(|at| at.0),
    }
}

/// Grants it.
pub fn grant(
    tx: &Transaction<'_>,
    household: HouseholdId,
    at: Timestamp,
) -> Result<Consent, StoreError> {
    match consent(tx, household)?.state {
        ConsentState::NotGranted => {}
        ConsentState::Granted => return Err(StoreError::ConsentAlreadyGranted),
        ConsentState::Revoked => return Err(StoreError::ConsentRevoked),
    }
    tx.execute(
        "UPDATE consent SET granted_at = ?2 WHERE household = ?1",
        params![Id(household.0), Instant(at)],
    )?;
    consent(tx, household)
}

/// Revokes it and removes what identifies the household.
///
/// The masked location takes the true one's place in the same transaction. Where it cannot be made
/// the household is withheld and its location kept apart: nothing is lost, nothing told.
pub fn revoke(
    tx: &Transaction<'_>,
    household: HouseholdId,
    at: Timestamp,
    masking: Option<&Masking>,
) -> Result<Consent, StoreError> {
    let before = consent(tx, household)?;
    let granted_at = match (before.state, before.granted_at) {
        (ConsentState::Granted, Some(granted_at)) => granted_at,
        (ConsentState::Revoked, _) => return Err(StoreError::ConsentRevoked),
        _ => return Err(StoreError::ConsentNotGranted),
    };
    let id = Id(household.0);
    // A clock that was set back in between must not keep anybody from revoking.
    tx.execute(
        "UPDATE consent SET revoked_at = ?2 WHERE household = ?1",
        params![id, Instant(at.max(granted_at))],
    )?;
    let participant: Option<i64> =
        tx.query_row("SELECT participant FROM household WHERE uuid = ?1", [id], |row| row.get(0))?;
    tx.execute("UPDATE household SET participant = NULL WHERE uuid = ?1", [id])?;
    // A participant who is the contact of another household, too, stays that.
    tx.execute(
        "DELETE FROM participant WHERE id = ?1
             AND NOT EXISTS (SELECT 1 FROM household WHERE participant = ?1)",
        [participant],
    )?;
    certificate::revoke_household(tx, household, at)?;
    masking::mask(tx, household, masking)?;
    tx.execute("DELETE FROM address WHERE household = ?1", [id])?;
    coarsen_pv_systems(tx, household)?;
    consent(tx, household)
}

/// Each photovoltaic system without the detail that could tell whose it is.
fn coarsen_pv_systems(tx: &Transaction<'_>, household: HouseholdId) -> Result<(), StoreError> {
    let systems: Vec<(Id, Text<Decimal>, Text<Date>)> = tx
        .prepare("SELECT uuid, nominal_power, installed_on FROM pv_system WHERE household = ?1")?
        .query_map([Id(household.0)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (uuid, Text(power), Text(installed_on)) in systems {
        let power = ebp_anon::pv::nominal_power(power);
        let year = ebp_anon::pv::installation_date(installed_on);
        tx.execute(
            "UPDATE pv_system SET nominal_power = ?2, installed_on = ?3 WHERE uuid = ?1",
            params![uuid, Text(power), Text(year)],
        )?;
    }
    Ok(())
}
