//! How participants reach the Data API: by the folder with their certificate and key; and
//! `ebp participant`, by which other programs do with it.

mod pkcs12;

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use ebp_client::{Client, ClientError, ClientOptions, TlsRefusal, identity::Identity};
use ebp_core::contract::problem_type;

use super::heading::{API, PARTICIPANT};
use crate::exit::{Code, Context, Failure, Outcome, chain, device};
use pkcs12::Pkcs12;

/// Use your certificate as a participant of the survey in other programs.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write certificate and key into one PKCS#12 file (.p12), for programs that want that.
    ///
    /// The file is protected by a password, which is asked for, or read from a file. Whoever has both
    /// can see and decide what you can.
    Pkcs12(Pkcs12),
}

/// Does as the arguments say.
pub fn run(arguments: &Arguments) -> Outcome {
    match &arguments.action {
        Action::Pkcs12(pkcs12) => pkcs12.run(),
    }
}

/// The files that the research group gave the participant.
#[derive(Debug, clap::Args)]
pub struct Files {
    /// The participant's folder: certificate (.pem), its key (.key) and ca.pem, as `ebp ca issue`
    /// makes them.
    #[arg(
        long, global = true, value_name = "FOLDER", default_value = ".", help_heading = PARTICIPANT
    )]
    folder: PathBuf,

    /// The certificate, where the folder has several.
    #[arg(long, global = true, value_name = "FILE", help_heading = PARTICIPANT)]
    certificate: Option<PathBuf>,
}

impl Files {
    /// The certificate's file.
    fn certificate(&self) -> Result<PathBuf, Failure> {
        match &self.certificate {
            Some(certificate) => Ok(certificate.clone()),
            None => only_certificate(&self.folder),
        }
    }

    /// Certificate, key and authority.
    fn identity(&self, certificate: &Path) -> Result<Identity, Failure> {
        let (key, ca) = (certificate.with_extension("key"), self.folder.join("ca.pem"));
        Identity::load(certificate, &key, &ca).map_err(|error| {
            Failure::failed(chain(&error))
                .remedy("the research group makes these files with `ebp ca issue`")
        })
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

/// The only certificate of a folder that has its key beside it.
fn only_certificate(folder: &Path) -> Result<PathBuf, Failure> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .or_failed(format!("cannot read {}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension() == Some(OsStr::new("pem")))
        .filter(|path| path.with_extension("key").exists())
        .collect();
    found.sort();
    match &mut found[..] {
        [only] => Ok(std::mem::take(only)),
        [] => Err(Failure::usage(format!("{} has no certificate with its key", folder.display()))
            .remedy("name the participant's folder with --folder")),
        several => {
            let names: Vec<String> =
                several.iter().map(|path| path.display().to_string()).collect();
            Err(Failure::usage(format!("{} has several certificates", folder.display()))
                .remedy(format!("name one with --certificate: {}", names.join(", "))))
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_certificate_with_its_key_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| fs::write(folder.path().join(name), "").unwrap();
        make("ca.pem");
        let told = only_certificate(folder.path()).unwrap_err().to_string();
        assert!(told.contains("no certificate") && told.contains("--folder"), "{told}");
        make("participant-1.pem");
        make("participant-1.key");
        let found = only_certificate(folder.path()).unwrap();
        assert!(found.ends_with("participant-1.pem"), "{found:?}");
        make("participant-2.pem");
        make("participant-2.key");
        let told = only_certificate(folder.path()).unwrap_err().to_string();
        assert!(told.contains("--certificate") && told.contains("participant-2.pem"), "{told}");
    }
}
