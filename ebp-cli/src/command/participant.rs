//! The connection of participants to the Data API, with the folder of their certificate and key;
//! and `ebp participant`, by which other programs do with it.
//!
//! Enters: the participant's folder and the server's address. Leaves: a client, or one PKCS#12 file.
//! Absent: what is asked of the server.

mod files;
mod pkcs12;

use clap::Subcommand;
use ebp_client::{Client, ClientError, ClientOptions, TlsRefusal};
use ebp_core::contract::problem_type;

use super::heading::API;
use crate::exit::{Code, CommandResult, Failure, chain, device};
use files::Files;
use pkcs12::Pkcs12;

/// Use your certificate as a participant of the survey in other programs.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write certificate and key into one PKCS#12 file (.p12), for programs that need that.
    ///
    /// The file is protected by a password, which is asked for, or read from a file. Anyone who has
    /// both can see and decide the same as you.
    Pkcs12(Pkcs12),
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> CommandResult {
    match &arguments.action {
        Action::Pkcs12(pkcs12) => pkcs12.run(),
    }
}

/// The participant's files, and the server.
#[derive(Debug, clap::Args)]
pub struct Own {
    #[command(flatten)]
    files: Files,

    /// The Data API's address, such as `https://ebp.example.org:8443`.
    #[arg(long, global = true, help_heading = API)]
    url: Option<String>,
}

impl Own {
    /// The participant's client. Nothing is sent yet.
    pub fn connect(&self) -> Result<Client, Failure> {
        let url = self.url.as_deref().ok_or_else(|| {
            Failure::usage("the Data API's address is missing").remedy("give it with --url")
        })?;
        let identity = self.files.identity(&self.files.certificate()?)?;
        Client::new(url, &identity, ClientOptions::default()).map_err(refused)
    }
}

/// The client's errors, for a participant.
pub fn refused(error: ClientError) -> Failure {
    let (code, remedy) = match &error {
        _ if error.consent_revoked() => {
            (Code::NoConsent, "it cannot be undone; return the device to the research group")
        }
        _ if error.consent_not_granted() => (Code::NoConsent, "`ebp consent grant` grants it"),
        ClientError::Problem { kind, .. } if kind == problem_type::CONSENT_ALREADY_GRANTED => {
            (Code::Failed, "nothing changed; `ebp consent show` says since when it is granted")
        }
        ClientError::Problem { kind, .. } if kind == problem_type::CONSENT_TEXT_CHANGED => {
            (Code::Failed, "read the new text with `ebp consent grant`; nothing was changed")
        }
        ClientError::Problem { kind, .. } if kind == problem_type::HOUSEHOLD_AMBIGUOUS => (
            Code::Failed,
            "you have several households: ask the research group for a certificate that names the \
             device of the one that is meant (`ebp ca issue --device`)",
        ),
        ClientError::InvalidUrl { .. } | ClientError::Unreachable { .. } => {
            (Code::Failed, "check --url")
        }
        ClientError::Tls { refusal: TlsRefusal::TheirsUntrusted, .. } => {
            (Code::Failed, "check ca.pem: it must be the authority's certificate")
        }
        ClientError::Problem { kind, .. } if kind == problem_type::UNREGISTERED => (
            Code::NotAuthorized,
            "your household is not registered any more, which no new certificate changes",
        ),
        _ if error.not_authorized() => {
            (Code::NotAuthorized, "ask the research group for a new certificate")
        }
        _ => return device::client(error),
    };
    Failure::new(code, chain(&error)).remedy(remedy)
}
