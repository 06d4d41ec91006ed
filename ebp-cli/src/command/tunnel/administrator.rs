//! Who connects: an administrator with a certificate of their own.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ebp_client::{Client, ClientError, ClientOptions, identity::Identity};
use ebp_core::{clock::SystemClock, contract::problem_type};
use ebp_fleet::tunnel::{
    Refusal,
    dial::{Destination, Dial, DialError},
};

use super::proxy::from_environment;
use crate::{
    command::heading::API,
    exit::{Code, Failure, chain, device::failed_request},
};

/// The administrator's certificate, and the server.
#[derive(Debug, clap::Args)]
pub struct Administrator {
    /// The Data API's address, such as `https://ebp.example.org:8443`.
    #[arg(long, env = "EBP_TUNNEL_URL", help_heading = API)]
    pub url: String,

    /// The administrator's certificate (.pem), its key (.key) beside it, and ca.pem in the same
    /// folder, as written by `ebp ca issue --administrator`.
    #[arg(long, value_name = "FILE", env = "EBP_TUNNEL_CERTIFICATE", help_heading = API)]
    pub certificate: PathBuf,
}

impl Administrator {
    fn identity(&self) -> Result<Identity, Failure> {
        let folder = self.certificate.parent().unwrap_or(Path::new("."));
        let (key, ca) = (self.certificate.with_extension("key"), folder.join("ca.pem"));
        Identity::load(&self.certificate, &key, &ca).map_err(|error| {
            Failure::failed(chain(&error))
                .remedy("`ebp ca issue --administrator` makes these files")
        })
    }

    /// A client for lists.
    pub fn client(&self) -> Result<Client, Failure> {
        Client::new(&self.url, &self.identity()?, ClientOptions::default()).map_err(refused)
    }

    /// A way to sessions.
    pub fn dial(&self) -> Result<Dial, Failure> {
        let destination = Destination::parse(&self.url).map_err(Failure::usage)?;
        let tls = self.identity()?.client_config(Arc::new(SystemClock));
        let tls = tls.map_err(|error| Failure::failed(chain(&error)))?;
        Ok(Dial { destination, tls: Arc::new(tls), proxy: from_environment()? })
    }
}

/// The client's errors, for an administrator.
pub fn refused(error: ClientError) -> Failure {
    let code = if error.not_authorized() { Code::NotAuthorized } else { Code::Failed };
    let failure = Failure::new(code, chain(&error));
    match &error {
        _ if error.not_authorized() => failure.remedy(CERTIFICATE),
        ClientError::InvalidUrl { .. } | ClientError::Unreachable { .. } => {
            failure.remedy("check --url")
        }
        ClientError::Tls { .. } => failure.remedy("check --url, and ca.pem beside the certificate"),
        _ => match failed_request(&error) {
            Some(remedy) => failure.remedy(remedy),
            None => failure,
        },
    }
}

/// What helps without permission.
const CERTIFICATE: &str = "connecting needs a certificate of `ebp ca issue --administrator` that is \
                           neither expired nor revoked";

/// Why there is no session.
pub fn not_connected(error: &DialError) -> Failure {
    if error.is_certificate_refused() {
        return Failure::new(Code::NotAuthorized, chain(error)).remedy(CERTIFICATE);
    }
    let Some(Refusal { status, kind, text, .. }) = error.refusal() else {
        return Failure::failed(chain(error)).remedy("check --url and the network");
    };
    match (status, kind.as_str()) {
        (401 | 403, _) => Failure::new(Code::NotAuthorized, text).remedy(CERTIFICATE),
        (_, problem_type::ACCESS_SWITCHED_OFF) => {
            Failure::new(Code::NotAuthorized, "the household has switched remote access off")
                .remedy("ask the participant to switch it on at the device's page")
        }
        (_, problem_type::NOT_CONNECTED) => Failure::failed(format!("no session: {text}"))
            .remedy("`ebp tunnel list` shows which devices are connected"),
        (404, _) => Failure::failed("there is no such device or service")
            .remedy("`ebp tunnel list` shows the devices; `allow` on the device its services"),
        _ => Failure::failed(chain(error)),
    }
}
