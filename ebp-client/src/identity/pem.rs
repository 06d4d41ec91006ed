//! An identity loaded from PEM files, and the TLS configurations made of it.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject},
    time_provider::TimeProvider,
};
use uuid::Uuid;
use x509_parser::extensions::GeneralName;

use ebp_core::{
    clock::Clock,
    private_file::{self, Exposed},
};

/// A certificate chain, its private key and the authority's certificates. `Debug` shows none of them.
pub struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    roots: RootCertStore,
}

/// Why an identity cannot be used; every variant names the file.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Users other than its owner may read or write the private key.
    #[error("the private key: {0}")]
    KeyExposed(#[from] Exposed),
    /// The file contains no certificate in PEM.
    #[error("{path} contains no certificate in PEM", path = path.display())]
    NoCertificate {
        /// Which.
        path: PathBuf,
    },
    /// The file contains no private key in PEM.
    #[error("{path} contains no private key in PEM", path = path.display())]
    NoKey {
        /// Which.
        path: PathBuf,
    },
    /// The certificate or the key cannot be used, or one does not belong to the other.
    #[error(
        "the certificate {certificate} and the key {key} cannot be used together: {source}",
        certificate = certificate.display(), key = key.display()
    )]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The authority's certificate cannot be used.
    #[error("the authority's certificate {path} cannot be used: {source}", path = path.display())]
    Authority {
        /// Which.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

impl Identity {
    /// Loads the certificate (with the intermediate ones after it, if any), its private key and the
    /// authority's certificates.
    ///
    /// # Errors
    /// Returns [`IdentityError`] if a file cannot be read or parsed, if the key does not belong to
    /// the certificate, or if anybody but its owner can read the key.
    pub fn load(certificate: &Path, key: &Path, authority: &Path) -> Result<Self, IdentityError> {
        let (identity, exposed) = Self::load_anyway(certificate, key, authority)?;
        exposed.map_or(Ok(identity), |exposed| Err(exposed.into()))
    }

    /// Loads an identity even if others may read the key: for a process that is running already,
    /// and for renewals, whose new key is private again. The caller prints the returned warning.
    ///
    /// # Errors
    /// Returns [`IdentityError`] if a file cannot be read or parsed, or if the key does not belong
    /// to the certificate.
    pub fn load_anyway(
        certificate: &Path,
        key: &Path,
        authority: &Path,
    ) -> Result<(Self, Option<Exposed>), IdentityError> {
        let chain = certificates(certificate)?;
        let (private, exposed) = private_key(key)?;
        let mut roots = RootCertStore::empty();
        for root in certificates(authority)? {
            roots.add(root).map_err(|source| IdentityError::Authority {
                path: authority.to_owned(),
                source,
            })?;
        }
        let identity = Self { chain, key: private, roots };
        // Built once here, so that the error names the files if they do not match.
        identity.tls(Arc::new(NoTime)).map_err(|source| IdentityError::Unusable {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            source,
        })?;
        Ok((identity, exposed))
    }

    /// The configuration of a client that authenticates with this identity and trusts only this
    /// authority.
    ///
    /// # Errors
    /// Returns an error if the key does not belong to the certificate.
    pub fn client_config(&self, clock: Arc<dyn Clock>) -> Result<ClientConfig, rustls::Error> {
        self.tls(clock_time(clock))
    }

    /// The configuration of a client that trusts only this authority, and sends no certificate.
    ///
    /// # Errors
    /// Returns an error if the TLS library supports none of the protocol versions.
    pub(crate) fn anonymous_config(
        &self,
        clock: Arc<dyn Clock>,
    ) -> Result<ClientConfig, rustls::Error> {
        let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
        Ok(ClientConfig::builder_with_details(provider, clock_time(clock))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth())
    }

    /// The certificate itself (DER).
    pub(crate) fn certificate(&self) -> &[u8] {
        self.chain.first().map_or(&[], |certificate| certificate.as_ref())
    }

    fn tls(&self, time: Arc<dyn TimeProvider>) -> Result<ClientConfig, rustls::Error> {
        let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
        ClientConfig::builder_with_details(provider, time)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(self.roots.clone())
            .with_client_auth_cert(self.chain.clone(), self.key.clone_key())
    }
}

/// The device that a certificate's file (PEM) names: the `urn:uuid:` among its names. `None` if
/// there is none, as in a participant's certificate.
#[must_use]
pub fn device_of(certificate: &Path) -> Option<Uuid> {
    let chain = certificates(certificate).ok()?;
    let (_, certificate) = x509_parser::parse_x509_certificate(chain.first()?).ok()?;
    let names = certificate.subject_alternative_name().ok()??;
    names.value.general_names.iter().find_map(|name| match name {
        GeneralName::URI(uri) => uri.strip_prefix("urn:uuid:")?.parse().ok(),
        _ => None,
    })
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(redacted)")
    }
}

