//! A measurement device as its configuration describes it: spool, client, consent.
//!
//! Enters: a configuration file. Leaves: what measuring and sending need, opened, with failures
//! explained. Absent: both cycles.

use ebp_client::{
    Client, ClientError, TlsRefusal, Validity,
    identity::{Identity, IdentityError},
    renewal,
};
use ebp_core::{
    clock::{Clock, DeviceClock, SystemClock},
    contract::problem_type,
};
use ebp_device::{
    clock::DeviceSystemClock,
    consent::{Decision, Gate},
    spool::{Spool, SpoolError},
};

use std::{path::Path, sync::Arc};

use crate::{
    config::DeviceConfig,
    exit::{Code, Failure, chain},
    tell::tell,
};

/// What a measurement device works with.
pub struct Device {
    /// Its configuration.
    pub config: DeviceConfig,
    /// Its spool.
    pub spool: Spool,
    /// The way to the Data API.
    pub client: Client,
    /// The machine's clocks.
    pub clock: Arc<dyn DeviceClock>,
    /// When the client's certificate is valid.
    validity: Validity,
}

impl Device {
    /// Opens what the configuration file names.
    ///
    /// # Errors
    /// Explained, naming the file concerned.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let config = DeviceConfig::load(path)?;
        let api = &config.api;
        renewal::settle(&api.certificate, &api.key).map_err(crate::command::device::explain)?;
        let identity = Identity::load(&api.certificate, &api.key, &api.ca).map_err(identity)?;
        let client = Client::new(&api.url, &identity, api.client_options()).map_err(client)?;
        let spool = Spool::open_with(&config.spool, config.spool_options()).map_err(spool)?;
        let validity = Validity::of(&api.certificate)
            .map_err(|error| crate::command::device::explain(error.into()))?;
        let clock = Arc::new(DeviceSystemClock::new(config.clock));
        Ok(Self { config, spool, client, clock, validity })
    }

    /// Opens the spool again: a damaged one is set aside, one that another process set aside is
    /// left, and one that could only be read can be written to if that is over.
    pub fn reopen_spool(&mut self) {
        // Where it cannot be, its next use says why.
        let _ = self.spool.reopen();
    }

    /// Renews the certificate if that is due, and takes up one that another process renewed; the
    /// daemons call it in every cycle. A failure costs nothing yet: a third of the lifetime is
    /// left, and the next cycle tries again.
    pub fn keep_identity(&mut self) {
        if let Err(failure) = self.renew_when_due() {
            tracing::warn!(%failure, "the certificate is not renewed");
        }
    }

    fn renew_when_due(&mut self) -> Result<(), Failure> {
        let api = &self.config.api;
        let validity = || {
            Validity::of(&api.certificate)
                .map_err(|error| crate::command::device::explain(error.into()))
        };
        let due = |validity: Validity| SystemClock.now() >= validity.due_at();
        if due(validity()?) {
            let _lock = renewal::lock(&api.key).map_err(crate::command::device::explain)?;
            renewal::settle(&api.certificate, &api.key).map_err(crate::command::device::explain)?;
            // Another process may have done it meanwhile.
            if due(validity()?) {
                renewal::renew(&self.client, &api.certificate, &api.key)
                    .map_err(crate::command::device::explain)?;
            }
        }
        let current = validity()?;
        if current != self.validity {
            let (loaded, exposed) =
                Identity::load_anyway(&api.certificate, &api.key, &api.ca).map_err(identity)?;
            if let Some(exposed) = exposed {
                tracing::warn!("the device's key may be known to others: {exposed}");
            }
            self.client = Client::new(&api.url, &loaded, api.client_options()).map_err(client)?;
            self.validity = current;
        }
        Ok(())
    }

    /// Whether that failure is the end for good: consent is revoked, and a daemon stops.
    pub fn is_over(&self, failure: &Failure) -> bool {
        failure.code == Code::NoConsent && self.spool.is_revoked().unwrap_or(true)
    }

    /// Whether the device may measure now. While the server cannot be asked, what it said last holds.
    ///
    /// # Errors
    /// Code 4 without consent; the client's failure where the server was never asked with success.
    pub fn may_measure(&self) -> Result<(), Failure> {
        if let Some(error) = self.ask_consent()? {
            tracing::warn!(%error, "consent could not be asked for; it was granted");
        }
        Ok(())
    }

    /// Why the server could not be asked, where consent was granted before.
    fn ask_consent(&self) -> Result<Option<Box<ClientError>>, Failure> {
        match Gate::decide(&self.spool, || self.client.consent(), &SystemClock).map_err(spool)? {
            Decision::Granted { unasked, .. } => Ok(unasked),
            Decision::NotGranted => Err(not_granted()),
            Decision::Revoked => Err(revoked()),
            Decision::Unknown(error) => Err(client(error)),
        }
    }
}

/// Consent is not granted.
pub fn not_granted() -> Failure {
    Failure::new(Code::NoConsent, "consent is not granted, so nothing is measured or sent")
        .remedy("the participant grants it in the device's web page")
}

