//! The table `[web]` of the configuration: the pages of researchers and administrators.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::ConfigError;
use crate::web_settings::{WebCertificate, WebSettings};

/// The pages of researchers and administrators; there are none without this table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The certificate chain (PEM), of an authority that browsers trust.
    pub certificate: Option<PathBuf>,
    /// Its private key (PEM).
    pub key: Option<PathBuf>,
    /// Names by which browsers reach the pages; those of the server without this.
    pub hostnames: Vec<String>,
    /// Proxies that browsers come through, which end TLS and say where a request comes from.
    pub trusted_proxies: Vec<IpAddr>,
    /// The folder of backups, whose age the administrators' pages show.
    pub backups: Option<PathBuf>,
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8444)),
            certificate: None,
            key: None,
            hostnames: Vec::new(),
            trusted_proxies: Vec::new(),
            backups: None,
        }
    }
}

impl WebConfig {
    /// Checks that browsers reach the pages by https, or on this machine alone.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong =
            |key, reason: &str| Err(ConfigError::Setting { key, reason: reason.to_owned() });
        match (&self.certificate, &self.key) {
            (Some(_), None) => wrong("web.key", "a certificate needs its private key"),
            (None, Some(_)) => wrong("web.certificate", "a private key needs its certificate"),
            (None, None) if self.trusted_proxies.is_empty() && !self.listen.ip().is_loopback() => {
                let reason = "without a certificate or trusted proxies pages are for this machine \
                              alone, such as 127.0.0.1:8444";
                wrong("web.listen", reason)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn relative_to(&mut self, folder: &Path) {
        let Self { certificate, key, backups, .. } = self;
        for path in [certificate, key, backups].into_iter().flatten() {
            *path = folder.join(&*path);
        }
    }

    /// The settings of a server's pages.
    pub(super) fn settings(&self, hostnames: &[String]) -> WebSettings {
        let own = if self.hostnames.is_empty() { hostnames } else { &self.hostnames };
        let files = self.certificate.clone().zip(self.key.clone());
        WebSettings {
            certificate: files.map(|(certificate, key)| WebCertificate { certificate, key }),
            hostnames: own.to_vec(),
            trusted_proxies: self.trusted_proxies.clone(),
            backups: self.backups.clone(),
        }
    }
}
