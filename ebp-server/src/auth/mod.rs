//! Authentication and authorization.
//!
//! Enters: the certificate of the connection or the `Authorization` header, what the route
//! demands. Leaves: the [`Requester`], [`Group`] or [`DeviceHolder`] that a handler acts for, or a
//! problem. Absent: what the route does.
//!
//! A certificate is optional in the handshake, so that its absence is answered in words (401). One
//! of a foreign authority, one that is expired, and one that is not for clients are refused in the
//! handshake. The rest is checked at every request, since connections are long-lived and sessions
//! are resumed without a new look at the certificate: whether it is still valid, registered and not
//! revoked, its scope, and in the end whether the store knows its names. A request with an
//! `Authorization` header is judged by that alone.

mod authenticator;
mod certificate;
mod key_set;
mod person;
mod secret;
mod ticket;
mod tls;
mod token;
mod token_error;
mod try_source;

use std::sync::{Arc, OnceLock};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{header, request::Parts},
    middleware::Next,
    response::Response,
};
use ebp_core::{
    clock::Clock,
    scope::{Group, Scope, Scopes},
};
use ebp_survey::Caller;
use uuid::Uuid;

use crate::{
    limit::{Client, ClientId},
    problem::ApiError,
};

pub(crate) use authenticator::Authenticator;
use authenticator::Identity;
pub use authenticator::Source;
pub use certificate::{ClientCertificate, Peer};
pub use key_set::{KeySet, KeySource};
pub use person::{Administrator, Holder, OtherServer, OwnCertificate};
pub use secret::{SecretError, Secrets, hash_secret, remove_secret, set_secret};
pub use tls::{TlsError, server_config};
pub(crate) use tls::{certificates, server_time};
pub use token::{TokenIdentity, TokenSettings, Tokens};
pub use token_error::TokenError;

/// For whom a request acts.
#[derive(Debug, Clone, Copy)]
pub struct Requester(pub Caller);

/// The device's certificate that asks: the next one has to say the same.
#[derive(Clone)]
pub struct DeviceHolder {
    /// The device.
    pub device: Uuid,
    /// The certificate.
    pub certificate: Arc<ClientCertificate>,
}

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
from_extensions!(Requester, Manager, DeviceHolder, ClientId, Administrator, OtherServer);

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
    /// The same, whose identity has all of these scopes.
    AllScopes(&'static [Scope]),
    /// These groups (table 4.3).
    Groups(&'static [Group]),
    /// A device by its own certificate, whatever its scopes.
    Device,
    /// A device by its own certificate, which has that scope.
    DeviceScope(Scope),
    /// A person by a certificate for remote access, or the administrators by their secret.
    Administration,
    /// Another server of this survey by its own certificate.
    Server,
}

/// What a route's guard knows.
#[derive(Clone)]
pub(crate) struct Guard {
    pub authenticator: Arc<Authenticator>,
    pub access: Access,
}

/// Lets a request through to its handler if its identity may.
pub(crate) async fn authorize(
    State(guard): State<Guard>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let Guard { authenticator, access } = guard;
    if access == Access::Anybody {
        let client = authenticator.admit(request.extensions())?;
        request.extensions_mut().insert(client);
        return Ok(next.run(request).await);
    }
    authenticator.clock.require()?;
    let now = authenticator.clock.now();
    // What is borrowed of the request is not held across the wait: its body is not to be shared.
    let peer = request.extensions().get::<Peer>().cloned().unwrap_or_default();
    let source = request.extensions().get::<Source>().copied();
    let header = request.headers().get(header::AUTHORIZATION).cloned();
    let mut client = None;
    if header.is_none() {
        // Before the store is asked for the certificate.
        client = Some(authenticator.admit(request.extensions())?);
    }
    let identity = match authenticator.identify(&peer, header.as_ref(), source, now).await {
        Ok(identity) => identity,
        Err(error) => {
            if let (Some(_), Some(Source(address))) = (&header, source) {
                authenticator.requests.admit(Client::Address(address))?;
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
            client = Some(authenticator.requests.admit(Client::Group(*group))?);
        }
        Identity::Token(TokenIdentity { names, .. }) => {
            let token = Client::Token { email: &names.email, device: names.device };
            client = Some(authenticator.requests.admit(token)?);
        }
        Identity::Certificate(_) | Identity::Own(_) => {}
    }
    if let Some(client) = client {
        request.extensions_mut().insert(client);
    }
    match (access, identity) {
        (Access::Groups(groups), Identity::Group(group)) if groups.contains(&group) => {
            request.extensions_mut().insert(Manager(group));
        }
        (Access::Administration, Identity::Group(Group::Administrators)) => {
            request.extensions_mut().insert(Administrator(None));
        }
        (access, Identity::Own(certificate)) => match (access, &certificate.holder) {
            (Access::Administration, Holder::Administrator(_)) => {
                request.extensions_mut().insert(Administrator(Some(certificate)));
            }
            (Access::Server, Holder::Server) => {
                request.extensions_mut().insert(OtherServer);
            }
            _ => return Err(ApiError::Group),
        },
        (Access::Groups(_) | Access::Administration | Access::Server, _)
        | (_, Identity::Group(_)) => return Err(ApiError::Group),
        (Access::Device | Access::DeviceScope(_), Identity::Token(_)) => {
            return Err(ApiError::Group);
        }
        (access, Identity::Token(TokenIdentity { names, scopes })) => {
            permit(access, &scopes)?;
            let caller = authenticator.caller(&names, &scopes, ebp_store::Source::Token).await?;
            request.extensions_mut().insert(Requester(caller));
        }
        (access, Identity::Certificate(certificate)) => {
            let device = certificate.names.device;
            if matches!(access, Access::Device | Access::DeviceScope(_)) && device.is_none() {
                return Err(ApiError::Group);
            }
            permit(access, &certificate.scopes)?;
            let (names, scopes) = (&certificate.names, &certificate.scopes);
            let caller = authenticator.caller(names, scopes, ebp_store::Source::Device).await?;
            request.extensions_mut().insert(Requester(caller));
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
        Access::AllScopes(needed) => {
            let missing = needed.iter().find(|scope| !scopes.contains(**scope));
            missing.map_or(Ok(()), |scope| Err(ApiError::Scope(*scope)))
        }
        _ => Ok(()),
    }
}