/// Consent is revoked for good.
pub fn revoked() -> Failure {
    Failure::new(
        Code::NoConsent,
        "consent is revoked for good: nothing is measured or sent any more",
    )
    .remedy("return the device to the research group")
}

/// The spool's errors with their remedies.
pub fn spool(error: SpoolError) -> Failure {
    let remedy = match &error {
        SpoolError::Revoked { .. } => return revoked(),
        SpoolError::Full { .. } => Some("make room on the disk; nothing that was stored is lost"),
        SpoolError::ReadOnly { .. } => Some("let this user write there, or choose another folder"),
        SpoolError::LimitReached { .. } => {
            Some("nothing that was stored is lost; it goes on when the server has confirmed some")
        }
        SpoolError::Damaged { .. } | SpoolError::Replaced { .. } => {
            Some("start again: what is damaged is set aside, and what can be read of it is kept")
        }
        SpoolError::Marker { .. } => {
            Some("let this user read and write there: nothing is measured until that is known")
        }
        SpoolError::Newer { .. } => Some("use the version of ebp that wrote it, or a later one"),
        SpoolError::Busy { .. } => Some("try again; another process was writing for long"),
        _ => None,
    };
    explained(Code::Failed, &error, remedy)
}

/// The client's errors with their remedies.
pub fn client(error: ClientError) -> Failure {
    let code = if error.not_authorized() { Code::NotAuthorized } else { Code::Failed };
    let remedy = match &error {
        _ if error.consent_revoked() => return revoked(),
        _ if error.consent_not_granted() => return not_granted(),
        ClientError::InvalidUrl { .. } => Some("set `url` under [api] in the configuration"),
        ClientError::Unreachable { .. } => {
            Some("check the network and `url` under [api]; nothing is lost")
        }
        ClientError::Tls { refusal: TlsRefusal::OursRefused | TlsRefusal::OursRevoked, .. } => {
            Some("ask the administrator for a new certificate")
        }
        ClientError::Tls { refusal: TlsRefusal::OursExpired, .. } => {
            Some("ask the administrator for a new certificate, or set this device's clock")
        }
        ClientError::Tls { refusal: TlsRefusal::TheirsUntrusted, .. } => {
            Some("check `ca` under [api]: it must be the authority's certificate")
        }
        ClientError::Tls {
            refusal: TlsRefusal::TheirsExpired | TlsRefusal::TheirsNotYetValid,
            ..
        } => Some("set this device's clock, or tell the administrator"),
        ClientError::ServerClockBehind { .. } => {
            Some("tell the administrator to set it; the certificate is good, and nothing is lost")
        }
        ClientError::Problem { kind, .. } if kind == problem_type::SERVER_CLOCK => {
            Some("tell the administrator to set it; the certificate is good, and nothing is lost")
        }
        ClientError::Problem { kind, .. } if kind == problem_type::RENEWED_RECENTLY => {
            Some("the certificate that it has is good; try again tomorrow")
        }
        ClientError::Tls { refusal: TlsRefusal::TheirsOtherName, .. } => {
            Some("write `url` under [api] with a name that the server's certificate has")
        }
        ClientError::Problem { kind, .. } if kind == problem_type::CANNOT_ISSUE => Some(
            "tell the administrator to put the authority's ca.key into the server's data folder",
        ),
        ClientError::Problem { kind, .. } if kind == problem_type::UNREGISTERED => Some(
            "tell the administrator: the household or this device is not registered any more, which \
             no new certificate changes; nothing is lost",
        ),
        ClientError::Problem { status: 401, .. } => Some(
            "ask the administrator for a one-time token, for a new certificate with `ebp device enroll`",
        ),
        _ if error.not_authorized() => {
            Some("ask the administrator for a certificate with the scope it takes")
        }
        _ => None,
    };
    explained(code, &error, remedy)
}

fn identity(error: IdentityError) -> Failure {
    let remedy = match &error {
        IdentityError::Read { .. }
        | IdentityError::NoCertificate { .. }
        | IdentityError::NoKey { .. } => {
            Some("check the files under [api]; `ebp device enroll` makes them")
        }
        _ => None,
    };
    explained(Code::Failed, &error, remedy)
}

fn explained(code: Code, error: &dyn std::error::Error, remedy: Option<&str>) -> Failure {
    let failure = Failure::new(code, chain(error));
    match remedy {
        Some(remedy) => failure.remedy(remedy),
        None => failure,
    }
}

/// What a daemon says of its failures: each once, not in every attempt, and when it is over.
#[derive(Debug, Default)]
pub struct Complaints {
    last: Option<String>,
}

impl Complaints {
    /// Tells of a failure unless it is the one told of last.
    pub fn failed(&mut self, failure: &Failure) {
        let text = failure.to_string();
        if self.last.as_ref() != Some(&text) {
            tell!("ebp: {text}");
            self.last = Some(text);
        }
    }

    /// Tells that it works again, if it did not.
    pub fn worked(&mut self) {
        if self.last.take().is_some() {
            tell!("ebp: it works again");
        }
    }
}
