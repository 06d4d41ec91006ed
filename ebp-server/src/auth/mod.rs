//! Who asks, and whether they may.
//!
//! Enters: the certificate of the connection or the `Authorization` header, what the route
//! demands. Leaves: the [`Caller`], [`Group`] or [`DeviceHolder`] that a handler acts for, or a
//! problem. Absent: what the route does.
//!
//! A certificate is optional in the handshake, so that its absence is answered in words (401). One
//! of a foreign authority, one that is expired, and one that is not for clients are refused in the
//! handshake. The rest is asked at every request, since connections live long and sessions are
//! resumed without a new look at the certificate: whether it is still valid, registered and not
//! revoked, its scope, and in the end whether the store knows its names. A request with an
//! `Authorization` header is judged by that alone.

mod certificate;
mod key_set;
mod revocation;
mod secret;
mod tls;
mod token;
mod token_error;

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{Extensions, HeaderValue, header, request::Parts},
    middleware::Next,
    response::Response,
};
use ebp_core::scope::{Group, Scope, Scopes};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

pub use certificate::{ClientCertificate, Peer};
pub use key_set::{KeySet, KeySource};
pub use revocation::{RegisterWatch, Standing};
pub use secret::{SecretError, Secrets, set_secret};
pub use tls::{TlsError, server_config};
pub use token::{TokenIdentity, TokenSettings, Tokens};
pub use token_error::TokenError;

use crate::{
    App,
    limit::{Client, ClientId},
    problem::ApiError,
};
use ebp_store::{Actor, DeviceActivity, HouseholdId, Names, ParticipantId, RegisterEntry};

/// How often a device's activity is noted, at most: the note is a write.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Why a device that is registered is not let in.
const SUPERSEDED: &str = "the device is another participant's, or the participant's e-mail address \
     has changed: enroll the device anew";

/// For whom a request acts.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    participant: ParticipantId,
    household: Option<HouseholdId>,
    consents: bool,
    source: ebp_store::Source,
}

impl Caller {
    /// Where what it sends comes from.
    #[must_use]
    pub const fn source(&self) -> ebp_store::Source {
        self.source
    }

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

    /// The household, which consents as far as was known when the request came.
    ///
    /// # Errors
    /// [`ApiError::HouseholdAmbiguous`], [`ApiError::ConsentNotGranted`].
    pub fn consenting_household(&self) -> Result<HouseholdId, ApiError> {
        let household = self.household()?;
        if self.consents { Ok(household) } else { Err(ApiError::ConsentNotGranted) }
    }
}

/// The device's certificate that asks: the next one has to say the same.
#[derive(Clone)]
pub struct DeviceHolder {
    /// The device.
    pub device: Uuid,
    /// The certificate.
    pub certificate: Arc<ClientCertificate>,
}

/// Where a request comes from; the listener puts it there.
#[derive(Debug, Clone, Copy)]
pub struct Source(pub IpAddr);

/// What kind of identity a request proved, for the log, which puts it there empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kind(pub Arc<OnceLock<&'static str>>);

macro_rules! from_extensions {
    ($($type:ty),*) => {$(
        /// Handlers take it as an argument; the route's guard has put it there.
        impl<S: Sync> FromRequestParts<S> for $type {
            type Rejection = ApiError;
            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
                let found = parts.extensions.get::<Self>().cloned();
                found.ok_or(ApiError::Unauthenticated("no identity"))
            }
        }
    )*};
}
from_extensions!(Caller, Manager, DeviceHolder, ClientId);

/// The group that a request was let through for.
#[derive(Debug, Clone, Copy)]
pub struct Manager(pub Group);

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever comes.
    Anybody,
    /// Participants and their devices whose identity has that scope (table 4.4).
    Scope(Scope),
    /// The same, whose identity has one of these scopes.
    EitherScope([Scope; 2]),
    /// These groups (table 4.3).
    Groups(&'static [Group]),
    /// A device by its own certificate, whatever its scopes.
    Device,
    /// A device by its own certificate, which has that scope.
    DeviceScope(Scope),
}

/// Who a request says it is, verified.
enum Identity {
    Group(Group),
    Certificate(Arc<ClientCertificate>),
    Token(TokenIdentity),
}

