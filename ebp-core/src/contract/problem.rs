//! Errors of the Data API as problem documents (RFC 9457).

use serde::{Deserialize, Serialize};

/// The stable `type` of each problem.
pub mod problem_type {
    /// No, a revoked or an unknown identity (401).
    pub const UNAUTHENTICATED: &str = "urn:ebp:problem:unauthenticated";
    /// The certificate's scopes do not cover the endpoint (403).
    pub const SCOPE: &str = "urn:ebp:problem:scope";
    /// Nothing by that name, or somebody else's (404).
    pub const NOT_FOUND: &str = "urn:ebp:problem:not-found";
    /// Consent is not yet granted (409).
    pub const CONSENT_NOT_GRANTED: &str = "urn:ebp:problem:consent-not-granted";
    /// Consent was granted before; that is a one-time step (409).
    pub const CONSENT_ALREADY_GRANTED: &str = "urn:ebp:problem:consent-already-granted";
    /// Consent is revoked for good (410): devices stop and purge their spool.
    pub const CONSENT_REVOKED: &str = "urn:ebp:problem:consent-revoked";
    /// The request's body or query is malformed (400).
    pub const INVALID: &str = "urn:ebp:problem:invalid";
    /// The server failed (500).
    pub const INTERNAL: &str = "urn:ebp:problem:internal";
}

/// A problem document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// One of [`problem_type`].
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong, in words.
    pub title: String,
}
