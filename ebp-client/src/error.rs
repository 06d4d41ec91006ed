//! Errors of requests to the Data API, sorted by what can be done about them.

use std::{error::Error, fmt, io, time::Duration};

use jiff::{SignedDuration, Timestamp};
use rustls::{AlertDescription, CertificateError};

use uuid::Uuid;

use ebp_core::{
    contract::{Problem, problem_type},
    retry_after,
    trace::TraceId,
};

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server's address is invalid.
    #[error("`{url}` is no address of a Data API: write https://host or https://host:port")]
    InvalidUrl {
        /// As it was given.
        url: String,
    },
    /// The client cannot be set up on this machine.
    #[error("cannot set up the connection to {server}: {reason}")]
    SetUp {
        /// The Data API's address.
        server: String,
        /// Why.
        reason: String,
    },
    /// The server could not be reached, closed the connection, or did not answer in time.
    #[error("cannot reach {server}: {reason}")]
    Unreachable {
        /// The Data API's address.
        server: String,
        /// Why.
        reason: String,
    },
    /// One side does not accept the other's certificate.
    #[error("no secure connection to {server}: {refusal} ({reason})")]
    Tls {
        /// The Data API's address.
        server: String,
        /// Which side, and why.
        refusal: TlsRefusal,
        /// In the words of the TLS library.
        reason: String,
    },
    /// The server rejects our certificate as not valid yet: its clock is slow.
    #[error("the clock of {server} is behind by {behind:#}: it says {time:.0}")]
    ServerClockBehind {
        /// The Data API's address.
        server: String,
        /// The time of its clock.
        time: Timestamp,
        /// By how much, by this device's clock.
        behind: SignedDuration,
    },
    /// The server answered with a problem (RFC 9457), or with an error that is no problem document.
    #[error("{server} answers {status}: {title}{}", listed(faults))]
    Problem {
        /// The Data API's address.
        server: String,
        /// The HTTP status.
        status: u16,
        /// One of [`problem_type`], or `about:blank` if the response was no problem document.
        kind: String,
        /// What went wrong, in the server's words.
        title: Box<str>,
        /// The details: which fields are wrong, and what is expected.
        faults: Box<[String]>,
        /// The household that prevents it, if the server names one.
        household: Option<Box<Uuid>>,
        /// How long to wait before the next request, as the server asked (`Retry-After`).
        retry_after: Option<Duration>,
        /// The request's identifier, by which an administrator finds it in the server's log.
        trace_id: Option<Box<TraceId>>,
    },
    /// The server answered something that is not in the contract.
    #[error("{server} gives an answer to {path} that cannot be understood: {reason}")]
    Garbled {
        /// The Data API's address.
        server: String,
        /// The path that was requested.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Which certificate was not accepted, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsRefusal {
    /// The server does not accept ours: it is of another authority, or of the wrong kind.
    OursRefused,
    /// Ours has expired.
    OursExpired,
    /// Ours is revoked.
    OursRevoked,
    /// The server's was not issued by our authority.
    TheirsUntrusted,
    /// The server's has expired, or this device's clock is fast.
    TheirsExpired,
    /// The server's is not valid yet: this device's clock is slow, or the server's was fast.
    TheirsNotYetValid,
    /// The server's is for another host name.
    TheirsOtherName,
    /// The TLS handshake failed for another reason.
    Protocol,
}

impl fmt::Display for TlsRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OursRefused => "the server does not accept this certificate",
            Self::OursExpired => "this certificate has expired",
            Self::OursRevoked => "this certificate is revoked",
            Self::TheirsUntrusted => "the server's certificate is not from the authority we trust",
            Self::TheirsExpired => {
                "the server's certificate has expired, or this device's clock is ahead"
            }
            Self::TheirsNotYetValid => {
                "the server's certificate is not valid yet: this device's clock is behind"
            }
            Self::TheirsOtherName => "the server's certificate names another host",
            Self::Protocol => "the two sides do not come to terms",
        })
    }
}

