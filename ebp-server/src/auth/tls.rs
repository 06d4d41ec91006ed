//! The server's side of mutual TLS.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ebp_core::{
    clock::Clock,
    private_file::{self, Exposed},
};
use rustls::{
    CipherSuite, RootCertStore, ServerConfig, crypto::ring, server::WebPkiClientVerifier,
    time_provider::TimeProvider,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject};

use super::ticket::SmallTickets;

/// As strong as the keys of the certificates and of the key exchange (128 bits).
const PREFERRED: CipherSuite = CipherSuite::TLS13_AES_128_GCM_SHA256;

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
    /// Others than its owner may use the private key.
    #[error("the server's private key: {0}")]
    Exposed(#[from] Exposed),
    /// The authority's certificate cannot be a root of trust.
    #[error("the authority's certificate cannot be used: {0}")]
    Root(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Certificate and key do not fit, or are of a kind that cannot be used.
    #[error("the server's certificate cannot be used: {0}")]
    Certificate(#[from] rustls::Error),
    /// Memory is short.
    #[error("tickets of sessions cannot be packed: {0}")]
    Tickets(#[source] std::io::Error),
}

/// The configuration of a server that trusts the clients of one authority.
///
/// Sessions are resumed by tickets (TLS 1.3 and 1.2), which carry the client's certificate
/// packed and encrypted; no state is kept for them.
///
/// # Errors
/// If a file cannot be used.
pub fn server_config(
    authority: &Path,
    certificate: &Path,
    key: &Path,
    clock: Arc<dyn Clock>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let mut provider = ring::default_provider();
    // Before those of SHA-384, which few processors do in hardware: a twelfth of a handshake.
    provider.cipher_suites.sort_by_key(|suite| suite.suite() != PREFERRED);
    let provider = Arc::new(provider);
    let mut roots = RootCertStore::empty();
    for root in certificates(authority)? {
        roots.add(root).map_err(|error| TlsError::Root(error.into()))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
        .allow_unauthenticated()
        .build()
        .map_err(|error| TlsError::Root(error.into()))?;
    if let Some(exposed) = private_file::exposure(key) {
        return Err(exposed.into());
    }
    let private_key = PrivateKeyDer::from_pem_file(key)
        .map_err(|source| TlsError::Pem { path: key.to_owned(), source })?;
    let chain = certificates(certificate)?;
    let known = [certificates(authority)?, chain.clone()].concat();
    let mut config = ServerConfig::builder_with_details(provider, Arc::new(Time(clock)))
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, private_key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.ignore_client_order = true;
    let tickets = SmallTickets::new(ring::Ticketer::new()?, &known).map_err(TlsError::Tickets)?;
    config.ticketer = Arc::new(tickets);
    // A device has one connection at a time, and each brings the ticket for the next.
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|source| TlsError::Pem { path: path.to_owned(), source })
}

/// That clock as rustls asks for it.
pub(crate) fn server_time(clock: Arc<dyn Clock>) -> Arc<dyn TimeProvider> {
    Arc::new(Time(clock))
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
