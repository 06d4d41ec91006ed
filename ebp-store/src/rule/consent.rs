//! Consent is granted once and revoked once.

use ebp_core::{contract::Consent, model::ConsentState};
use jiff::Timestamp;

use crate::error::StoreError;

/// The consent that was granted and revoked at those instants.
#[must_use]
pub const fn consent_of(granted_at: Option<Timestamp>, revoked_at: Option<Timestamp>) -> Consent {
    let state = match (granted_at, revoked_at) {
        (None, _) => ConsentState::NotGranted,
        (Some(_), None) => ConsentState::Granted,
        (Some(_), Some(_)) => ConsentState::Revoked,
    };
    Consent { state, granted_at, revoked_at }
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
    fn a_revocation_is_never_before_the_grant() {
        assert_eq!(revoked_at(EARLY, LATE), LATE);
        assert_eq!(revoked_at(LATE, EARLY), LATE);
        assert_eq!(revoked_elsewhere(None, (EARLY, LATE)), (EARLY, LATE));
        assert_eq!(revoked_elsewhere(Some(LATE), (EARLY, LATE)), (EARLY, LATE));
        assert_eq!(revoked_elsewhere(Some(EARLY), (LATE, LATE)), (EARLY, LATE));
    }
}
