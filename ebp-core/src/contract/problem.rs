//! Errors of the Data API as problem documents (RFC 9457).

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::trace::TraceId;

/// The stable `type` of each problem.
pub mod problem_type {
    /// No identity, or one that is revoked or unknown (401).
    pub const UNAUTHENTICATED: &str = "urn:ebp:problem:unauthenticated";
    /// The certificate is valid, but its household or device is no longer registered (401).
    pub const UNREGISTERED: &str = "urn:ebp:problem:unregistered";
    /// The certificate's scopes do not cover the endpoint (403).
    pub const SCOPE: &str = "urn:ebp:problem:scope";
    /// The endpoint is not for this group, or not for this kind of identity (403).
    pub const GROUP: &str = "urn:ebp:problem:group";
    /// Too many uploads at the same time (429); `Retry-After` says when to send this one again.
    pub const OVERLOADED: &str = "urn:ebp:problem:overloaded";
    /// None of an upload's measurements belongs to a slot of the survey's cycle, and the quota of
    /// their meters is used up (429); `Retry-After` says when there may be quota again.
    pub const QUOTA: &str = "urn:ebp:problem:quota";
    /// Too many wrong secrets (429); `Retry-After` says when the next attempt is checked.
    pub const TOO_MANY_TRIES: &str = "urn:ebp:problem:too-many-tries";
    /// Too many requests from this client (429); `Retry-After` says when to try again.
    pub const TOO_MANY_REQUESTS: &str = "urn:ebp:problem:too-many-requests";
    /// The device got another certificate recently (429); `Retry-After` says when it may renew
    /// again.
    pub const RENEWED_RECENTLY: &str = "urn:ebp:problem:renewed-recently";
    /// The server has no authority's key and cannot issue certificates (409).
    pub const CANNOT_ISSUE: &str = "urn:ebp:problem:cannot-issue";
    /// Nothing with that identifier exists, or it belongs to another participant (404).
    pub const NOT_FOUND: &str = "urn:ebp:problem:not-found";
    /// It cannot be removed because something else refers to it (409); the detail says what.
    pub const IN_USE: &str = "urn:ebp:problem:in-use";
    /// The job is in a state that does not permit it (409); the detail says in which.
    pub const JOB_STATE: &str = "urn:ebp:problem:job-state";
    /// A roll-out is in a state that does not permit it (409); the detail says in which.
    pub const ROLLOUT_STATE: &str = "urn:ebp:problem:rollout-state";
    /// The participant already has a household at the same address (409): `household` names it, and
    /// the detail says what to do.
    pub const REGISTERED_ALREADY: &str = "urn:ebp:problem:registered-already";
    /// Consent is not yet granted (409).
    pub const CONSENT_NOT_GRANTED: &str = "urn:ebp:problem:consent-not-granted";
    /// Consent was granted before; that is a one-time step (409).
    pub const CONSENT_ALREADY_GRANTED: &str = "urn:ebp:problem:consent-already-granted";
    /// The survey's text has another version than the one that was agreed to (409): `text_version`
    /// names it, and `GET /survey` has the text.
    pub const CONSENT_TEXT_CHANGED: &str = "urn:ebp:problem:consent-text-changed";
    /// The message was answered or closed before (409).
    pub const MESSAGE_CLOSED: &str = "urn:ebp:problem:message-closed";
    /// The household has as many messages as it may have (409); the detail says what to wait for.
    pub const TOO_MANY_MESSAGES: &str = "urn:ebp:problem:too-many-messages";
    /// Consent is revoked for good (410): devices stop and purge their spool.
    pub const CONSENT_REVOKED: &str = "urn:ebp:problem:consent-revoked";
    /// The certificate names no device and the participant has several households (409).
    pub const HOUSEHOLD_AMBIGUOUS: &str = "urn:ebp:problem:household-ambiguous";
    /// The device cannot be reached at the moment (503); the detail says when it was seen last.
    pub const NOT_CONNECTED: &str = "urn:ebp:problem:not-connected";
    /// The device's household has switched remote access off (409).
    pub const ACCESS_SWITCHED_OFF: &str = "urn:ebp:problem:access-switched-off";
    /// Another process holds the tunnel of the same device, and both come in turn (409): its
    /// certificate was copied. `Retry-After` says when to try again.
    pub const TUNNEL_CONFLICT: &str = "urn:ebp:problem:tunnel-conflict";
    /// The path exists, but not with this method (405).
    pub const METHOD_NOT_ALLOWED: &str = "urn:ebp:problem:method-not-allowed";
    /// The request did not arrive in time (408).
    pub const TIMEOUT: &str = "urn:ebp:problem:timeout";
    /// The body, its decompressed size, or the number of its items exceeds the limit (413).
    pub const TOO_LARGE: &str = "urn:ebp:problem:too-large";
    /// The body is neither JSON nor gzip of JSON (415).
    pub const UNSUPPORTED_MEDIA: &str = "urn:ebp:problem:unsupported-media";
    /// The server's clock is slow, so that certificates are not valid yet (503).
    pub const SERVER_CLOCK: &str = "urn:ebp:problem:server-clock";
    /// The server cannot answer at the moment; the same request may succeed later (503).
    pub const UNAVAILABLE: &str = "urn:ebp:problem:unavailable";
    /// The body matches its schema, but contradicts itself or what is registered, or contains no
    /// valid certificate request (422).
    pub const INCONSISTENT: &str = "urn:ebp:problem:inconsistent";
    /// The request's body or query is malformed (400).
    pub const INVALID: &str = "urn:ebp:problem:invalid";
    /// What is to be changed was changed since it was read (412).
    pub const CHANGED: &str = "urn:ebp:problem:changed";
    /// The server failed (500).
    pub const INTERNAL: &str = "urn:ebp:problem:internal";
}

/// A problem document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// One of [`problem_type`].
    #[cfg_attr(feature = "openapi", schema(pattern = "^urn:ebp:problem:[a-z-]+$"))]
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status.
    #[cfg_attr(feature = "openapi", schema(minimum = 400, maximum = 599))]
    pub status: u16,
    /// What went wrong, in words; the same for every problem of a type.
    pub title: String,
    /// What is specific to this occurrence; never a value from the request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// The household that prevents it, if there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub household: Option<Uuid>,
    /// The request's identifier in the log of every program that it passed: the one of the header
    /// `traceparent`, or one that the server made.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, pattern = "^[0-9a-f]{32}$"))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub trace_id: Option<TraceId>,
    /// The version of the survey's text, if another one was agreed to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text_version: Option<u32>,
    /// Every fault of the request's body.
    #[serde(rename = "errors", skip_serializing_if = "Vec::is_empty", default)]
    pub faults: Vec<Fault>,
}

/// A fault at one place of a request's body.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fault {
    /// The place, as a JSON pointer (RFC 6901): `/pv_systems/0/tilt`; empty for the whole body.
    #[cfg_attr(feature = "openapi", schema(pattern = "^(/[^/]*)*$"))]
    pub pointer: String,
    /// What is expected there, in words; never the value from the request.
    pub detail: String,
}

/// `pv_systems/0/tilt: must be …`
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.strip_prefix('/') {
            None => write!(f, "the body {}", self.detail),
            Some(place) => write!(f, "{place}: {}", self.detail),
        }
    }
}
