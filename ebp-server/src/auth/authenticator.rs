//! Proving who asks: by the connection's certificate, a bearer token, or a group's secret.

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use axum::http::{Extensions, HeaderValue};
use ebp_core::{
    clock::Clock,
    contract::GrantChannel,
    scope::{Group, Scope, Scopes},
};
use ebp_store::{Actor, Names};
use ebp_survey::{Caller, SignInError, Survey, VerifySecret};
use jiff::{SignedDuration, Timestamp};

use super::{ClientCertificate, Holder, OwnCertificate, Peer, Secrets, TokenIdentity, Tokens};
use crate::{
    database_clock::DatabaseClock,
    limit::{Client, ClientId, Requests},
    problem::ApiError,
};

/// Why a device that is registered is not let in.
const SUPERSEDED: &str = "the device is another participant's, or the participant's e-mail address \
     has changed: enroll the device anew";

/// Who a request says it is, verified.
pub enum Identity {
    /// A group, by its secret.
    Group(Group),
    /// A participant or device, by its certificate.
    Certificate(Arc<ClientCertificate>),
    /// A participant or device, by a bearer token.
    Token(TokenIdentity),
    /// A person who connects to devices, or another server, by its certificate.
    Own(Arc<OwnCertificate>),
}

impl Identity {
    /// A word that identifies nobody.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Group(group) => group.name(),
            Self::Token(_) => "token",
            Self::Own(certificate) => match certificate.holder {
                Holder::Administrator(_) => "administrator",
                Holder::Server => "server",
            },
            Self::Certificate(certificate) => match certificate.names.device {
                Some(_) => "device",
                None => "participant",
            },
        }
    }
}

/// The way that requests of such an identity come by. What a device measures with and what its page
/// shows are certificates of different scopes.
fn channel(names: &Names, scopes: &Scopes, source: ebp_store::Source) -> GrantChannel {
    match (source, names.device) {
        (ebp_store::Source::Token, _) => GrantChannel::Token,
        (ebp_store::Source::Device, None) => GrantChannel::Certificate,
        (ebp_store::Source::Device, Some(_)) if scopes.contains(Scope::MeasurementWrite) => {
            GrantChannel::Device
        }
        (ebp_store::Source::Device, Some(_)) => GrantChannel::Page,
    }
}

/// Where a request comes from; the listener puts it there.
#[derive(Debug, Clone, Copy)]
pub struct Source(pub IpAddr);

/// What proving an identity takes.
pub struct Authenticator {
    /// Who is registered, and which certificates were issued and revoked.
    pub survey: Arc<Survey>,
    /// The groups' secrets.
    pub secrets: Secrets,
    /// Which bearer tokens are accepted, if any.
    pub tokens: Option<Tokens>,
    /// How often each client may ask.
    pub requests: Arc<Requests>,
    /// The clock that validity is judged by.
    pub clock: Arc<DatabaseClock>,
}

impl Authenticator {
    /// Counts a request by what is known of it without asking the store: its certificate, or else where
    /// it comes from. Returns whose it is.
    ///
    /// # Errors
    /// [`ApiError::TooManyRequests`].
    pub fn admit(&self, extensions: &Extensions) -> Result<ClientId, ApiError> {
        let client = match (extensions.get::<Peer>(), extensions.get()) {
            (Some(Peer::Certificate(certificate)), _) => certificate.client(),
            (_, Some(Source(address))) => Client::Address(*address),
            (_, None) => return Err(ApiError::Internal("no source".into())),
        };
        self.requests.admit(client)
    }

    /// What the names of an identity refer to.
    pub async fn caller(
        &self,
        names: &Names,
        scopes: &Scopes,
        source: ebp_store::Source,
    ) -> Result<Caller, ApiError> {
        match self.survey.store().actor(names).await? {
            // A participant's own may be of before a change of the address, which another one cures.
            Actor::Unknown if names.device.is_none() => {
                Err(ApiError::Unauthenticated("nobody is registered by it"))
            }
            Actor::Unknown => Err(ApiError::Unregistered),
            Actor::Superseded => Err(ApiError::Unauthenticated(SUPERSEDED)),
            Actor::Revoked => Err(self.tell_revoked(names, scopes).await),
            Actor::Participant { participant, household, device, consents } => {
                if let Some(device) = device {
                    self.survey.note_activity(device, scopes).await;
                }
                let through = channel(names, scopes, source);
                Ok(Caller { participant, household, consents, device, source, through })
            }
        }
    }

