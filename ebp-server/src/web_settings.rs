//! The settings of the pages of researchers and administrators.

use std::{net::IpAddr, path::PathBuf};

/// How the pages of researchers and administrators are served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebSettings {
    /// The certificate that browsers are shown; without one pages are behind a proxy, or for this
    /// machine alone.
    pub certificate: Option<WebCertificate>,
    /// Names by which browsers reach the pages.
    pub hostnames: Vec<String>,
    /// Proxies that end TLS.
    pub trusted_proxies: Vec<IpAddr>,
    /// The folder of backups, whose age the administrators' pages show.
    pub backups: Option<PathBuf>,
}

impl WebSettings {
    /// `http` or `https`, as browsers see it.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        match self.certificate.is_none() && self.trusted_proxies.is_empty() {
            true => "http",
            false => "https",
        }
    }
}

/// The files of a certificate that browsers trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebCertificate {
    /// The certificate chain (PEM).
    pub certificate: PathBuf,
    /// Its private key (PEM).
    pub key: PathBuf,
}
