//! The connection of researchers and administrators to the Data API: its address, its trust, the
//! secret that they share.

use std::path::PathBuf;

use ebp_client::{ClientError, ClientOptions, Manager, TlsRefusal, Trust};
use ebp_core::{contract::problem_type, scope::Group};

use super::{heading::API, secret};
use crate::{
    exit::{Code, Context, Failure, chain, device::failed_request},
    file::read_text,
};

/// How the Data API is reached.
#[derive(Debug, clap::Args)]
pub struct GroupApi {
    /// The Data API's address, such as `https://ebp.example.org:8443`.
    #[arg(long, global = true, help_heading = API)]
    pub url: Option<String>,

    /// The authority's certificate (PEM).
    #[arg(long, global = true, value_name = "FILE", help_heading = API)]
    ca: Option<PathBuf>,

    /// The SHA-256 fingerprint of the authority's certificate, instead of --ca.
    #[arg(long, global = true, value_name = "HEX", conflicts_with = "ca", help_heading = API)]
    fingerprint: Option<String>,

    /// The file whose first line is the group's secret, which only its owner may read; without it
    /// the secret is asked for on the terminal, or read from standard input.
    #[arg(long, global = true, value_name = "FILE", help_heading = API)]
    secret_file: Option<PathBuf>,
}

impl GroupApi {
    /// By what the server is trusted.
    fn trust(&self) -> Result<Trust, Failure> {
        match (&self.ca, &self.fingerprint) {
            (Some(ca), _) => Ok(Trust::Authority(read_text(ca)?)),
            (None, Some(text)) => text.parse().map_err(Failure::usage),
            (None, None) => Err(Failure::usage("it is not said by what the server is trusted")
                .remedy("give --ca or --fingerprint")),
        }
    }

    /// The command that enrolls a device by the token in that file, as typed on the device.
    pub fn enrolment_command(&self, token_file: &str) -> Result<String, Failure> {
        let fingerprint = self.trust()?.fingerprint().or_failed("the authority's certificate")?;
        let url = self.url.as_deref().unwrap_or_default();
        Ok(format!(
            "ebp device enroll --url {url} --fingerprint {fingerprint} --token-file {token_file} \
             --output /etc/ebp"
        ))
    }

    /// The group's client; the secret is asked for where no file has it.
    pub fn connect(&self, group: Group) -> Result<Manager, Failure> {
        let url = self.url.as_deref().ok_or_else(|| {
            Failure::usage("the Data API's address is missing").remedy("give it with --url")
        })?;
        let trust = self.trust()?;
        let what = format!("the secret of the {group}");
        let secret = match &self.secret_file {
            Some(path) => secret::from_file(&what, path)?,
            None => secret::ask(&what, false)?,
        };
        Manager::new(url, &trust, group, &secret, ClientOptions::default())
            .map_err(|error| refused(group, error))
    }
}

/// The client's errors, with remedies for a member of that group.
pub fn refused(group: Group, error: ClientError) -> Failure {
    let remedy = match &error {
        ClientError::Problem { status: 400 | 422, .. } => {
            "correct the file; nothing was stored".to_owned()
        }
        ClientError::Problem { status: 401 | 403, .. } => format!("check the {group}' secret"),
        ClientError::Problem { status: 404, .. } => match group {
            Group::Researchers => "`ebp household list` shows those there are".to_owned(),
            Group::Administrators => "`ebp device list` shows those there are".to_owned(),
        },
        ClientError::Problem { kind, .. } if kind == problem_type::CHANGED => {
            "`ebp household show` shows it as it is now, with its version for --if-match".to_owned()
        }
        ClientError::Problem { kind, .. } if kind == problem_type::IN_USE => match group {
            Group::Researchers => "what has measurements is kept; a system's meter is another one \
                                   after `ebp household edit --pv-system`"
                .to_owned(),
            Group::Administrators => {
                "`ebp device revoke` ends its certificates; what it read is kept".to_owned()
            }
        },
        ClientError::Problem { kind, .. } if kind == problem_type::REGISTERED_ALREADY => {
            "nothing was stored; if it is another household, register it with --further".to_owned()
        }
        ClientError::Problem { kind, .. } if kind == problem_type::CONSENT_REVOKED => {
            "what was registered is anonymized and cannot be changed any more".to_owned()
        }
        ClientError::Problem { kind, .. } if kind == problem_type::CANNOT_ISSUE => {
            "put the authority's ca.key into the server's data folder, or issue certificates where \
             it is with `ebp ca issue`"
                .to_owned()
        }
        ClientError::Problem { kind, retry_after, .. } if kind == problem_type::TOO_MANY_TRIES => {
            let wait = retry_after.map_or(60, |wait| wait.as_secs());
            format!(
                "wait {wait} s, or let the server's operator end it there with \
                 `ebp serve secret unblock`"
            )
        }
        ClientError::Problem { status: 429, .. } => "try again in a minute".to_owned(),
        ClientError::InvalidUrl { .. } | ClientError::Unreachable { .. } => "check --url".to_owned(),
        ClientError::Tls { refusal: TlsRefusal::TheirsUntrusted, .. } => {
            "check --ca or --fingerprint: `ebp ca init` printed the right one on the server's machine"
                .to_owned()
        }
        ClientError::Tls { .. } => "check --ca or --fingerprint".to_owned(),
        _ => match failed_request(&error) {
            Some(remedy) => remedy,
            None => return Failure::failed(chain(&error)),
        },
    };
    let code = if error.not_authorized() { Code::NotAuthorized } else { Code::Failed };
    Failure::new(code, chain(&error)).remedy(remedy)
}