impl Identity {
    /// In a word that tells of nobody.
    fn kind(&self) -> &'static str {
        match self {
            Self::Group(group) => group.name(),
            Self::Token(_) => "token",
            Self::Certificate(certificate) => match certificate.names.device {
                Some(_) => "device",
                None => "participant",
            },
        }
    }
}

/// What a route's guard knows.
#[derive(Clone)]
pub(crate) struct Guard {
    pub app: Arc<App>,
    pub access: Access,
}

/// Lets a request through to its handler if its identity may.
pub(crate) async fn authorize(
    State(guard): State<Guard>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let Guard { app, access } = guard;
    if access == Access::Anybody {
        let client = admit(&app, request.extensions())?;
        request.extensions_mut().insert(client);
        return Ok(next.run(request).await);
    }
    app.database_clock.require()?;
    let now = app.clock.now();
    // What is borrowed of the request is not held across the wait: its body is not to be shared.
    let peer = request.extensions().get::<Peer>().cloned().unwrap_or_default();
    let source = request.extensions().get::<Source>().copied();
    let header = request.headers().get(header::AUTHORIZATION).cloned();
    let mut client = None;
    if header.is_none() {
        // Before the store is asked for the certificate.
        client = Some(admit(&app, request.extensions())?);
    }
    let identity = match identify(&app, &peer, header.as_ref(), source, now).await {
        Ok(identity) => identity,
        Err(error) => {
            if let (Some(_), Some(Source(address))) = (&header, source) {
                app.requests.admit(Client::Address(address))?;
            }
            return Err(error);
        }
    };
    if let Some(Kind(kind)) = request.extensions().get() {
        // Once for each request.
        let _ = kind.set(identity.kind());
    }
    match &identity {
        Identity::Group(group) => {
            client = Some(app.requests.admit(Client::Group(*group))?);
        }
        Identity::Token(TokenIdentity { names, .. }) => {
            let token = Client::Token { email: &names.email, device: names.device };
            client = Some(app.requests.admit(token)?);
        }
        Identity::Certificate(_) => {}
    }
    if let Some(client) = client {
        request.extensions_mut().insert(client);
    }
    match (access, identity) {
        (Access::Groups(groups), Identity::Group(group)) if groups.contains(&group) => {
            request.extensions_mut().insert(Manager(group));
        }
        (Access::Groups(_), _) | (_, Identity::Group(_)) => return Err(ApiError::Group),
        (Access::Device | Access::DeviceScope(_), Identity::Token(_)) => {
            return Err(ApiError::Group);
        }
        (access, Identity::Token(TokenIdentity { names, scopes })) => {
            permit(access, &scopes)?;
            request
                .extensions_mut()
                .insert(act(&app, &names, ebp_store::Source::Token, now).await?);
        }
        (access, Identity::Certificate(certificate)) => {
            let device = certificate.names.device;
            if matches!(access, Access::Device | Access::DeviceScope(_)) && device.is_none() {
                return Err(ApiError::Group);
            }
            permit(access, &certificate.scopes)?;
            request
                .extensions_mut()
                .insert(act(&app, &certificate.names, ebp_store::Source::Device, now).await?);
            if let (Access::Device | Access::DeviceScope(_), Some(device)) = (access, device) {
                request.extensions_mut().insert(DeviceHolder { device, certificate });
            }
        }
    }
    Ok(next.run(request).await)
}

/// Whether the scopes cover the endpoint.
fn permit(access: Access, scopes: &Scopes) -> Result<(), ApiError> {
    match access {
        Access::Scope(scope) | Access::DeviceScope(scope) if !scopes.contains(scope) => {
            Err(ApiError::Scope(scope))
        }
        Access::EitherScope([first, second])
            if !scopes.contains(first) && !scopes.contains(second) =>
        {
            Err(ApiError::Scope(first))
        }
        _ => Ok(()),
    }
}

/// Counts a request by what is known of it without asking the store: its certificate, or else where
/// it comes from. Returns whose it is.
///
/// # Errors
/// [`ApiError::TooManyRequests`].
pub(crate) fn admit(app: &App, extensions: &Extensions) -> Result<ClientId, ApiError> {
    let client = match (extensions.get::<Peer>(), extensions.get()) {
        (Some(Peer::Certificate(certificate)), _) => certificate.client(),
        (_, Some(Source(address))) => Client::Address(*address),
        (_, None) => return Err(ApiError::Internal("no source".into())),
    };
    app.requests.admit(client)
}

