//! Consent is granted once and revoked once.

use ebp_core::{
    contract::{AgreedText, Consent, ConsentGrant, Language, Withdrawal},
    model::ConsentState,
};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use super::revocation::month;
use crate::{Faults, error::StoreError};

/// The consent that was granted and revoked at those instants.
#[must_use]
pub const fn consent_of(granted_at: Option<Timestamp>, revoked_at: Option<Timestamp>) -> Consent {
    let state = match (granted_at, revoked_at) {
        (None, _) => ConsentState::NotGranted,
        (Some(_), None) => ConsentState::Granted,
        (Some(_), Some(_)) => ConsentState::Revoked,
    };
    Consent {
        state,
        granted_at,
        revoked_at,
        text: None,
        granted_through: None,
        withdrawal: None,
        purposes: Vec::new(),
    }
}

/// Whether consent may be granted now.
///
/// # Errors
/// Returns [`StoreError::ConsentAlreadyGranted`] if consent was granted before, and
/// [`StoreError::ConsentRevoked`] if it was revoked.
pub fn require_grantable(consent: &Consent) -> Result<(), StoreError> {
    match consent.state {
        ConsentState::NotGranted => Ok(()),
        ConsentState::Granted => Err(StoreError::ConsentAlreadyGranted),
        ConsentState::Revoked => Err(StoreError::ConsentRevoked),
    }
}

/// Whether consent is not revoked: until then a household may say what is wrong.
///
/// # Errors
/// Returns [`StoreError::ConsentRevoked`] if it is.
pub fn require_not_revoked(consent: &Consent) -> Result<(), StoreError> {
    match consent.state {
        ConsentState::Revoked => Err(StoreError::ConsentRevoked),
        ConsentState::NotGranted | ConsentState::Granted => Ok(()),
    }
}

/// The text that is agreed to. `current` is the version of the survey's texts with its languages,
/// if there are texts.
///
/// # Errors
/// Returns [`StoreError::Registration`] with the faults if the grant does not say which text, or
/// says one where there is none or in a language that there is not;
/// [`StoreError::ConsentTextChanged`] if the texts have another version.
pub fn require_text(
    current: Option<&(u32, Vec<Language>)>,
    grant: ConsentGrant,
) -> Result<Option<AgreedText>, StoreError> {
    let mut faults = Faults::default();
    let said =
        [("/text_version", grant.text_version.is_some()), ("/language", grant.language.is_some())];
    let Some((version, languages)) = current else {
        for (pointer, is_said) in said {
            faults.check(!is_said, pointer, "must not be set while the survey has no texts");
        }
        return faults.none_or_all().map(|()| None);
    };
    for (pointer, is_said) in said {
        let detail = "must say which text was agreed to: the survey has texts (GET /survey)";
        faults.check(is_said, pointer, detail);
    }
    faults.none_or_all()?;
    if grant.text_version != Some(*version) {
        return Err(StoreError::ConsentTextChanged(*version));
    }
    let mut faults = Faults::default();
    let is_there = grant.language.is_some_and(|language| languages.contains(&language));
    faults.check(is_there, "/language", "must be a language that the survey's texts have");
    faults.none_or_all()?;
    Ok(Some(AgreedText { version: *version, language: grant.language }))
}

/// How far ahead of UTC a survey's place is at most: Central European summer time.
const AHEAD: SignedDuration = SignedDuration::from_hours(2);

/// Whether a withdrawal can have come on that day, where it is recorded at `at`. Days are those of
/// Central Europe, whose clocks are one or two hours ahead of UTC.
///
/// # Errors
/// Returns [`StoreError::Registration`] with the fault if it came before the day of granting or
/// after today.
pub fn require_receivable(
    withdrawal: Option<Withdrawal>,
    granted_at: Timestamp,
    at: Timestamp,
) -> Result<(), StoreError> {
    let Some(Withdrawal { received_on, .. }) = withdrawal else { return Ok(()) };
    let today = day(at.checked_add(AHEAD).unwrap_or(at));
    let mut faults = Faults::default();
    faults.check(received_on <= today, "/received_on", "must not be in the future");
    let detail = "must not be before consent was granted";
    // A clock that was set back in between keeps nobody from revoking.
    let granted_on = day(granted_at).min(today);
    faults.check(received_on >= granted_on, "/received_on", detail);
    faults.none_or_all()
}

fn day(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date()
}

/// The consent that was revoked at that instant, as the participant is told, or of a withdrawal the
/// researcher: who recorded it learns no more than what is left.
pub fn revoked(before: &Consent, revoked_at: Timestamp, withdrawal: Option<Withdrawal>) -> Consent {
    let Some(withdrawal) = withdrawal else {
        let Consent { text, granted_through, .. } = *before;
        return Consent {
            text,
            granted_through,
            ..consent_of(before.granted_at, Some(revoked_at))
        };
    };
    let received_on = withdrawal.received_on.first_of_month();
    Consent {
        text: before.text.map(|text| AgreedText { language: None, ..text }),
        withdrawal: Some(Withdrawal { received_on, ..withdrawal }),
        ..consent_of(before.granted_at.map(month), Some(month(revoked_at)))
    }
}

