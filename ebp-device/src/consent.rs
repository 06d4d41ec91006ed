//! The consent gate: whether this device may measure and send now (thesis figure 4.9).
//!
//! Enters: the consent stored in the spool, a function that asks the Data API, the clock. Leaves: a
//! [`Decision`]. Absent: granting and revoking, which the participant does.
//!
//! The server is asked each time, so that a revocation takes effect within one cycle. While it
//! cannot be reached, its last answer remains valid, however old: neither an outage nor a restart
//! stops a granted survey. Before the first answer nothing is measured. A revocation is final: it
//! is stored, the spool is purged, and the server is never asked again.

use jiff::Timestamp;

use crate::spool::{KnownConsent, Spool, SpoolError};
use ebp_client::ClientError;
use ebp_core::{clock::Clock, contract::Consent, model::ConsentState};

/// Whether this device may measure and send.
#[derive(Debug)]
pub enum Decision {
    /// It may.
    Granted {
        /// When the server answered so, by this device's clock.
        as_of: Timestamp,
        /// Why it could not be asked now, if so: measuring continues, sending would fail.
        unasked: Option<Box<ClientError>>,
    },
    /// Not yet: the participant has not granted consent.
    NotGranted,
    /// Not yet: the server has never answered, and did not answer now.
    Unknown(ClientError),
    /// Never again; the spool is purged.
    Revoked,
}

impl Decision {
    /// Whether measuring and sending are allowed.
    #[must_use]
    pub const fn is_granted(&self) -> bool {
        matches!(self, Self::Granted { .. })
    }
}

/// Makes the [`Decision`].
#[derive(Debug)]
pub struct Gate;

impl Gate {
    /// Asks the server (with `asking`, such as [`Client::consent`](ebp_client::Client::consent))
    /// and the consent stored in the spool, and stores the answer.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the memory fails. Where it does after a revocation was heard, the
    /// revocation may not be remembered: nothing must be measured then either.
    pub fn decide(
        spool: &Spool,
        asking: impl FnOnce() -> Result<Consent, ClientError>,
        clock: &dyn Clock,
    ) -> Result<Decision, SpoolError> {
        let known = spool.consent()?;
        if is_revoked(known) {
            return Ok(Decision::Revoked);
        }
        let answer = asking();
        let now = clock.now();
        let state = match answer {
            Ok(consent) => consent.state,
            Err(error) if error.consent_revoked() => ConsentState::Revoked,
            Err(error) => return Ok(unasked(known, error)),
        };
        match spool.remember_consent(state, now) {
            // Another process received the revocation meanwhile; it is final.
            Err(SpoolError::Revoked { .. }) => return Ok(Decision::Revoked),
            done => done?,
        }
        Ok(match state {
            ConsentState::Granted => Decision::Granted { as_of: now, unasked: None },
            ConsentState::NotGranted => Decision::NotGranted,
            ConsentState::Revoked => Decision::Revoked,
        })
    }
}

fn is_revoked(known: Option<KnownConsent>) -> bool {
    known.is_some_and(|known| known.state == ConsentState::Revoked)
}