/// For whom the names of an identity stand.
async fn act(
    app: &App,
    names: &Names,
    source: ebp_store::Source,
    now: Timestamp,
) -> Result<Caller, ApiError> {
    match app.store.actor(names).await? {
        // A participant's own may be of before a change of the address, which another one cures.
        Actor::Unknown if names.device.is_none() => {
            Err(ApiError::Unauthenticated("nobody is registered by it"))
        }
        Actor::Unknown => Err(ApiError::Unregistered),
        Actor::Superseded => Err(ApiError::Unauthenticated(SUPERSEDED)),
        Actor::Revoked => Err(ApiError::ConsentRevoked),
        Actor::Participant { participant, household, device, consents } => {
            if let Some(device) = device {
                note_activity(app, device, now).await;
            }
            Ok(Caller { participant, household, consents, source })
        }
    }
}

/// The identity that a request carries.
async fn identify(
    app: &App,
    peer: &Peer,
    authorization: Option<&HeaderValue>,
    source: Option<Source>,
    now: Timestamp,
) -> Result<Identity, ApiError> {
    let Some(header) = authorization else {
        return Ok(Identity::Certificate(authenticate(app, peer, now).await?));
    };
    let unknown = ApiError::Unauthenticated("the Authorization header is not of a known form");
    let Some((scheme, credentials)) = header.to_str().ok().and_then(|text| text.split_once(' '))
    else {
        return Err(unknown);
    };
    match scheme.to_ascii_lowercase().as_str() {
        "basic" => {
            let Source(source) = source.ok_or_else(|| ApiError::Internal("no source".into()))?;
            let group = app.secrets.verify(credentials, source, &*app.store, now).await?;
            Ok(Identity::Group(group))
        }
        "bearer" => {
            let tokens = app
                .tokens
                .as_ref()
                .ok_or(ApiError::Unauthenticated("no tokens are accepted here"))?;
            Ok(Identity::Token(tokens.verify(credentials.trim(), now).await?))
        }
        _ => Err(unknown),
    }
}

/// The connection's certificate, if it still counts.
async fn authenticate(
    app: &App,
    peer: &Peer,
    now: Timestamp,
) -> Result<Arc<ClientCertificate>, ApiError> {
    let certificate = match peer {
        Peer::Anonymous => return Err(ApiError::Unauthenticated("no client certificate")),
        Peer::Unreadable => {
            return Err(ApiError::Unauthenticated("the certificate is not of the expected form"));
        }
        Peer::Certificate(certificate) => certificate,
    };
    if now < certificate.not_before {
        // It was issued, so that it is this clock that is wrong.
        let behind = certificate.not_before.duration_since(now).as_secs();
        return Err(ApiError::ClockBehind(SignedDuration::from_secs(behind)));
    }
    if now > certificate.not_after {
        return Err(ApiError::Unauthenticated("the certificate is expired"));
    }
    // Registered by the authority's own file or by a server in the store; revoked by either.
    let in_file = app.register.standing(&certificate.serial)?;
    let in_store = match in_file {
        Standing::Revoked => None,
        _ => app.store.certificate(certificate.serial).await?,
    };
    match (in_file, in_store) {
        (Standing::Revoked, _) | (_, Some(RegisterEntry { revoked_at: Some(_), .. })) => {
            // A revoked consent ends certificates, and its devices have to hear of it.
            match app.store.actor(&certificate.names).await? {
                Actor::Revoked => Err(ApiError::ConsentRevoked),
                _ => Err(ApiError::Unauthenticated("the certificate is revoked")),
            }
        }
        (Standing::Good, _) | (_, Some(_)) => Ok(certificate.clone()),
        (Standing::Unknown, None) => {
            Err(ApiError::Unauthenticated("the certificate is not registered"))
        }
    }
}

/// Notes that a device spoke. A failure only costs the note.
async fn note_activity(app: &App, device: DeviceActivity, now: Timestamp) {
    let fresh = device
        .last_activity
        .is_some_and(|last| last <= now && now.duration_since(last) < TOUCH_EVERY);
    if fresh {
        return;
    }
    if let Err(error) = app.store.touch_device(device.uuid, now).await {
        tracing::warn!(%error, "a device's activity is not noted");
    }
}
