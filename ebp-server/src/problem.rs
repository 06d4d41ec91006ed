//! Errors as the client gets them: problem documents (RFC 9457).
//!
//! Enters: what went wrong, with all its causes. Leaves: a response with a stable type and words
//! that repeat nothing of the request. The causes of a failure go to the log instead.
//! Absent: which failure means what to whom; each handler says that.

mod from;
mod tunnel;

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use ebp_core::{
    contract::{Fault, PROBLEM_JSON, Problem, problem_type},
    scope::Scope,
};
use ebp_store::Faults;
use ebp_survey::authority::AuthorityError;
use uuid::Uuid;

use crate::trace::trace_id;
pub use tunnel::TunnelError;

/// The maximum number of faults reported for a body, so that a response is not much larger than the
/// request.
const MOST_FAULTS: usize = 1_000;

/// Why a request is not answered as it wished.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No or no valid identity.
    #[error("not authenticated: {0}")]
    Unauthenticated(&'static str),
    /// A valid identity that is not registered.
    #[error("nobody is registered by this identity")]
    Unregistered,
    /// The certificate does not permit it.
    #[error("the scope `{0}` is missing")]
    Scope(Scope),
    /// The endpoint is for others.
    #[error("not for this group")]
    Group,
    /// Too many tries at a secret: seconds until the next one counts.
    #[error("too many tries")]
    TooManyTries(u64),
    /// More uploads than can be stored in time: seconds until this one is to come back.
    #[error("too many uploads at the same time")]
    Overloaded(u64),
    /// Meters have as many measurements as they may have by now: seconds until that may change.
    #[error("the meters' quota is used up")]
    QuotaUsedUp(u64),
    /// Too many requests of one client: seconds until the next one is answered.
    #[error("too many requests")]
    TooManyRequests(u64),
    /// The device was given another certificate not long ago: seconds until it may renew again.
    #[error("renewed not long ago")]
    RenewedRecently(u64),
    /// The authority's key is elsewhere.
    #[error("certificates cannot be issued here")]
    CannotIssue,
    /// A newer program has changed the database in a way that this server cannot use.
    #[error("the server is older than its database: {0}")]
    Outdated(String),
    /// The body has faults: all of them, without any value.
    #[error("the body has {} faults", .0.iter().count())]
    Faults(Faults),
    /// No such thing, or it belongs to another participant.
    #[error("not found")]
    NotFound,
    /// The path has no such method.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// What is to be changed was changed since it was read.
    #[error("changed since it was read")]
    Changed,
    /// What is to be removed is needed: why.
    #[error("it cannot be removed: {0}")]
    InUse(&'static str),
    /// The job is in a state that does not permit it: why.
    #[error("{0}")]
    JobState(String),
    /// A roll-out's state does not permit it: why.
    #[error("{0}")]
    RolloutState(String),
    /// The participant has this household at the same address.
    #[error("registered already")]
    RegisteredAlready(Uuid),
    /// Consent is not granted.
    #[error("consent is not granted")]
    ConsentNotGranted,
    /// Consent was granted before.
    #[error("consent was granted before")]
    ConsentAlreadyGranted,
    /// Consent is revoked.
    #[error("consent is revoked")]
    ConsentRevoked,
    /// The survey's text has this version, and another one was agreed to.
    #[error("the text has version {0}")]
    ConsentTextChanged(u32),
    /// The message is answered or closed.
    #[error("the message is closed")]
    MessageClosed,
    /// The household has as many messages as it may have: how many, and whether of open ones.
    #[error("the household has {limit} messages")]
    TooManyMessages {
        /// Whether open ones alone are meant.
        open: bool,
        /// How many there may be.
        limit: usize,
    },
    /// The household to act for is open.
    #[error("several households")]
    HouseholdAmbiguous,
    /// Body or query are malformed: what, without any value.
    #[error("malformed: {0}")]
    Invalid(String),
    /// Beyond a limit: which.
    #[error("too large: {0}")]
    TooLarge(String),
    /// The body's type or encoding is not one that is read.
    #[error("unsupported body")]
    UnsupportedMedia,
    /// The request took too long to arrive.
    #[error("the request took too long")]
    Timeout,
    /// The server's clock is behind, by so much at least.
    #[error("the server's clock is behind by {0:#} at least")]
    ClockBehind(jiff::SignedDuration),
    /// Not now.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A tunnel or a session through one is refused.
    #[error(transparent)]
    Tunnel(#[from] TunnelError),
    /// The server failed.
    #[error("failed: {0}")]
    Internal(String),
}

impl ApiError {
    /// What is wrong with the certificate request at that place of the body.
    pub(crate) fn of_request(place: &str, error: AuthorityError) -> Self {
        match error {
            AuthorityError::InvalidRequest => {
                Self::fault(place, "must be a request (PKCS#10) signed by its own key")
            }
            AuthorityError::UnsupportedKey(kind) => Self::fault(
                place,
                &format!("must have a key of ECDSA P-256 or Ed25519, not of {kind}"),
            ),
            error => Self::Internal(error.to_string()),
        }
    }

    fn fault(place: &str, detail: &str) -> Self {
        let mut faults = Faults::default();
        faults.check(false, place, detail);
        Self::Faults(faults)
    }

    /// Type, status and title.
    fn kind(&self) -> (&'static str, StatusCode, &'static str) {
        use problem_type as kind;
        match self {
            Self::Unauthenticated(_) => {
                (kind::UNAUTHENTICATED, StatusCode::UNAUTHORIZED, "A valid identity is needed")
            }
            Self::Unregistered => (
                kind::UNREGISTERED,
                StatusCode::UNAUTHORIZED,
                "Nobody is registered by this identity",
            ),
            Self::Scope(_) => {
                (kind::SCOPE, StatusCode::FORBIDDEN, "The identity does not permit this")
            }
            Self::Group => (kind::GROUP, StatusCode::FORBIDDEN, "This is for others"),
            Self::TooManyTries(_) => (
                kind::TOO_MANY_TRIES,
                StatusCode::TOO_MANY_REQUESTS,
                "There were too many tries with a wrong secret",
            ),
            Self::Overloaded(_) => (
                kind::OVERLOADED,
                StatusCode::TOO_MANY_REQUESTS,
                "There are too many uploads at the moment",
            ),
            Self::QuotaUsedUp(_) => (
                kind::QUOTA,
                StatusCode::TOO_MANY_REQUESTS,
                "The meters have as many measurements as they may have by now",
            ),
            Self::TooManyRequests(_) => (
                kind::TOO_MANY_REQUESTS,
                StatusCode::TOO_MANY_REQUESTS,
                "There were too many requests from this client",
            ),
            Self::RenewedRecently(_) => (
                kind::RENEWED_RECENTLY,
                StatusCode::TOO_MANY_REQUESTS,
                "A device renews its certificate once a day",
            ),
            Self::CannotIssue => (
                kind::CANNOT_ISSUE,
                StatusCode::CONFLICT,
                "This server has no authority's key and cannot issue certificates",
            ),
            Self::NotFound => (kind::NOT_FOUND, StatusCode::NOT_FOUND, "Not found"),
            Self::MethodNotAllowed => (
                kind::METHOD_NOT_ALLOWED,
                StatusCode::METHOD_NOT_ALLOWED,
                "The path has no such method",
            ),
            Self::Changed => {
                (kind::CHANGED, StatusCode::PRECONDITION_FAILED, "It was changed since it was read")
            }
            Self::InUse(_) => (kind::IN_USE, StatusCode::CONFLICT, "It cannot be removed"),
            Self::JobState(_) => {
                (kind::JOB_STATE, StatusCode::CONFLICT, "The job's state does not permit it")
            }
            Self::RolloutState(_) => {
                (kind::ROLLOUT_STATE, StatusCode::CONFLICT, "The roll-out's state forbids it")
            }
            Self::RegisteredAlready(_) => (
                kind::REGISTERED_ALREADY,
                StatusCode::CONFLICT,
                "The participant has a household at this address",
            ),
            Self::ConsentNotGranted => {
                (kind::CONSENT_NOT_GRANTED, StatusCode::CONFLICT, "Consent is not granted")
            }
            Self::ConsentAlreadyGranted => {
                (kind::CONSENT_ALREADY_GRANTED, StatusCode::CONFLICT, "Consent was granted before")
            }
            Self::ConsentRevoked => {
                (kind::CONSENT_REVOKED, StatusCode::GONE, "Consent is revoked for good")
            }
            Self::ConsentTextChanged(_) => (
                kind::CONSENT_TEXT_CHANGED,
                StatusCode::CONFLICT,
                "The text to agree to is another one",
            ),
            Self::MessageClosed => (
                kind::MESSAGE_CLOSED,
                StatusCode::CONFLICT,
                "The message was answered or closed before",
            ),
            Self::TooManyMessages { .. } => (
                kind::TOO_MANY_MESSAGES,
                StatusCode::CONFLICT,
                "The household has as many messages as it may have",
            ),
            Self::HouseholdAmbiguous => (
                kind::HOUSEHOLD_AMBIGUOUS,
                StatusCode::CONFLICT,
                "The certificate does not say which household is meant",
            ),
            Self::Faults(faults) if !faults.of_form() => (
                kind::INCONSISTENT,
                StatusCode::UNPROCESSABLE_ENTITY,
                "The body is of its form, but what it says cannot be",
            ),
            Self::Invalid(_) | Self::Faults(_) => {
                (kind::INVALID, StatusCode::BAD_REQUEST, "The request is malformed")
            }
            Self::TooLarge(_) => {
                (kind::TOO_LARGE, StatusCode::PAYLOAD_TOO_LARGE, "The request is too large")
            }
            Self::UnsupportedMedia => (
                kind::UNSUPPORTED_MEDIA,
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body must be JSON; an upload's may be packed as gzip or zstd",
            ),
            Self::Timeout => {
                (kind::TIMEOUT, StatusCode::REQUEST_TIMEOUT, "The request took too long to arrive")
            }
            Self::ClockBehind(_) => (
                kind::SERVER_CLOCK,
                StatusCode::SERVICE_UNAVAILABLE,
                "The server's clock is behind",
            ),
            Self::Unavailable(_) | Self::Outdated(_) => (
                kind::UNAVAILABLE,
                StatusCode::SERVICE_UNAVAILABLE,
                "The server cannot answer at the moment",
            ),
            Self::Tunnel(error) => error.kind(),
            Self::Internal(_) => {
                (kind::INTERNAL, StatusCode::INTERNAL_SERVER_ERROR, "The server failed")
            }
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Self::Unauthenticated(reason) | Self::InUse(reason) => Some((*reason).to_owned()),
            Self::Scope(scope) => Some(format!("the scope `{scope}` is missing")),
            Self::Changed => Some(
                "nothing was changed: get it again, and send the change with its ETag as If-Match"
                    .to_owned(),
            ),
            Self::ClockBehind(by) => Some(format!("by {by:#} at least")),
            Self::Outdated(_) => Some(
                "the database was changed by a newer version of the server: its operator has to \
                 start that version here, too"
                    .to_owned(),
            ),
            Self::ConsentRevoked => Some(
                "measuring has ended; contact, address, messages and incidents are removed, the location is \
                 masked, photovoltaic systems are coarsened, and all has other identifiers"
                    .to_owned(),
            ),
            Self::ConsentTextChanged(version) => Some(format!(
                "the text has version {version}: GET /survey has it, to be read before consent is \
                 granted"
            )),
            Self::TooManyMessages { open: true, limit } => Some(format!(
                "{limit} messages are open: further ones are possible once some are answered or closed"
            )),
            Self::TooManyMessages { open: false, limit } => Some(format!(
                "it has written {limit} messages: whatever else is wrong can be told by mail or phone"
            )),
            Self::RegisteredAlready(household) => Some(format!(
                "it is household {household}: change that one, or register a further one with \
                 ?further=true"
            )),
            Self::Tunnel(error) => error.detail(),
            Self::Invalid(what)
            | Self::TooLarge(what)
            | Self::JobState(what)
            | Self::RolloutState(what) => Some(what.clone()),
            _ => None,
        }
    }

    fn faults(&self) -> Vec<Fault> {
        match self {
            Self::Faults(faults) => faults.iter().take(MOST_FAULTS).cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// A header that the status asks for.
    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::UnsupportedMedia => {
                Some((header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, zstd, identity")))
            }
            Self::Unavailable(_) | Self::Outdated(_) | Self::ClockBehind(_) => {
                Some((header::RETRY_AFTER, HeaderValue::from_static("30")))
            }
            Self::TooManyTries(seconds)
            | Self::TooManyRequests(seconds)
            | Self::RenewedRecently(seconds)
            | Self::QuotaUsedUp(seconds)
            | Self::Overloaded(seconds) => Some((header::RETRY_AFTER, HeaderValue::from(*seconds))),
            Self::Tunnel(error) => error.header(),
            Self::Unauthenticated(_) | Self::Unregistered => Some((
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer, Basic realm=\"ebp\", charset=\"UTF-8\""),
            )),
            _ => None,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match &self {
            Self::Internal(cause) => tracing::error!(%cause, "a request failed"),
            Self::Unavailable(cause) | Self::Outdated(cause) => {
                tracing::warn!(%cause, "a request was put off");
            }
            Self::ClockBehind(_) => tracing::error!("{self}: set it"),
            _ => {}
        }
        let (kind, status, title) = self.kind();
        let problem = Problem {
            kind: kind.to_owned(),
            status: status.as_u16(),
            title: title.to_owned(),
            detail: self.detail(),
            household: match &self {
                Self::RegisteredAlready(household) => Some(*household),
                _ => None,
            },
            trace_id: trace_id(),
            text_version: match &self {
                Self::ConsentTextChanged(version) => Some(*version),
                _ => None,
            },
            faults: self.faults(),
        };
        let mut response = (status, axum::Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.extend(self.header());
        response
    }
}
