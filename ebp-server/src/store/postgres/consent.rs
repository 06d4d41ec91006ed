//! Consent's two steps.

use deadpool_postgres::{Client, GenericClient, Transaction};
use ebp_core::{contract::Consent, model::ConsentState};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    certificate,
    household::decimal,
    masking,
    register::one_at_a_time,
    value::{Day, Instant},
};
use crate::{
    masking::Masking,
    store::{HouseholdId, StoreError},
};

/// The household's consent.
pub async fn consent(
    db: &impl GenericClient,
    household: HouseholdId,
) -> Result<Consent, StoreError> {
    let statement = db
        .prepare_cached("SELECT granted_at, revoked_at FROM consent WHERE household = $1")
        .await?;
    let row = db.query_opt(&statement, &[&household.0]).await?.ok_or(StoreError::NotFound)?;
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
        .ok_or(StoreError::NotFound)?;
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

/// Revokes it, removes what identifies the household, and notes that the tables' files have to be
/// rid of the removed values.
///
/// The masked location takes the true one's place in the same transaction. Where it cannot be made
/// the household is withheld and its location kept apart: nothing is lost, nothing told.
pub async fn revoke(
    client: &mut Client,
    household: HouseholdId,
    at: Timestamp,
    masking: Option<&Masking>,
) -> Result<Consent, StoreError> {
    let tx = client.transaction().await?;
    one_at_a_time(&tx).await?;
    let before = hold(&tx, household).await?;
    let granted_at = match (before.state, before.granted_at) {
        (ConsentState::Granted, Some(granted_at)) => granted_at,
        (ConsentState::Revoked, _) => return Err(StoreError::ConsentRevoked),
        _ => return Err(StoreError::ConsentNotGranted),
    };
    let id = household.0;
    // A clock that was set back in between must not keep anybody from revoking.
    tx.execute(
        "UPDATE consent SET revoked_at = $2 WHERE household = $1",
        &[&id, &Instant(at.max(granted_at))],
    )
    .await?;
    let participant: Option<i64> = tx
        .query_one("SELECT participant FROM household WHERE uuid = $1", &[&id])
        .await?
        .try_get(0)?;
    tx.execute("UPDATE household SET participant = NULL WHERE uuid = $1", &[&id]).await?;
    // A participant who is the contact of another household, too, stays that.
    tx.execute(
        "DELETE FROM participant WHERE id = $1
             AND NOT EXISTS (SELECT FROM household WHERE participant = $1)",
        &[&participant],
    )
    .await?;
    certificate::revoke_household(&tx, household, at).await?;
    masking::mask(&tx, household, masking).await?;
    tx.execute("DELETE FROM address WHERE household = $1", &[&id]).await?;
    coarsen_pv_systems(&tx, household).await?;
    tx.execute("INSERT INTO erasure_due DEFAULT VALUES", &[]).await?;
    let revoked = consent(&tx, household).await?;
    tx.commit().await?;
    Ok(revoked)
}

/// Each photovoltaic system without the detail that could tell whose it is.
async fn coarsen_pv_systems(
    tx: &Transaction<'_>,
    household: HouseholdId,
) -> Result<(), StoreError> {
    let systems = tx
        .query(
            "SELECT uuid, nominal_power::text, installed_on FROM pv_system WHERE household = $1",
            &[&household.0],
        )
        .await?;
    for row in systems {
        let (uuid, Day(installed_on)): (Uuid, Day) = (row.try_get(0)?, row.try_get(2)?);
        let power = ebp_anon::pv::nominal_power(decimal(row.try_get(1)?)?);
        let year = ebp_anon::pv::installation_date(installed_on);
        tx.execute(
            "UPDATE pv_system SET nominal_power = $2::text::numeric, installed_on = $3
             WHERE uuid = $1",
            &[&uuid, &power.to_string(), &Day(year)],
        )
        .await?;
    }
    Ok(())
}