    /// That consent is revoked, which a device that measures acts on.
    async fn tell_revoked(&self, names: &Names, scopes: &Scopes) -> ApiError {
        if let Some(device) = names.device.filter(|_| scopes.contains(Scope::MeasurementWrite)) {
            self.survey.note_told(device).await;
        }
        ApiError::ConsentRevoked
    }

    /// The identity that a request carries.
    pub async fn identify(
        &self,
        peer: &Peer,
        authorization: Option<&HeaderValue>,
        source: Option<Source>,
        now: Timestamp,
    ) -> Result<Identity, ApiError> {
        let Some(header) = authorization else {
            if let Peer::Own(certificate) = peer {
                self.require_own(certificate, now).await?;
                return Ok(Identity::Own(certificate.clone()));
            }
            return Ok(Identity::Certificate(self.authenticate(peer, now).await?));
        };
        let unknown = ApiError::Unauthenticated("the Authorization header is not of a known form");
        let Some((scheme, credentials)) =
            header.to_str().ok().and_then(|text| text.split_once(' '))
        else {
            return Err(unknown);
        };
        match scheme.to_ascii_lowercase().as_str() {
            "basic" => {
                let Source(source) =
                    source.ok_or_else(|| ApiError::Internal("no source".into()))?;
                let group =
                    self.secrets.verify(credentials, source, &**self.survey.store(), now).await?;
                Ok(Identity::Group(group))
            }
            "bearer" => {
                let tokens = self
                    .tokens
                    .as_ref()
                    .ok_or(ApiError::Unauthenticated("no tokens are accepted here"))?;
                Ok(Identity::Token(tokens.verify(credentials.trim(), now).await?))
            }
            _ => Err(unknown),
        }
    }

    /// Fails unless the certificate of a person or a server still counts.
    ///
    /// # Errors
    /// [`ApiError::Unauthenticated`] if it is expired, not registered, or revoked.
    pub async fn require_own(
        &self,
        certificate: &OwnCertificate,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        if now < certificate.not_before || now > certificate.not_after {
            return Err(ApiError::Unauthenticated("the certificate is not valid now"));
        }
        let serial = certificate.serial;
        let counts = match certificate.holder {
            Holder::Server => self.survey.is_own_server(serial).await?,
            Holder::Administrator(_) => {
                let entry = self.survey.registered_client(serial).await?;
                entry.is_some_and(|entry| entry.revoked_at.is_none())
            }
        };
        if counts {
            return Ok(());
        }
        Err(ApiError::Unauthenticated("the certificate is not registered, or revoked"))
    }

    /// The connection's certificate, if it still counts.
    async fn authenticate(
        &self,
        peer: &Peer,
        now: Timestamp,
    ) -> Result<Arc<ClientCertificate>, ApiError> {
        let certificate = match peer {
            Peer::Anonymous => return Err(ApiError::Unauthenticated("no client certificate")),
            Peer::Unreadable | Peer::Own(_) => {
                return Err(ApiError::Unauthenticated(
                    "the certificate is not of the expected form",
                ));
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
        let Some(entry) = self.survey.registered_client(certificate.serial).await? else {
            return Err(ApiError::Unauthenticated("the certificate is not registered"));
        };
        if entry.revoked_at.is_none() {
            return Ok(certificate.clone());
        }
        // A revoked consent ends certificates, and its devices have to be informed.
        match self.survey.store().actor(&certificate.names).await? {
            Actor::Revoked => Err(self.tell_revoked(&certificate.names, &certificate.scopes).await),
            _ => Err(ApiError::Unauthenticated("the certificate is revoked")),
        }
    }
}

#[async_trait]
impl VerifySecret for Authenticator {
    async fn verify_secret(
        &self,
        group: Group,
        secret: &str,
        source: IpAddr,
    ) -> Result<(), SignInError> {
        let verified = async {
            self.clock.require()?;
            let (secret, store, now) = (secret.to_owned(), self.survey.store(), self.clock.now());
            self.secrets.verify_group(group, secret, source, &**store, now).await
        };
        verified.await.map_err(|error| match error {
            ApiError::Unauthenticated(_) => SignInError::Wrong,
            ApiError::TooManyTries(seconds) => SignInError::Wait(seconds),
            error => SignInError::Unavailable(error.to_string()),
        })
    }
}
