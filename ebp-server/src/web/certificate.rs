//! The certificate that browsers are shown, read again as its files change.

use std::{
    fmt, fs,
    path::Path,
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

use crate::{
    auth::{TlsError, certificates},
    web_settings::WebCertificate,
};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(10);

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

/// Reads the files again as they change.
async fn look(files: WebCertificate, mut stamp: Stamp, current: Weak<Current>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(current) = current.upgrade() else { return };
        look_once(&files, &mut stamp, &current);
    }
}

/// What cannot be used leaves the certificate of before.
fn look_once(files: &WebCertificate, stamp: &mut Stamp, current: &Current) {
    let now = files.stamp();
    if now == *stamp {
        return;
    }
    match files.load() {
        Ok(key) => {
            *current.0.write().unwrap_or_else(PoisonError::into_inner) = key;
            *stamp = now;
            tracing::info!("the pages' certificate was read again");
        }
        // Both files are seldom replaced at the same instant: it is tried again.
        Err(error) => tracing::warn!(%error, "the pages' certificate of before stays"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn write(files: &WebCertificate, name: &str) {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        fs::write(&files.certificate, made.cert.pem()).unwrap();
        fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        fs::set_permissions(&files.key, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn shown(current: &Current) -> Vec<u8> {
        current.0.read().unwrap().cert[0].to_vec()
    }

    #[test]
    fn another_certificate_is_shown_and_what_cannot_be_used_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let [certificate, key] = ["web.pem", "web.key"].map(|name| folder.path().join(name));
        let files = WebCertificate { certificate, key };
        assert!(files.load().is_err(), "there is none yet");
        write(&files, "first.example");
        let mut stamp = files.stamp();
        let current = Current(RwLock::new(files.load().unwrap()));
        let first = shown(&current);
        look_once(&files, &mut stamp, &current);
        assert_eq!(shown(&current), first);
        fs::write(&files.certificate, "no certificate").unwrap();
        look_once(&files, &mut stamp, &current);
        assert_eq!(shown(&current), first, "what cannot be used is not shown");
        write(&files, "a-second-name.example");
        look_once(&files, &mut stamp, &current);
        assert_ne!(shown(&current), first);
        // A key that others may read is not used.
        fs::set_permissions(&files.key, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(files.load(), Err(TlsError::Exposed(_))));
    }
}
