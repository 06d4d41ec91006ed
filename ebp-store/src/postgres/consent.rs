//! Reading and granting consent; `release` revokes it.

use std::collections::HashMap;

use crate::rule::{
    consent::{consent_of, require_grantable, require_text},
    purpose::{self, PurposeChange},
};
use deadpool_postgres::{Client, GenericClient, Transaction};
use ebp_core::contract::{
    AgreedText, Consent, ConsentGrant, GivenPurpose, GrantChannel, Language,
    UnknownWithdrawalChannel, Withdrawal,
};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    survey_text,
    value::{Day, Instant},
};
use crate::{HouseholdId, StoreError, WithdrawnPurpose};

/// The household's consent. The request was authorized for a household that existed: if it does not
/// any more, its consent was revoked.
pub async fn consent(
    db: &impl GenericClient,
    household: HouseholdId,
) -> Result<Consent, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT granted_at, revoked_at, text_version, text_language, withdrawal_channel,
                    withdrawal_received_on, granted_through, purposes
             FROM consent WHERE household = $1",
        )
        .await?;
    let row = db.query_opt(&statement, &[&household.0]).await?.ok_or(StoreError::ConsentRevoked)?;
    whole_from_row(&row, 2)
}

/// From a row that begins with the instants of granting and revoking, and has from `rest` on what
/// was agreed to, how it was withdrawn, by which way it was granted, and further purposes.
pub fn whole_from_row(row: &Row, rest: usize) -> Result<Consent, StoreError> {
    let (version, language): (Option<i32>, Option<&str>) =
        (row.try_get(rest)?, row.try_get(rest + 1)?);
    let text = match version {
        None => None,
        Some(version) => Some(AgreedText {
            version: survey_text::from_number(version)?,
            language: language.map(survey_text::language).transpose()?,
        }),
    };
    let withdrawal = withdrawal(row, rest + 2)?;
    let through: Option<&str> = row.try_get(rest + 4)?;
    let granted_through = through
        .map(|name| GrantChannel::named(name).ok_or(StoreError::Damaged("consent")))
        .transpose()?;
    let purposes = purpose::from_text(row.try_get(rest + 5)?)?;
    Ok(Consent { text, granted_through, withdrawal, purposes, ..from_row(row)? })
}

/// From a row that has from there on how and when consent was withdrawn elsewhere.
pub fn withdrawal(row: &Row, from: usize) -> Result<Option<Withdrawal>, StoreError> {
    let (channel, received_on): (Option<&str>, Option<Day>) =
        (row.try_get(from)?, row.try_get(from + 1)?);
    let Some((channel, Day(received_on))) = channel.zip(received_on) else { return Ok(None) };
    let channel =
        channel.parse().map_err(|_: UnknownWithdrawalChannel| StoreError::Damaged("consent"))?;
    Ok(Some(Withdrawal { received_on, channel }))
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
            "SELECT granted_at, revoked_at, text_version, text_language, withdrawal_channel,
                    withdrawal_received_on, granted_through, purposes
             FROM consent WHERE household = $1 FOR UPDATE",
            &[&household.0],
        )
        .await?
        .ok_or(StoreError::ConsentRevoked)?;
    whole_from_row(&row, 2)
}

/// Grants it.
pub async fn grant(
    client: &mut Client,
    household: HouseholdId,
    grant: ConsentGrant,
    through: Option<GrantChannel>,
    at: Timestamp,
) -> Result<Consent, StoreError> {
    let tx = client.transaction().await?;
    require_grantable(&hold(&tx, household).await?)?;
    let current = survey_text::newest_languages(&tx).await?;
    let agreed = require_text(current.as_ref(), grant)?;
    let version = agreed.map(|text| survey_text::number(text.version)).transpose()?;
    let language = agreed.and_then(|text| text.language).map(Language::code);
    tx.execute(
        "UPDATE consent
         SET granted_at = $2, text_version = $3, text_language = $4, granted_through = $5
         WHERE household = $1",
        &[&household.0, &Instant(at), &version, &language, &through.map(GrantChannel::name)],
    )
    .await?;
    let granted = consent(&tx, household).await?;
    tx.commit().await?;
    Ok(granted)
}

/// Stores what a participant decides about a further purpose.
pub async fn change_purpose(
    client: &mut Client,
    household: HouseholdId,
    change: PurposeChange,
    at: Timestamp,
) -> Result<Consent, StoreError> {
    let tx = client.transaction().await?;
    let purposes = purpose::decide(&hold(&tx, household).await?, change, at)?;
    tx.execute(
        "UPDATE consent SET purposes = $2 WHERE household = $1",
        &[&household.0, &purpose::to_text(&purposes)?],
    )
    .await?;
    let changed = consent(&tx, household).await?;
    tx.commit().await?;
    Ok(changed)
}

/// Households that agreed to further purposes.
async fn with_purposes(
    db: &impl GenericClient,
) -> Result<Vec<(Uuid, Vec<GivenPurpose>)>, StoreError> {
    let sql = "SELECT household, purposes FROM consent WHERE purposes IS NOT NULL";
    let rows = db.query(sql, &[]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, purpose::from_text(row.try_get(1)?)?))).collect()
}

/// The further purposes that are withdrawn.
pub async fn withdrawn_purposes(
    db: &impl GenericClient,
) -> Result<Vec<WithdrawnPurpose>, StoreError> {
    let all = with_purposes(db).await?.into_iter();
    Ok(all.flat_map(|(household, purposes)| purpose::withdrawn(household, purposes)).collect())
}

/// When each further purpose was withdrawn that is.
pub async fn withdrawals(db: &impl GenericClient) -> Result<Vec<Timestamp>, StoreError> {
    let purposes = with_purposes(db).await?.into_iter().flat_map(|(_, purposes)| purposes);
    Ok(purposes.filter_map(|purpose| purpose.withdrawn_at).collect())
}

/// Withdraws those that were withdrawn elsewhere.
pub async fn withdraw_again(
    client: &mut Client,
    withdrawn: &HashMap<String, Timestamp>,
) -> Result<usize, StoreError> {
    let tx = client.transaction().await?;
    let mut count = 0;
    for (household, mut purposes) in with_purposes(&tx).await? {
        if purpose::withdraw_again(household, &mut purposes, withdrawn) == 0 {
            continue;
        }
        // Only of these consent is held, and read again: uploads wait for it.
        let held = match hold(&tx, HouseholdId(household)).await {
            Err(StoreError::ConsentRevoked) => continue,
            held => held?,
        };
        let mut purposes = held.purposes;
        count += purpose::withdraw_again(household, &mut purposes, withdrawn);
        tx.execute(
            "UPDATE consent SET purposes = $2 WHERE household = $1",
            &[&household, &purpose::to_text(&purposes)?],
        )
        .await?;
    }
    tx.commit().await?;
    Ok(count)
}
