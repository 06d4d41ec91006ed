//! The server's side of mutual TLS.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ebp_core::clock::Clock;
use rustls::{
    RootCertStore, ServerConfig, crypto::ring, server::WebPkiClientVerifier,
    time_provider::TimeProvider,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject};

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file is missing or holds no certificate or key in PEM.
    #[error("cannot use {}: {source}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls_pki_types::pem::Error,
    },
    /// The authority's certificate cannot be a root of trust.
    #[error("the authority's certificate cannot be used: {0}")]
    Root(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Certificate and key do not fit, or are of a kind that cannot be used.
    #[error("the server's certificate cannot be used: {0}")]
    Certificate(#[from] rustls::Error),
}

/// The configuration of a server that trusts the clients of one authority.
///
/// Sessions are resumed by tickets (TLS 1.3 and 1.2), which carry the client's certificate
/// encrypted; no state is kept for them.
///
/// # Errors
/// If a file cannot be used.
pub fn server_config(
    authority: &Path,
    certificate: &Path,
    key: &Path,
    clock: Arc<dyn Clock>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    for root in certificates(authority)? {
        roots.add(root).map_err(|error| TlsError::Root(error.into()))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
        .allow_unauthenticated()
        .build()
        .map_err(|error| TlsError::Root(error.into()))?;
    let private_key = PrivateKeyDer::from_pem_file(key)
        .map_err(|source| TlsError::Pem { path: key.to_owned(), source })?;
    let mut config = ServerConfig::builder_with_details(provider, Arc::new(Time(clock)))
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificates(certificate)?, private_key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.ticketer = ring::Ticketer::new()?;
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|source| TlsError::Pem { path: path.to_owned(), source })
}

/// The server's clock as rustls asks for it.
struct Time(Arc<dyn Clock>);

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Time")
    }
}
