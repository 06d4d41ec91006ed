//! How long to wait before the next attempt, by what went wrong.

use std::time::Duration;

use crate::tunnel::{UpgradeError, dial::DialError};

/// Without name or route: this machine's network is down, and nobody is burdened by trying.
const LOCAL: Duration = Duration::from_secs(5);
/// Nobody answers: attempts themselves take their time, so that the network's return is seen soon.
const UNANSWERED: Duration = Duration::from_secs(4);
/// The longest pause when the server refuses or fails.
const LONGEST: Duration = Duration::from_secs(60);
/// Without permission: the certificate may be renewed meanwhile.
const NOT_AUTHORIZED: Duration = Duration::from_secs(3_600);

/// What went wrong, as far as waiting depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The network of this machine.
    Local,
    /// No answer at all.
    Unanswered,
    /// The server is there but does not serve.
    Failing,
    /// The server asks to wait.
    Asked(Duration),
    /// The server does not accept the certificate.
    NotAuthorized,
    /// Consent is revoked: for good.
    Revoked,
}

impl Cause {
    /// The cause of that error.
    pub(super) fn from_error(error: &DialError) -> Self {
        use std::io::ErrorKind as Kind;
        if error.is_certificate_refused() {
            return Self::NotAuthorized;
        }
        match error {
            DialError::Resolve(_) => Self::Local,
            DialError::Connect(source) => match source.kind() {
                Kind::NetworkUnreachable | Kind::NetworkDown | Kind::HostUnreachable => Self::Local,
                Kind::AddrNotAvailable => Self::Local,
                Kind::TimedOut => Self::Unanswered,
                _ => Self::Failing,
            },
            DialError::Timeout => Self::Unanswered,
            DialError::Upgrade(UpgradeError::Refused(refusal)) => {
                match (refusal.status, refusal.retry_after) {
                    (410, _) => Self::Revoked,
                    (401 | 403, _) => Self::NotAuthorized,
                    (_, Some(wait)) => Self::Asked(wait),
                    _ => Self::Failing,
                }
            }
            _ => Self::Failing,
        }
    }
}

/// Counts failures in a row.
#[derive(Debug, Default)]
pub(super) struct Waits {
    failures: u32,
}

impl Waits {
    /// The tunnel is held: the next failure is the first again.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// How long to wait; none if there is nothing to wait for. `random` is a fresh random number.
    pub(super) fn next(&mut self, cause: Cause, random: u32) -> Option<Duration> {
        let share = f64::from(random) / f64::from(u32::MAX);
        let jitter = |least: f64, length: Duration| length.mul_f64(least + (1.0 - least) * share);
        self.failures = self.failures.saturating_add(1);
        Some(match cause {
            Cause::Revoked => return None,
            Cause::Local => jitter(1.0 / 3.0, LOCAL.mul_f64(1.5)),
            Cause::Unanswered => jitter(0.25, UNANSWERED),
            // All devices lose a server at once: they come back spread over the whole pause.
            Cause::Failing => {
                let doubled = Duration::from_secs(1 << (self.failures - 1).min(6));
                jitter(0.0, doubled.min(LONGEST))
            }
            Cause::Asked(wait) => wait + jitter(0.0, wait / 4),
            Cause::NotAuthorized => jitter(0.9, NOT_AUTHORIZED),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::tunnel::Refusal;

    fn refused(status: u16, seconds: Option<u64>) -> Cause {
        let retry_after = seconds.map(Duration::from_secs);
        let (kind, text) = (String::new(), String::new());
        Cause::from_error(
            &UpgradeError::Refused(Refusal { status, retry_after, kind, text }).into(),
        )
    }

    #[test]
    fn causes() {
        assert_eq!(refused(410, Some(5)), Cause::Revoked);
        assert_eq!(refused(401, None), Cause::NotAuthorized);
        assert_eq!(refused(429, Some(7)), Cause::Asked(Duration::from_secs(7)));
        assert_eq!(refused(500, None), Cause::Failing);
        let unreachable = io::Error::from(io::ErrorKind::NetworkUnreachable);
        assert_eq!(Cause::from_error(&DialError::Connect(unreachable)), Cause::Local);
        let alert = rustls::Error::AlertReceived(rustls::AlertDescription::CertificateExpired);
        let expired = io::Error::new(io::ErrorKind::InvalidData, alert);
        let error = DialError::Upgrade(UpgradeError::Broken(expired));
        assert_eq!(Cause::from_error(&error), Cause::NotAuthorized);
    }

    #[test]
    fn pauses_have_bounds_and_grow_only_where_the_server_is_there() {
        let mut waits = Waits::default();
        let mut range =
            |cause| [0, u32::MAX].map(|random| waits.next(cause, random).unwrap().as_millis());
        assert_eq!(range(Cause::Failing), [0, 2_000]);
        assert_eq!(range(Cause::Local), [2_500, 7_500]);
        assert_eq!(range(Cause::Unanswered), [1_000, 4_000]);
        assert_eq!(range(Cause::Failing), [0, 60_000]);
        assert_eq!(range(Cause::Asked(Duration::from_secs(60))), [60_000, 75_000]);
        assert_eq!(range(Cause::NotAuthorized), [3_240_000, 3_600_000]);
        assert_eq!(waits.next(Cause::Revoked, 0), None);
        waits.succeeded();
        assert_eq!(waits.next(Cause::Failing, u32::MAX), Some(Duration::from_secs(1)));
    }
}