/// When consent was granted that still holds: measurements are stored and consent is revoked under
/// such a one only.
///
/// # Errors
/// Returns [`StoreError::ConsentNotGranted`] if consent was never granted, and
/// [`StoreError::ConsentRevoked`] if it was revoked.
pub fn require_granted(consent: &Consent) -> Result<Timestamp, StoreError> {
    match (consent.state, consent.granted_at) {
        (ConsentState::Granted, Some(granted_at)) => Ok(granted_at),
        (ConsentState::Revoked, _) => Err(StoreError::ConsentRevoked),
        _ => Err(StoreError::ConsentNotGranted),
    }
}

/// When consent that was granted then is revoked by a request of that instant: a clock that was set
/// back in between must not keep anybody from revoking.
#[must_use]
pub fn revoked_at(granted_at: Timestamp, at: Timestamp) -> Timestamp {
    at.max(granted_at)
}

/// When consent counts as granted and revoked here that was revoked elsewhere, with those instants.
/// It may have been granted earlier here, or never.
#[must_use]
pub fn revoked_elsewhere(
    granted_here: Option<Timestamp>,
    (granted_at, revoked): (Timestamp, Timestamp),
) -> (Timestamp, Timestamp) {
    let granted_at = granted_here.map_or(granted_at, |here| here.min(granted_at));
    (granted_at, revoked_at(granted_at, revoked))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLY: Timestamp = Timestamp::constant(1_000, 0);
    const LATE: Timestamp = Timestamp::constant(2_000, 0);

    #[test]
    fn granted_once_and_revoked_once() {
        let [none, granted, revoked] =
            [(None, None), (Some(EARLY), None), (Some(EARLY), Some(LATE))]
                .map(|(granted, revoked)| consent_of(granted, revoked));
        assert!(require_grantable(&none).is_ok());
        assert!(matches!(require_grantable(&granted), Err(StoreError::ConsentAlreadyGranted)));
        assert!(matches!(require_grantable(&revoked), Err(StoreError::ConsentRevoked)));
        assert!(matches!(require_granted(&none), Err(StoreError::ConsentNotGranted)));
        assert_eq!(require_granted(&granted).unwrap(), EARLY);
        assert!(matches!(require_granted(&revoked), Err(StoreError::ConsentRevoked)));
    }

    #[test]
    fn a_grant_names_the_text_where_there_is_one() {
        let grant = |text_version, language| ConsentGrant { text_version, language };
        let whole = grant(Some(3), Some(Language::De));
        let places = |result: Result<Option<AgreedText>, StoreError>| match result {
            Err(StoreError::Registration(faults)) => {
                assert!(!faults.of_form());
                faults.iter().map(|fault| fault.pointer.clone()).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(require_text(None, ConsentGrant::default()).unwrap(), None);
        assert_eq!(places(require_text(None, whole)), ["/text_version", "/language"]);
        let current = (3, vec![Language::De]);
        let require = |grant| require_text(Some(&current), grant);
        let agreed = AgreedText { version: 3, language: Some(Language::De) };
        assert_eq!(require(whole).unwrap(), Some(agreed));
        assert_eq!(places(require(ConsentGrant::default())), ["/text_version", "/language"]);
        assert_eq!(places(require(grant(Some(3), None))), ["/language"]);
        assert_eq!(places(require(grant(Some(3), Some(Language::En)))), ["/language"]);
        for other in [2, 4] {
            let changed = require(grant(Some(other), Some(Language::De)));
            assert!(matches!(changed, Err(StoreError::ConsentTextChanged(3))), "{changed:?}");
        }
    }

    #[test]
    fn a_withdrawal_comes_between_granting_and_today() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let receive = |day: &str, granted: &str, now: &str| {
            let channel = ebp_core::contract::WithdrawalChannel::Letter;
            let withdrawal = Withdrawal { received_on: day.parse().unwrap(), channel };
            require_receivable(Some(withdrawal), at(granted), at(now)).is_ok()
        };
        let (granted, now) = ("2026-03-02T23:30:00Z", "2026-03-09T12:00:00Z");
        for (day, holds) in [
            ("2026-03-01", false),
            ("2026-03-02", true),
            ("2026-03-09", true),
            ("2026-03-10", false),
            ("9999-12-31", false),
        ] {
            assert_eq!(receive(day, granted, now), holds, "{day}");
        }
        // In Germany it is tomorrow already.
        assert!(receive("2026-07-02", granted, "2026-07-01T22:30:00Z"));
        // The clock was set back since.
        assert!(receive("2026-02-01", granted, "2026-02-01T12:00:00Z"));
        assert!(require_receivable(None, at(granted), at(now)).is_ok());
    }

    #[test]
    fn a_revocation_is_never_before_the_grant() {
        assert_eq!(revoked_at(EARLY, LATE), LATE);
        assert_eq!(revoked_at(LATE, EARLY), LATE);
        assert_eq!(revoked_elsewhere(None, (EARLY, LATE)), (EARLY, LATE));
        assert_eq!(revoked_elsewhere(Some(LATE), (EARLY, LATE)), (EARLY, LATE));
        assert_eq!(revoked_elsewhere(Some(EARLY), (LATE, LATE)), (EARLY, LATE));
    }
}
