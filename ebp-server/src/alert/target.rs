//! Requests to addresses of the configuration: names are looked up once, every address is checked,
//! and the request goes to one of those.

use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use reqwest::{Client, Url, redirect::Policy};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use super::{
    AlertError, Network, SecretUrl,
    names::Names,
    network::{is_allowed, is_permitted},
};

/// How receivers are reached.
#[derive(Debug, Clone)]
pub struct Reach {
    /// Networks that they may be in though they are not public.
    pub allowed: Vec<Network>,
    /// The authority (PEM) that they are trusted by, if not the machine's own.
    pub ca: Option<PathBuf>,
    /// How long one may take, from the look-up of its name to its answer.
    pub patience: Duration,
    /// By which their names are looked up.
    pub names: Arc<dyn Names>,
}

/// An address that requests are sent to.
pub struct Target {
    url: Url,
    host: String,
    port: u16,
    reach: Reach,
    tls: ClientConfig,
}

impl Target {
    /// An address of that setting.
    ///
    /// # Errors
    /// [`AlertError::Setting`] if it is no address that could ever be used.
    pub fn new(key: &'static str, url: &SecretUrl, reach: &Reach) -> Result<Self, AlertError> {
        let wrong = |reason: &str| AlertError::setting(key, reason);
        let url = Url::parse(url.expose()).map_err(|_| wrong("it is no address (URL)"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("it does not begin with https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it contains a user or a password"));
        }
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(wrong("it has no host"));
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = tls(reach.ca.as_deref())?;
        Ok(Self { host, port, reach: reach.clone(), tls, url })
    }

    /// The address.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// A client for one request. It connects to the addresses that were checked, and follows no
    /// redirection.
    ///
    /// # Errors
    /// Why there is none, without names and addresses.
    pub async fn client(&self) -> Result<Client, String> {
        // A host that is an address, in any form that URLs have for it, is one here.
        let addresses: Vec<SocketAddr> = match self.host.parse::<IpAddr>() {
            Ok(address) => vec![(address, self.port).into()],
            Err(_) => {
                let found = self.reach.names.look_up(&self.host, self.port);
                let found = tokio::time::timeout(self.reach.patience, found).await;
                let found = found.map_err(|_| "its name is not found in time".to_owned())?;
                found.map_err(|_| "its name is not found".to_owned())?
            }
        };
        self.client_to(&addresses)
    }

    /// The same, when its name was looked up.
    fn client_to(&self, addresses: &[SocketAddr]) -> Result<Client, String> {
        if addresses.is_empty() {
            return Err("its name is not found".to_owned());
        }
        if !addresses.iter().all(|address| is_permitted(address.ip(), &self.reach.allowed)) {
            return Err("its address is not public, and `allow` in [alerts] does not name its \
                        network"
                .to_owned());
        }
        let is_local = |address: &SocketAddr| is_allowed(address.ip(), &self.reach.allowed);
        if self.url.scheme() == "http" && !addresses.iter().all(is_local) {
            return Err(
                "it is not https://, and `allow` in [alerts] does not name its network".to_owned()
            );
        }
        Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .resolve_to_addrs(&self.host, addresses)
            .redirect(Policy::none())
            .no_proxy()
            .http1_only()
            .pool_max_idle_per_host(0)
            .timeout(self.reach.patience)
            .user_agent(concat!("ebp/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| "TLS cannot be set up".to_owned())
    }
}

/// Trusts that authority, or whom the machine trusts.
fn tls(ca: Option<&Path>) -> Result<ClientConfig, AlertError> {
    use rustls_platform_verifier::BuilderVerifierExt;
    let wrong = |reason: String| AlertError::setting("ca", reason);
    let builder =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(error.to_string()))?;
    let builder = match ca {
        Some(path) => {
            let mut roots = RootCertStore::empty();
            let found =
                CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?;
            for certificate in found {
                let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
                roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(wrong("there is no certificate in it (PEM)".to_owned()));
            }
            builder.with_root_certificates(roots)
        }
        None => builder.with_platform_verifier().map_err(|error| wrong(error.to_string()))?,
    };
    Ok(builder.with_no_client_auth())
}

/// A failed request in words, with its causes and without its address.
pub fn describe(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "it does not answer in time".to_owned();
    }
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{super::names::SystemNames, *};

    fn target(url: &str, allowed: &[&str]) -> Result<Target, AlertError> {
        let allowed: Vec<Network> = allowed.iter().map(|text| text.parse().unwrap()).collect();
        let reach = Reach {
            allowed,
            ca: None,
            patience: Duration::from_secs(10),
            names: Arc::new(SystemNames),
        };
        Target::new("webhook", &SecretUrl::new(url), &reach)
    }

    async fn refusal(url: &str, allowed: &[&str]) -> Option<String> {
        target(url, allowed).unwrap().client().await.err()
    }

    #[tokio::test]
    async fn addresses_that_are_not_public_are_refused_in_every_form() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "017700000001",
            "0177.0.0.1",
            "0",
            "0.0.0.0",
            "10.0.0.1",
            "169.254.169.254",
            "2852039166",
            "192.168.0.1",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[0:0:0:0:0:ffff:a9fe:a9fe]",
            "[::127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[64:ff9b::a00:1]",
            "[64:ff9b:1::1]",
            "[2002:7f00:1::]",
            "[fe80::1]",
            "[fd00::1]",
            "localhost",
            "localhost.",
            "127.0.0.1.",
            "\u{ff11}27.0.0.1",
            "127\u{3002}0.0.1",
        ] {
            let refused = refusal(&format!("https://{host}/hook"), &[]).await;
            let refused = refused.unwrap_or_else(|| panic!("{host} is not refused"));
            assert!(
                refused.contains("not public") || refused.contains("not found"),
                "{host}: {refused}"
            );
        }
        assert_eq!(refusal("https://127.0.0.1/", &["127.0.0.0/8"]).await, None);
        assert_eq!(refusal("https://[::ffff:127.0.0.1]/", &["127.0.0.0/8"]).await, None);
        assert_eq!(refusal("https://1.1.1.1/", &[]).await, None);
    }

    #[test]
    fn one_address_that_is_not_public_is_enough_to_refuse_a_name() {
        let name = target("https://hook.example.org/", &[]).unwrap();
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        assert!(name.client_to(&addresses(&["1.1.1.1:443"])).is_ok());
        assert!(name.client_to(&addresses(&["1.1.1.1:443", "10.0.0.1:443"])).is_err());
        assert!(name.client_to(&[]).is_err());
        // Without TLS only where that was allowed.
        let name = target("http://hook.example.org/", &["10.0.0.0/8"]).unwrap();
        assert!(name.client_to(&addresses(&["1.1.1.1:80"])).is_err());
        assert!(name.client_to(&addresses(&["10.0.0.1:80"])).is_ok());
    }

    #[test]
    fn what_can_never_be_used_is_refused_at_the_start() {
        for (url, why) in [
            ("hook.example.org", "no address"),
            ("ftp://hook.example.org/", "https://"),
            ("file:///etc/passwd", "https://"),
            ("https://user:hunter2@hook.example.org/", "password"),
        ] {
            let error = target(url, &[]).err().unwrap().to_string();
            assert!(error.contains(why) && error.contains("`webhook`"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
