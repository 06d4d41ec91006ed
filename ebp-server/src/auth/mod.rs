//! Who asks, and whether they may.
//!
//! Enters: the certificate of the connection, the scope that the route demands. Leaves: the
//! [`Caller`] that a handler acts for, or a problem. Absent: what the route does.
//!
//! A certificate is optional in the handshake and demanded by each route but `/healthz`, so that
//! its absence is answered in words (401). One of a foreign authority, one that is expired, and
//! one that is not for clients are refused in the handshake. The rest is asked at every request,
//! since connections live long and sessions are resumed without a new look at the certificate:
//! whether it is still valid, registered and not revoked, its scope, and in the end whether the
//! store knows its names.

mod certificate;
mod revocation;
mod tls;

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::Response,
};
use ebp_core::{contract::VERSION_HEADER, scope::Scope};
use jiff::{SignedDuration, Timestamp};

pub use certificate::{ClientCertificate, Peer};
pub use revocation::{RegisterWatch, Standing};
pub use tls::{TlsError, server_config};

use crate::{
    App,
    problem::ApiError,
    store::{Actor, DeviceActivity, HouseholdId, ParticipantId},
};

/// How often a device's activity is noted, at most: the note is a write.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// For whom a request acts.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    participant: ParticipantId,
    household: Option<HouseholdId>,
}

impl Caller {
    /// The participant.
    #[must_use]
    pub fn participant(&self) -> ParticipantId {
        self.participant
    }

    /// The household.
    ///
    /// # Errors
    /// [`ApiError::HouseholdAmbiguous`] if the certificate names no device and the participant has
    /// not exactly one household.
    pub fn household(&self) -> Result<HouseholdId, ApiError> {
        self.household.ok_or(ApiError::HouseholdAmbiguous)
    }
}

/// Handlers take the caller as an argument; the route's guard has put it there.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get().copied().ok_or(ApiError::Unauthenticated("no identity"))
    }
}

/// What a route's guard knows.
#[derive(Clone)]
pub(crate) struct Guard {
    pub app: Arc<App>,
    pub scope: Scope,
}

/// Lets a request through to its handler if its certificate may.
pub(crate) async fn authorize(
    State(guard): State<Guard>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let now = guard.app.clock.now();
    let peer = request.extensions().get::<Peer>().cloned().unwrap_or_default();
    let certificate = authenticate(&guard.app, &peer, now)?;
    if !certificate.scopes.contains(guard.scope) {
        return Err(ApiError::Scope(guard.scope));
    }
    let actor = guard.app.store.actor(&certificate.email, certificate.device).await?;
    let (participant, household, device) = match actor {
        Actor::Unknown => return Err(ApiError::Unauthenticated("nobody is registered by it")),
        Actor::Revoked => return Err(ApiError::ConsentRevoked),
        Actor::Participant { participant, household, device } => (participant, household, device),
    };
    if let Some(device) = device {
        note_activity(&guard.app, device, request.headers(), now).await;
    }
    request.extensions_mut().insert(Caller { participant, household });
    Ok(next.run(request).await)
}

/// The connection's certificate, if it still counts.
fn authenticate<'a>(
    app: &App,
    peer: &'a Peer,
    now: Timestamp,
) -> Result<&'a ClientCertificate, ApiError> {
    let certificate = match peer {
        Peer::Anonymous => return Err(ApiError::Unauthenticated("no client certificate")),
        Peer::Unreadable => {
            return Err(ApiError::Unauthenticated("the certificate is not of the expected form"));
        }
        Peer::Certificate(certificate) => certificate,
    };
    if now < certificate.not_before || now > certificate.not_after {
        return Err(ApiError::Unauthenticated("the certificate is expired"));
    }
    match app.register.standing(&certificate.serial)? {
        Standing::Good => Ok(certificate),
        Standing::Revoked => Err(ApiError::Unauthenticated("the certificate is revoked")),
        Standing::Unknown => Err(ApiError::Unauthenticated("the certificate is not registered")),
    }
}

/// Notes that a device spoke and which version it runs. A failure only costs the note.
async fn note_activity(app: &App, device: DeviceActivity, headers: &HeaderMap, now: Timestamp) {
    let version = version(headers);
    let fresh = device
        .last_activity
        .is_some_and(|last| last <= now && now.duration_since(last) < TOUCH_EVERY);
    if fresh && (version.is_none() || version == device.version) {
        return;
    }
    if let Err(error) = app.store.touch_device(device.uuid, version, now).await {
        tracing::warn!(device = %device.uuid, %error, "the device's activity is not noted");
    }
}

/// The version that the client says it has: the header of its own, or the user agent `ebp/x.y.z`.
fn version(headers: &HeaderMap) -> Option<String> {
    let own = headers.get(VERSION_HEADER).and_then(|value| value.to_str().ok());
    let agent = || {
        let agent = headers.get(header::USER_AGENT)?.to_str().ok()?;
        agent.split_whitespace().find_map(|product| product.strip_prefix("ebp/"))
    };
    own.or_else(agent)
        .filter(|v| (1..=64).contains(&v.len()) && v.bytes().all(|b| b.is_ascii_graphic()))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let of = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            version(&headers)
        };
        assert_eq!(of("ebp-version", "1.2.3").as_deref(), Some("1.2.3"));
        assert_eq!(of("user-agent", "ebp/1.2.3 linux").as_deref(), Some("1.2.3"));
        assert_eq!(of("user-agent", "curl/8.0"), None);
        assert_eq!(of("ebp-version", "a b"), None);
        assert_eq!(of("ebp-version", &"9".repeat(65)), None);
    }
}
