//! Further purposes of consent: each is agreed to and withdrawn by itself.

use std::{collections::HashMap, fmt::Write as _};

use ebp_core::contract::{Consent, GivenPurpose, Language};
use jiff::Timestamp;
use ring::digest::{Context, SHA256};
use uuid::Uuid;

use super::consent::require_granted;
use crate::{StoreError, WithdrawnPurpose};

/// The most purposes of a household, those that were withdrawn included: a survey may change its own.
const MOST: usize = 100;

/// What a participant decides about a further purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PurposeChange {
    /// They agree to it.
    Give {
        /// Its name.
        name: String,
        /// The language that its text was read in.
        language: Language,
        /// The text.
        text: String,
    },
    /// They withdraw that.
    Withdraw {
        /// Its name.
        name: String,
    },
}

/// The household's purposes after that decision. One that changes nothing keeps what was decided first:
/// agreeing to the same text again, or withdrawing again.
///
/// # Errors
/// Returns [`StoreError::ConsentNotGranted`] or [`StoreError::ConsentRevoked`] unless consent is granted,
/// and [`StoreError::NotFound`] if a purpose is withdrawn that was never agreed to, or if there are too
/// many.
pub fn decide(
    consent: &Consent,
    change: PurposeChange,
    at: Timestamp,
) -> Result<Vec<GivenPurpose>, StoreError> {
    require_granted(consent)?;
    let mut purposes = consent.purposes.clone();
    match change {
        PurposeChange::Give { name, language, text } => {
            let given = GivenPurpose { name, language, text, given_at: at, withdrawn_at: None };
            let is_new = purposes.iter().all(|known| known.name != given.name);
            if is_new && purposes.len() >= MOST {
                return Err(StoreError::NotFound);
            }
            let holds = |known: &GivenPurpose| {
                known.name == given.name && known.withdrawn_at.is_none() && known.text == given.text
            };
            if !purposes.iter().any(holds) {
                purposes.retain(|known| known.name != given.name);
                purposes.push(given);
            }
        }
        PurposeChange::Withdraw { name } => {
            let known = purposes.iter_mut().find(|known| known.name == name);
            let known = known.ok_or(StoreError::NotFound)?;
            // A clock that was set back in between does not make it one of before.
            known.withdrawn_at.get_or_insert(at.max(known.given_at));
        }
    }
    Ok(purposes)
}

/// A household's purpose on the list of revocations, which may be kept longer than any backup and
/// read by others: the identifier is of 122 random bits, so that nobody finds it by trying.
fn digest(household: Uuid, name: &str) -> String {
    let mut context = Context::new(&SHA256);
    context.update(household.as_bytes());
    context.update(name.as_bytes());
    let octets = context.finish();
    octets.as_ref().iter().fold(String::new(), |mut digits, octet| {
        // Writing to a text does not fail.
        let _ = write!(digits, "{octet:02x}");
        digits
    })
}

/// Those of the household's purposes that are withdrawn, as the list of revocations has them.
pub fn withdrawn(
    household: Uuid,
    purposes: Vec<GivenPurpose>,
) -> impl Iterator<Item = WithdrawnPurpose> {
    purposes.into_iter().filter_map(move |GivenPurpose { name, withdrawn_at, .. }| {
        Some(WithdrawnPurpose { purpose: digest(household, &name), withdrawn_at: withdrawn_at? })
    })
}

/// When the last withdrawal of each was.
pub fn by_digest(withdrawn: &[WithdrawnPurpose]) -> HashMap<String, Timestamp> {
    let mut last = HashMap::new();
    for WithdrawnPurpose { purpose, withdrawn_at } in withdrawn {
        let known = last.entry(purpose.clone()).or_insert(*withdrawn_at);
        *known = (*known).max(*withdrawn_at);
    }
    last
}

/// Withdraws what was withdrawn elsewhere and holds here, and says how many that are. What was
/// agreed to after the withdrawal holds on.
pub fn withdraw_again(
    household: Uuid,
    purposes: &mut [GivenPurpose],
    withdrawn: &HashMap<String, Timestamp>,
) -> usize {
    let mut count = 0;
    for known in purposes.iter_mut().filter(|known| known.withdrawn_at.is_none()) {
        if let Some(at) = withdrawn.get(&digest(household, &known.name))
            && *at >= known.given_at
        {
            known.withdrawn_at = Some(*at);
            count += 1;
        }
    }
    count
}