impl ClientError {
    /// Whether the same request may succeed later without any change.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Garbled { .. } | Self::ServerClockBehind { .. } => {
                true
            }
            Self::Problem { status, .. } => retry_after::is_passing(*status),
            Self::InvalidUrl { .. } | Self::SetUp { .. } | Self::Tls { .. } => false,
        }
    }

    /// Whether the server says that consent is revoked for good. Both the status and the type must
    /// be right, because what follows cannot be undone.
    #[must_use]
    pub fn consent_revoked(&self) -> bool {
        matches!(self, Self::Problem { status: 410, kind, .. }
            if kind == problem_type::CONSENT_REVOKED)
    }

    /// Whether the server says that consent is not granted yet.
    #[must_use]
    pub fn consent_not_granted(&self) -> bool {
        matches!(self, Self::Problem { kind, .. } if kind == problem_type::CONSENT_NOT_GRANTED)
    }

    /// The household that the participant has at the same address, if a registration is rejected
    /// for that reason.
    #[must_use]
    pub fn registered_already(&self) -> Option<Uuid> {
        match self {
            Self::Problem { kind, household, .. } if kind == problem_type::REGISTERED_ALREADY => {
                household.as_deref().copied()
            }
            _ => None,
        }
    }

    /// Whether the server's quota for these measurements is used up, while others may be accepted.
    #[must_use]
    pub fn quota_used_up(&self) -> bool {
        matches!(self, Self::Problem { kind, .. } if kind == problem_type::QUOTA)
    }

    /// Whether the server rejects the identity or its scopes.
    #[must_use]
    pub const fn not_authorized(&self) -> bool {
        matches!(
            self,
            Self::Problem { status: 401 | 403, .. }
                | Self::Tls {
                    refusal: TlsRefusal::OursRefused
                        | TlsRefusal::OursExpired
                        | TlsRefusal::OursRevoked,
                    ..
                }
        )
    }

    /// The identifier of a request that the server failed to answer: an administrator finds it in the
    /// server's log. There is none for what the client can mend.
    #[must_use]
    pub fn failed_request(&self) -> Option<TraceId> {
        match self {
            Self::Problem { status: 500.., trace_id, .. } => trace_id.as_deref().copied(),
            _ => None,
        }
    }

    /// How long to wait before the next request, as the server asked (`Retry-After`).
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Problem { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Classifies an error of the HTTP library.
    pub(super) fn of_transport(server: &str, error: reqwest::Error) -> Self {
        let server = server.to_owned();
        match tls_error(&error) {
            Some(tls) => Self::Tls { server, refusal: refusal(tls), reason: reason(tls) },
            None if error.is_timeout() => {
                Self::Unreachable { server, reason: "no answer in time".into() }
            }
            None => Self::Unreachable { server, reason: innermost(&error) },
        }
    }

    /// The error of a response that is no success.
    pub(super) fn of_answer(
        server: &str,
        status: reqwest::StatusCode,
        body: &[u8],
        retry_after: Option<Duration>,
        trace_id: TraceId,
    ) -> Self {
        let (kind, title, faults, household): (_, _, Vec<String>, _) =
            match serde_json::from_slice::<Problem>(body) {
                Ok(Problem { kind, title, faults, detail, household, .. }) if faults.is_empty() => {
                    (kind, title, detail.into_iter().collect(), household)
                }
                Ok(Problem { kind, title, faults, household, .. }) => {
                    (kind, title, faults.iter().map(ToString::to_string).collect(), household)
                }
                Err(_) => {
                    let reason = status.canonical_reason().unwrap_or("").to_owned();
                    ("about:blank".into(), reason, Vec::new(), None)
                }
            };
        Self::Problem {
            server: server.to_owned(),
            status: status.as_u16(),
            kind: shortened(kind),
            title: shortened(title).into(),
            faults: faults.into_iter().take(50).map(shortened).collect(),
            household: household.map(Box::new),
            retry_after,
            trace_id: Some(Box::new(trace_id)),
        }
    }
}

/// The faults behind the title.
fn listed(faults: &[String]) -> String {
    if faults.is_empty() { String::new() } else { format!(" ({})", faults.join("; ")) }
}

