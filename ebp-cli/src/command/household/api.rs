//! How a researcher reaches the Data API: its address, by what it is trusted, the shared secret.

use std::path::PathBuf;

use ebp_core::{
    client::{ClientOptions, Manager, Trust},
    scope::Group,
};

use super::refused;
use crate::{command::secret, config::read_text, exit::Failure};

/// How the Data API is reached.
#[derive(Debug, clap::Args)]
pub struct ResearcherApi {
    /// The Data API's address, such as `https://ebp.example.org:8443`.
    #[arg(long, global = true)]
    pub url: Option<String>,

    /// The authority's certificate (PEM).
    #[arg(long, global = true, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// The SHA-256 fingerprint of the authority's certificate, instead of --ca.
    #[arg(long, global = true, value_name = "HEX", conflicts_with = "ca")]
    fingerprint: Option<String>,

    /// The file whose first line is the researchers' secret; without it the secret is asked for on
    /// the terminal, or read from standard input.
    #[arg(long, global = true, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

impl ResearcherApi {
    /// The client; the secret is asked for where no file has it.
    pub fn connect(&self) -> Result<Manager, Failure> {
        let url = self.url.as_deref().ok_or_else(|| {
            Failure::usage("the Data API's address is missing").remedy("give it with --url")
        })?;
        let trust = match (&self.ca, &self.fingerprint) {
            (Some(ca), _) => Trust::Authority(read_text(ca)?),
            (None, Some(text)) => text.parse().map_err(Failure::usage)?,
            (None, None) => {
                return Err(Failure::usage("it is not said by what the server is trusted")
                    .remedy("give --ca or --fingerprint"));
            }
        };
        let what = "the researchers' secret";
        let secret = match &self.secret_file {
            Some(path) => secret::from_file(what, path)?,
            None => secret::ask(what, false)?,
        };
        Manager::new(url, &trust, Group::Researchers, &secret, ClientOptions::default())
            .map_err(refused)
    }
}