/// As they are kept.
///
/// # Errors
/// Returns [`StoreError::Damaged`] if they cannot be written.
pub fn to_text(purposes: &[GivenPurpose]) -> Result<String, StoreError> {
    serde_json::to_string(purposes).map_err(|_| StoreError::Damaged("consent"))
}

/// From what is kept.
///
/// # Errors
/// Returns [`StoreError::Damaged`] if it is no such text.
pub fn from_text(text: Option<&str>) -> Result<Vec<GivenPurpose>, StoreError> {
    let read = text.map(serde_json::from_str).transpose();
    Ok(read.map_err(|_| StoreError::Damaged("consent"))?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::consent::consent_of;
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn give(text: &str) -> PurposeChange {
        let name = "later-studies".to_owned();
        PurposeChange::Give { name, language: Language::De, text: text.to_owned() }
    }

    fn withdraw(name: &str) -> PurposeChange {
        PurposeChange::Withdraw { name: name.to_owned() }
    }

    #[test]
    fn a_purpose_is_given_withdrawn_and_given_again() {
        let mut consent = consent_of(Some(at(1)), None);
        let mut after = |change, second| {
            consent.purposes = decide(&consent, change, at(second)).unwrap();
            let text = to_text(&consent.purposes).unwrap();
            assert_eq!(from_text(Some(&text)).unwrap(), consent.purposes);
            let purpose = consent.purposes[0].clone();
            (purpose.text, purpose.given_at.as_second(), purpose.withdrawn_at)
        };
        assert_eq!(after(give("a"), 2), ("a".into(), 2, None));
        assert_eq!(after(give("a"), 3), ("a".into(), 2, None), "the first time counts");
        assert_eq!(after(give("b"), 4), ("b".into(), 4, None), "another text");
        assert_eq!(after(withdraw("later-studies"), 5), ("b".into(), 4, Some(at(5))));
        assert_eq!(after(withdraw("later-studies"), 6), ("b".into(), 4, Some(at(5))));
        assert_eq!(after(give("b"), 7), ("b".into(), 7, None));
        assert!(matches!(decide(&consent, withdraw("x"), at(8)), Err(StoreError::NotFound)));
        assert_eq!(from_text(None).unwrap(), []);
        assert!(from_text(Some("{}")).is_err());
    }

    #[test]
    fn a_withdrawal_counts_for_what_was_agreed_to_before_it() {
        let household = Uuid::from_u128(1);
        let given = |second, withdrawn_at| GivenPurpose {
            name: "later-studies".to_owned(),
            language: Language::De,
            text: "a".to_owned(),
            given_at: at(second),
            withdrawn_at,
        };
        // A clock that was set back.
        let mut consent = consent_of(Some(at(1)), None);
        consent.purposes = vec![given(5, None)];
        let after = decide(&consent, withdraw("later-studies"), at(3)).unwrap();
        assert_eq!(after[0].withdrawn_at, Some(at(5)));
        let mut told: Vec<_> = withdrawn(household, after).collect();
        told.push(WithdrawnPurpose { withdrawn_at: at(4), ..told[0].clone() });
        let last = by_digest(&told);
        let again = |household, second, withdrawn_at| {
            let mut purposes = [given(second, withdrawn_at)];
            let count = withdraw_again(household, &mut purposes, &last);
            (count, purposes[0].withdrawn_at)
        };
        assert_eq!(again(household, 2, None), (1, Some(at(5))), "another text, before");
        assert_eq!(again(household, 5, None), (1, Some(at(5))));
        assert_eq!(again(household, 6, None), (0, None), "agreed to again");
        assert_eq!(again(household, 2, Some(at(3))), (0, Some(at(3))));
        assert_eq!(again(Uuid::from_u128(2), 2, None), (0, None));
    }

    #[test]
    fn none_without_consent() {
        let not_granted = consent_of(None, None);
        let error = decide(&not_granted, give("a"), at(1)).unwrap_err();
        assert!(matches!(error, StoreError::ConsentNotGranted), "{error}");
        let revoked = consent_of(Some(at(1)), Some(at(2)));
        let error = decide(&revoked, give("a"), at(3)).unwrap_err();
        assert!(matches!(error, StoreError::ConsentRevoked), "{error}");
    }
}