/// The server's text goes into logs, so it is limited to one line of bounded length.
fn shortened(text: String) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// The TLS library's error, wherever in the chain it is. `io::Error` does not return the error that
/// it wraps as its source, so `get_ref` is used.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(tls) = error.downcast_ref() {
        return Some(tls);
    }
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(carried) => tls_error(carried),
        None => tls_error(error.source()?),
    }
}

/// In the words of the TLS library, or of our own check, whose error it passes on.
fn reason(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(own)) => own.0.to_string(),
        _ => error.to_string(),
    }
}

/// The cause that says most: an error of HTTP hides it in causes of causes.
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

fn refusal(error: &rustls::Error) -> TlsRefusal {
    use AlertDescription as Alert;
    match error {
        rustls::Error::AlertReceived(alert) => match *alert {
            Alert::CertificateExpired => TlsRefusal::OursExpired,
            Alert::CertificateRevoked => TlsRefusal::OursRevoked,
            Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::DecryptError
            | Alert::CertificateRequired => TlsRefusal::OursRefused,
            _ => TlsRefusal::Protocol,
        },
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                TlsRefusal::TheirsExpired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                TlsRefusal::TheirsNotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                TlsRefusal::TheirsOtherName
            }
            _ => TlsRefusal::TheirsUntrusted,
        },
        _ => TlsRefusal::Protocol,
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn answer(status: StatusCode, body: &str) -> ClientError {
        let trace = TraceId::from_uuid(Uuid::from_u128(1));
        ClientError::of_answer("https://api.example", status, body.as_bytes(), None, trace)
    }

    #[test]
    fn revocation_needs_both_status_and_type() {
        let body = |kind: &str| format!(r#"{{"type":"{kind}","status":410,"title":"over"}}"#);
        let revoked = body(problem_type::CONSENT_REVOKED);
        assert!(answer(StatusCode::GONE, &revoked).consent_revoked());
        assert!(!answer(StatusCode::NOT_FOUND, &revoked).consent_revoked());
        assert!(!answer(StatusCode::GONE, &body(problem_type::NOT_FOUND)).consent_revoked());
        assert!(!answer(StatusCode::GONE, "<html>gone</html>").consent_revoked());
    }

    #[test]
    fn statuses_are_sorted_by_what_helps() {
        for status in [408, 425, 429, 500, 502, 503, 599] {
            let error = answer(StatusCode::from_u16(status).unwrap(), "");
            assert!(error.is_temporary() && !error.not_authorized(), "{error:?}");
        }
        for status in [400, 404, 409, 410, 413] {
            let error = answer(StatusCode::from_u16(status).unwrap(), "");
            assert!(!error.is_temporary() && !error.not_authorized(), "{error:?}");
        }
        for status in [401, 403] {
            let error = answer(StatusCode::from_u16(status).unwrap(), "");
            assert!(!error.is_temporary() && error.not_authorized(), "{error:?}");
        }
    }

    #[test]
    fn an_error_that_is_no_problem_document_still_tells_its_status() {
        let error = answer(StatusCode::BAD_GATEWAY, "<html>nginx</html>");
        assert_eq!(error.to_string(), "https://api.example answers 502: Bad Gateway");
    }

    #[test]
    fn the_servers_words_stay_on_one_short_line() {
        let title = format!("a\\n{}", "b".repeat(10_000));
        let body = format!(r#"{{"type":"x","status":500,"title":"{title}"}}"#);
        let text = answer(StatusCode::INTERNAL_SERVER_ERROR, &body).to_string();
        assert!(text.len() < 300 && !text.contains('\n'), "{text}");
    }

    #[test]
    fn a_tls_error_is_found_inside_an_io_error() {
        let tls = rustls::Error::AlertReceived(AlertDescription::CertificateRevoked);
        let outer = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls));
        assert_eq!(tls_error(&outer).map(refusal), Some(TlsRefusal::OursRevoked));
        assert!(tls_error(&io::Error::from(io::ErrorKind::BrokenPipe)).is_none());
    }
}
