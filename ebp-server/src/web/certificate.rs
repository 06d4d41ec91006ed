//! The certificate that browsers are shown, read again as its files change.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock, Weak},
    time::{Duration, SystemTime},
};

use ebp_core::private_file;
use rustls::{
    ServerConfig,
    crypto::ring,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};

use crate::auth::{TlsError, certificates};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// The files of a certificate that browsers trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebCertificate {
    /// The certificate chain (PEM).
    pub certificate: PathBuf,
    /// Its private key (PEM).
    pub key: PathBuf,
}

/// When files were changed last, and how long they are.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl WebCertificate {
    fn load(&self) -> Result<Arc<CertifiedKey>, TlsError> {
        if let Some(exposed) = private_file::exposure(&self.key) {
            return Err(exposed.into());
        }
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|source| TlsError::Pem { path: self.key.clone(), source })?;
        let chain = certificates(&self.certificate)?;
        Ok(Arc::new(CertifiedKey::from_der(chain, key, &ring::default_provider())?))
    }

    fn stamp(&self) -> Stamp {
        let stamp = |path: &Path| {
            let metadata = fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        [stamp(&self.certificate), stamp(&self.key)]
    }
}

/// The certificate as it was read last.
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

/// TLS with that certificate and without any of clients.
///
/// # Errors
/// If a file cannot be used.
pub fn server_config(files: &WebCertificate) -> Result<Arc<ServerConfig>, TlsError> {
    let stamp = files.stamp();
    let current = Arc::new(Current(RwLock::new(files.load()?)));
    tokio::spawn(look(files.clone(), stamp, Arc::downgrade(&current)));
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(current);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Reads the files again as they change. What cannot be used leaves the certificate of before.
async fn look(files: WebCertificate, mut stamp: Stamp, current: Weak<Current>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(current) = current.upgrade() else { return };
        let now = files.stamp();
        if now == stamp {
            continue;
        }
        match files.load() {
            Ok(key) => {
                *current.0.write().unwrap_or_else(PoisonError::into_inner) = key;
                stamp = now;
                tracing::info!("the pages' certificate was read again");
            }
            // Both files are seldom replaced at the same instant: it is tried again.
            Err(error) => tracing::warn!(%error, "the pages' certificate of before stays"),
        }
    }
}