/// The decision while the server cannot be reached.
fn unasked(known: Option<KnownConsent>, error: ClientError) -> Decision {
    match known {
        Some(KnownConsent { state: ConsentState::Granted, as_of }) => {
            Decision::Granted { as_of, unasked: Some(Box::new(error)) }
        }
        Some(_) => {
            tracing::warn!(%error, "consent could not be asked for; it was not granted");
            Decision::NotGranted
        }
        None => Decision::Unknown(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ebp_core::{
        clock::FixedClock,
        contract::problem_type,
        cycle::Cycle,
        model::{Measurement, measurement_id},
    };

    fn clock(text: &str) -> FixedClock {
        FixedClock(text.parse().unwrap())
    }

    fn says(state: ConsentState) -> Result<Consent, ClientError> {
        Ok(Consent {
            state,
            granted_at: None,
            revoked_at: None,
            text: None,
            granted_through: None,
            withdrawal: None,
            purposes: Vec::new(),
        })
    }

    fn outage() -> ClientError {
        ClientError::Unreachable { server: "https://api.example".into(), reason: "down".into() }
    }

    fn gone() -> ClientError {
        ClientError::Problem {
            server: "https://api.example".into(),
            status: 410,
            kind: problem_type::CONSENT_REVOKED.into(),
            title: "over".into(),
            faults: Box::default(),
            household: None,
            retry_after: None,
            trace_id: None,
        }
    }

    fn measure(spool: &Spool) {
        let slot = Cycle::QUARTER_HOUR.slot(Timestamp::UNIX_EPOCH);
        let meter = uuid::Uuid::from_u128(1);
        let uuid = measurement_id(meter, slot);
        let measured_at = slot.start();
        spool
            .store(
                &Measurement { uuid, meter, measured_at, data: Vec::new(), flags: Vec::new() },
                slot,
            )
            .unwrap();
    }

    #[test]
    fn an_outage_does_not_stop_a_granted_survey_and_neither_does_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(dir.path()).unwrap();
        let (early, late) = (clock("2026-01-31T12:00:00Z"), clock("2026-03-31T12:00:00Z"));
        let decision = Gate::decide(&spool, || says(ConsentState::Granted), &early).unwrap();
        assert!(matches!(decision, Decision::Granted { as_of, unasked: None } if as_of == early.0));
        drop(spool);
        let spool = Spool::open(dir.path()).unwrap();
        let decision = Gate::decide(&spool, || Err(outage()), &late).unwrap();
        assert!(
            matches!(decision, Decision::Granted { as_of, unasked: Some(_) } if as_of == early.0)
        );
    }

    #[test]
    fn nothing_is_measured_before_consent_was_heard_of() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(dir.path()).unwrap();
        let clock = clock("2026-01-31T12:00:00Z");
        let decision = Gate::decide(&spool, || Err(outage()), &clock).unwrap();
        assert!(matches!(decision, Decision::Unknown(_)) && !decision.is_granted());
        let decision = Gate::decide(&spool, || says(ConsentState::NotGranted), &clock).unwrap();
        assert!(matches!(decision, Decision::NotGranted));
        let decision = Gate::decide(&spool, || Err(outage()), &clock).unwrap();
        assert!(matches!(decision, Decision::NotGranted));
    }

    #[test]
    fn a_revocation_purges_and_is_never_asked_about_again() {
        for answer in [|| says(ConsentState::Revoked), || Err(gone())] {
            let dir = tempfile::tempdir().unwrap();
            let spool = Spool::open(dir.path()).unwrap();
            let clock = clock("2026-01-31T12:00:00Z");
            Gate::decide(&spool, || says(ConsentState::Granted), &clock).unwrap();
            measure(&spool);
            let decision = Gate::decide(&spool, answer, &clock).unwrap();
            assert!(matches!(decision, Decision::Revoked));
            assert!(spool.is_empty().unwrap());
            drop(spool);
            let spool = Spool::open(dir.path()).unwrap();
            let decision = Gate::decide(&spool, || panic!("asked again"), &clock).unwrap();
            assert!(matches!(decision, Decision::Revoked));
        }
    }

    #[test]
    fn a_revocation_heard_by_another_process_meanwhile_wins() {
        let dir = tempfile::tempdir().unwrap();
        let (spool, other) = (Spool::open(dir.path()).unwrap(), Spool::open(dir.path()).unwrap());
        let clock = clock("2026-01-31T12:00:00Z");
        let asking = || {
            other.purge(clock.0).unwrap();
            says(ConsentState::Granted)
        };
        let decision = Gate::decide(&spool, asking, &clock).unwrap();
        assert!(matches!(decision, Decision::Revoked));
    }
}
