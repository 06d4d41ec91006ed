//! The TLS configuration of an output's connection: its own authority, or those of the machine.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;

use crate::error::PublishError;

/// The authorities' certificates in a file.
fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, PublishError> {
    let fault = |reason: String| PublishError::Authority { path: path.to_owned(), reason };
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| fault(error.to_string()))?;
    if certificates.is_empty() {
        return Err(fault("no certificate in PEM".to_owned()));
    }
    Ok(certificates)
}

/// Trusts the authorities of that file only, or those of the machine.
pub(crate) fn client_config(authority: Option<&Path>) -> Result<ClientConfig, PublishError> {
    let fault = |error: rustls::Error| PublishError::Authority {
        path: authority.unwrap_or(Path::new("the machine's authorities")).to_owned(),
        reason: error.to_string(),
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(fault)?;
    let Some(path) = authority else {
        return Ok(builder.with_platform_verifier().map_err(fault)?.with_no_client_auth());
    };
    let mut roots = RootCertStore::empty();
    for certificate in authorities(path)? {
        roots.add(certificate).map_err(fault)?;
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
