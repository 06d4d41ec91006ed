//! How servers of one survey trust each other: by certificates of their authority that say so, at
//! whatever address. Addresses of servers come and go, and no certificate could name them.

use std::{path::Path, sync::Arc};

use ebp_client::server_rule::{RuleVerifier, ServerRule, ShownChain};
use ebp_core::clock::Clock;
use rustls::{
    CertificateError, ClientConfig, Error, RootCertStore,
    client::verify_server_cert_signed_by_trust_anchor,
    crypto::{CryptoProvider, ring},
    server::ParsedCertificate,
};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};

use crate::auth::{Holder, OwnCertificate, TlsError, certificates, server_time};

/// The configuration by which a server asks others: with its own certificate.
///
/// # Errors
/// If a file cannot be used.
pub(crate) fn client_config(
    authority: &Path,
    certificate: &Path,
    key: &Path,
    clock: Arc<dyn Clock>,
) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    for root in certificates(authority)? {
        roots.add(root).map_err(|error| TlsError::Root(error.into()))?;
    }
    let verifier = Arc::new(RuleVerifier::new(OwnServers(roots), provider.clone()));
    let private_key = PrivateKeyDer::from_pem_file(key)
        .map_err(|source| TlsError::Pem { path: key.to_owned(), source })?;
    let config = ClientConfig::builder_with_details(provider, server_time(clock))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_auth_cert(certificates(certificate)?, private_key)?;
    Ok(Arc::new(config))
}

/// Accepts certificates of the authority that say that they are a server's.
#[derive(Debug)]
struct OwnServers(RootCertStore);

impl ServerRule for OwnServers {
    fn require(&self, shown: ShownChain<'_>, provider: &Arc<CryptoProvider>) -> Result<(), Error> {
        let ShownChain { end_entity, intermediates, now, .. } = shown;
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(end_entity)?,
            &self.0,
            intermediates,
            now,
            provider.signature_verification_algorithms.all,
        )?;
        match OwnCertificate::parse(end_entity) {
            Some(OwnCertificate { holder: Holder::Server, .. }) => Ok(()),
            _ => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }
}
