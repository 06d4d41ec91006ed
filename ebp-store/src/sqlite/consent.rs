//! Reading and granting consent; `release` revokes it.

use std::collections::HashMap;

use crate::rule::{
    consent::{consent_of, require_grantable, require_text},
    purpose::{self, PurposeChange},
};
use ebp_core::contract::{
    AgreedText, Consent, ConsentGrant, GivenPurpose, GrantChannel, Withdrawal,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{
    survey_text,
    value::{Id, Instant, Name, Text},
};
use crate::{HouseholdId, StoreError, WithdrawnPurpose};

/// The household's consent. The request was authorized for a household that existed: if it does not
/// any more, its consent was revoked.
pub fn consent(db: &Connection, household: HouseholdId) -> Result<Consent, StoreError> {
    db.prepare_cached(
        "SELECT granted_at, revoked_at, text_version, text_language, withdrawal_channel,
                withdrawal_received_on, granted_through, purposes
         FROM consent WHERE household = ?1",
    )?
    .query_row([Id(household.0)], |row| Ok((from_row(row)?, row.get(7)?)))
    .optional()?
    .ok_or(StoreError::ConsentRevoked)
    .and_then(|(consent, purposes): (Consent, Option<String>)| {
        Ok(Consent { purposes: purpose::from_text(purposes.as_deref())?, ..consent })
    })
}

/// Stores what a participant decides about a further purpose.
pub fn change_purpose(
    tx: &Transaction<'_>,
    household: HouseholdId,
    change: PurposeChange,
    at: Timestamp,
) -> Result<Consent, StoreError> {
    let purposes = purpose::decide(&consent(tx, household)?, change, at)?;
    tx.execute(
        "UPDATE consent SET purposes = ?2 WHERE household = ?1",
        params![Id(household.0), purpose::to_text(&purposes)?],
    )?;
    consent(tx, household)
}

/// Households that agreed to further purposes.
fn with_purposes(db: &Connection) -> Result<Vec<(Id, Vec<GivenPurpose>)>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT household, purposes FROM consent WHERE purposes IS NOT NULL")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.map(|row| {
        let (household, purposes): (Id, String) = row?;
        Ok((household, purpose::from_text(Some(&purposes))?))
    })
    .collect()
}

/// The further purposes that are withdrawn.
pub fn withdrawn_purposes(db: &Connection) -> Result<Vec<WithdrawnPurpose>, StoreError> {
    let all = with_purposes(db)?.into_iter();
    Ok(all.flat_map(|(Id(household), purposes)| purpose::withdrawn(household, purposes)).collect())
}

/// When each further purpose was withdrawn that is.
pub fn withdrawals(db: &Connection) -> Result<Vec<Timestamp>, StoreError> {
    let purposes = with_purposes(db)?.into_iter().flat_map(|(_, purposes)| purposes);
    Ok(purposes.filter_map(|purpose| purpose.withdrawn_at).collect())
}

/// Withdraws those that were withdrawn elsewhere.
pub fn withdraw_again(
    tx: &Transaction<'_>,
    withdrawn: &HashMap<String, Timestamp>,
) -> Result<usize, StoreError> {
    let mut count = 0;
    for (household, mut purposes) in with_purposes(tx)? {
        let changed = purpose::withdraw_again(household.0, &mut purposes, withdrawn);
        if changed > 0 {
            tx.execute(
                "UPDATE consent SET purposes = ?2 WHERE household = ?1",
                params![household, purpose::to_text(&purposes)?],
            )?;
        }
        count += changed;
    }
    Ok(count)
}

/// From a row of its columns but the purposes.
fn from_row(row: &Row<'_>) -> rusqlite::Result<Consent> {
    let version: Option<u32> = row.get(2)?;
    let language: Option<Text<_>> = row.get(3)?;
    let channel: Option<Text<_>> = row.get(4)?;
    let received_on: Option<Text<_>> = row.get(5)?;
    let through: Option<Name<GrantChannel>> = row.get(6)?;
    Ok(Consent {
        text: version.map(|version| AgreedText { version, language: language.map(|it| it.0) }),
        withdrawal: channel
            .zip(received_on)
            .map(|(Text(channel), Text(received_on))| Withdrawal { received_on, channel }),
        granted_through: through.map(|it| it.0),
        ..from_instants(row.get(0)?, row.get(1)?)
    })
}

/// The consent from those columns.
pub fn from_instants(granted_at: Option<Instant>, revoked_at: Option<Instant>) -> Consent {
    consent_of(granted_at.map(|at| at.0), revoked_at.map(|at| at.0))
}

/// Grants it.
pub fn grant(
    tx: &Transaction<'_>,
    household: HouseholdId,
    grant: ConsentGrant,
    through: Option<GrantChannel>,
    at: Timestamp,
) -> Result<Consent, StoreError> {
    require_grantable(&consent(tx, household)?)?;
    let current = survey_text::newest_languages(tx)?;
    let agreed = require_text(current.as_ref(), grant)?;
    tx.execute(
        "UPDATE consent
         SET granted_at = ?2, text_version = ?3, text_language = ?4, granted_through = ?5
         WHERE household = ?1",
        params![
            Id(household.0),
            Instant(at),
            agreed.map(|text| text.version),
            agreed.and_then(|text| text.language).map(Text),
            through.map(Name)
        ],
    )?;
    consent(tx, household)
}