/// The clock against which certificates' validity is checked.
struct ClockTime(Arc<dyn Clock>);

impl fmt::Debug for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClockTime")
    }
}

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        let since_epoch = self.0.now().duration_since(jiff::Timestamp::UNIX_EPOCH);
        Some(UnixTime::since_unix_epoch(since_epoch.try_into().ok()?))
    }
}

/// The clock as rustls needs it.
pub(crate) fn clock_time(clock: Arc<dyn Clock>) -> Arc<dyn TimeProvider> {
    Arc::new(ClockTime(clock))
}

/// For a configuration that no connection is made with.
#[derive(Debug)]
struct NoTime;

impl TimeProvider for NoTime {
    fn current_time(&self) -> Option<UnixTime> {
        None
    }
}

fn read(path: &Path) -> Result<Vec<u8>, IdentityError> {
    fs::read(path).map_err(|source| IdentityError::Read { path: path.to_owned(), source })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    CertificateDer::pem_slice_iter(&read(path)?)
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .filter(|certificates| !certificates.is_empty())
        .ok_or_else(|| IdentityError::NoCertificate { path: path.to_owned() })
}

fn private_key(path: &Path) -> Result<(PrivateKeyDer<'static>, Option<Exposed>), IdentityError> {
    let (pem, exposed) = private_file::read_anyway(path)
        .map_err(|source| IdentityError::Read { path: path.to_owned(), source })?;
    let key = PrivateKeyDer::from_pem_slice(&pem);
    Ok((key.map_err(|_| IdentityError::NoKey { path: path.to_owned() })?, exposed))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Files {
        dir: tempfile::TempDir,
    }

    impl Files {
        fn new() -> Self {
            let files = Self { dir: tempfile::tempdir().unwrap() };
            for name in ["a", "b"] {
                let issued = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
                files.write(&format!("{name}.pem"), &issued.cert.pem(), 0o644);
                files.write(&format!("{name}.key"), &issued.signing_key.serialize_pem(), 0o600);
            }
            files
        }

        fn write(&self, name: &str, content: &str, mode: u32) {
            let path = self.path(name);
            fs::write(&path, content).unwrap();
            let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
            fs::set_permissions(path, permissions).unwrap();
        }

        fn path(&self, name: &str) -> PathBuf {
            self.dir.path().join(name)
        }

        fn load(&self, certificate: &str, key: &str, ca: &str) -> Result<Identity, IdentityError> {
            Identity::load(&self.path(certificate), &self.path(key), &self.path(ca))
        }
    }

    #[test]
    fn an_identity_hides_itself() {
        let files = Files::new();
        let identity = files.load("a.pem", "a.key", "b.pem").unwrap();
        assert_eq!(format!("{identity:?}"), "Identity(redacted)");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let files = Files::new();
        files.write("empty.pem", "", 0o600);
        files.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n", 0o600);
        files.write(
            "nonsense.pem",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            0o600,
        );
        let error = |certificate, key, ca| files.load(certificate, key, ca).unwrap_err();
        assert!(matches!(error("c.pem", "a.key", "a.pem"), IdentityError::Read { .. }));
        for bad in ["empty.pem", "broken.pem", "a.key"] {
            assert!(matches!(error(bad, "a.key", "a.pem"), IdentityError::NoCertificate { .. }));
            assert!(matches!(error("a.pem", "a.key", bad), IdentityError::NoCertificate { .. }));
        }
        assert!(matches!(error("a.pem", "empty.pem", "a.pem"), IdentityError::NoKey { .. }));
        assert!(matches!(error("a.pem", "a.key", "nonsense.pem"), IdentityError::Authority { .. }));
        assert!(matches!(error("a.pem", "b.key", "a.pem"), IdentityError::Unusable { .. }));
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_remedy() {
        let files = Files::new();
        for mode in [0o640, 0o604, 0o660, 0o644] {
            files.write("open.key", &fs::read_to_string(files.path("a.key")).unwrap(), mode);
            let error = files.load("a.pem", "open.key", "a.pem").unwrap_err();
            assert!(matches!(error, IdentityError::KeyExposed(_)), "{error:?}");
            let remedy = format!("chmod 600 {}", files.path("open.key").display());
            assert!(error.to_string().ends_with(&remedy), "{error}");
            let paths = ["a.pem", "open.key", "a.pem"].map(|name| files.path(name));
            let [certificate, key, ca] = &paths;
            let (_, exposed) = Identity::load_anyway(certificate, key, ca).unwrap();
            assert!(exposed.is_some(), "{mode:o}");
        }
    }
}
