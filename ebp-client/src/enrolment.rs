//! A device's key, and requests for certificates.
//!
//! The key is generated here and never sent: the server receives a request that is signed with it.

use std::fmt;

use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
use reqwest::Method;
use rustls::pki_types::{CertificateDer, pem::PemObject};

use crate::{Client, ClientError, ClientOptions, Trust, client::set_up};
use ebp_core::contract::{
    DeviceCertificate, EnrollRequest, FrontendRequest, RenewRequest, SignIn, paths,
};

/// The type of a device's key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA on the curve P-256.
    #[default]
    P256,
    /// Ed25519.
    Ed25519,
}

/// A device's private key. `Debug` does not show it.
pub struct DeviceKey(KeyPair);

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceKey(redacted)")
    }
}

/// The key cannot be made, read or used.
#[derive(Debug, thiserror::Error)]
#[error("the device's key cannot be used: {0}")]
pub struct KeyError(#[from] rcgen::Error);

impl DeviceKey {
    /// Generates a key.
    ///
    /// # Errors
    /// Returns an error if the operating system provides no random numbers.
    pub fn generate(kind: KeyKind) -> Result<Self, KeyError> {
        let algorithm = match kind {
            KeyKind::P256 => &PKCS_ECDSA_P256_SHA256,
            KeyKind::Ed25519 => &PKCS_ED25519,
        };
        Ok(Self(KeyPair::generate_for(algorithm)?))
    }

    /// Reads one (PEM, PKCS#8).
    ///
    /// # Errors
    /// Returns an error if the text is invalid.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Ok(Self(KeyPair::from_pem(pem)?))
    }

    /// The key (PEM, PKCS#8), for its file.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.0.serialize_pem()
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        if self.0.algorithm() == &PKCS_ED25519 { KeyKind::Ed25519 } else { KeyKind::P256 }
    }

    /// A request for a certificate (PKCS#10, PEM). It contains no name: the server knows which
    /// device it is for.
    fn request(&self) -> Result<String, KeyError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        Ok(params.serialize_request(&self.0)?.pem()?)
    }
}

/// The result of enrolment.
#[derive(Debug)]
pub struct Enrolled {
    /// The device's certificate.
    pub certificate: DeviceCertificate,
    /// The certificates (PEM) of those authorities that were trusted: two while one follows the other.
    pub authority: String,
}

/// Gets the device's first certificate for a one-time token, and that of its page if there is a key
/// for it. If the answer is lost, the request may be repeated with the same keys. A server of an
/// older version gives none for the page.
///
/// # Errors
/// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status 401 if
/// the token is unknown, used or expired.
pub fn enroll(
    base_url: &str,
    trust: &Trust,
    token: &str,
    key: &DeviceKey,
    frontend: Option<&DeviceKey>,
    options: ClientOptions,
) -> Result<Enrolled, ClientError> {
    let failed = |reason: String| set_up(base_url, reason);
    let csr = key.request().map_err(|e| failed(e.to_string()))?;
    let frontend_csr =
        frontend.map(DeviceKey::request).transpose().map_err(|e| failed(e.to_string()))?;
    let (tls, authority) =
        trust.client_config(options.clock.clone()).map_err(|e| failed(e.to_string()))?;
    let client = Client::with_tls(base_url, tls, None, options)?;
    let ask = |frontend_csr: Option<String>| {
        let body = EnrollRequest { token: token.to_owned(), csr: csr.clone(), frontend_csr };
        let request = client.request(Method::POST, paths::ENROLL).json(&body);
        client.answer::<DeviceCertificate>(paths::ENROLL, request)
    };
    let certificate = match ask(frontend_csr.clone()) {
        // An older server knows no second request. It refuses it before it looks at the token.
        Err(ClientError::Problem { status: 400, .. }) if frontend_csr.is_some() => ask(None)?,
        answer => answer?,
    };
    let authority = authorities_in(&certificate.chain, &authority.get()).ok_or_else(|| {
        ClientError::Garbled {
            server: base_url.to_owned(),
            path: paths::ENROLL.to_owned(),
            reason: "the certificate is not of the authority that is trusted".to_owned(),
        }
    })?;
    Ok(Enrolled { certificate, authority })
}

impl Client {
    /// The device's next certificate, for that key.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    pub fn renew(&self, key: &DeviceKey) -> Result<DeviceCertificate, ClientError> {
        let csr = key.request().map_err(|e| set_up(&self.server, e.to_string()))?;
        let request = self.request(Method::POST, paths::RENEW).json(&RenewRequest { csr });
        self.answer(paths::RENEW, request)
    }
}

impl Client {
    /// The first certificate of the device's page, for that key; or a further one, if that is lost.
    /// The client has to have the device's own certificate.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status 404
    /// if it is of an older version.
    pub fn frontend(&self, key: &DeviceKey) -> Result<DeviceCertificate, ClientError> {
        let csr = key.request().map_err(|e| set_up(&self.server, e.to_string()))?;
        let request = self.request(Method::POST, paths::DEVICE_FRONTEND);
        self.answer(paths::DEVICE_FRONTEND, request.json(&FrontendRequest { csr }))
    }

    /// By what the sign-in code for the device's page is verified.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status 404
    /// if it is of an older version.
    pub fn sign_in(&self) -> Result<SignIn, ClientError> {
        self.get(paths::DEVICE_SIGN_IN)
    }
}

/// Those certificates (PEM) behind the chain's first one that are of trusted authorities; none if there
/// are none.
fn authorities_in(chain: &str, trusted: &[CertificateDer<'_>]) -> Option<String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    // Before the first certificate stands nothing, or a comment.
    let behind = chain.split(BEGIN).skip(2).map(|rest| format!("{BEGIN}{rest}"));
    let is_trusted = |pem: &String| {
        CertificateDer::from_pem_slice(pem.as_bytes()).is_ok_and(|der| trusted.contains(&der))
    };
    let known: String = behind.filter(is_trusted).collect();
    (!known.is_empty()).then_some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// While one authority follows the other, servers name both behind each certificate.
    #[test]
    fn a_device_keeps_the_authorities_that_it_trusts_and_no_other() {
        let [leaf, old, new] = ["leaf", "old", "new"].map(|name| {
            let key = KeyPair::generate().unwrap();
            let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap();
            certificate.self_signed(&key).unwrap()
        });
        let pem = |certificates: &[&rcgen::Certificate]| -> String {
            certificates.iter().map(|one| one.pem()).collect()
        };
        let chain = pem(&[&leaf, &old, &new]);
        let kept = |trusted: &[&rcgen::Certificate]| {
            let trusted: Vec<_> = trusted.iter().map(|one| one.der().clone()).collect();
            authorities_in(&chain, &trusted)
        };
        assert_eq!(kept(&[&old]), Some(pem(&[&old])));
        assert_eq!(kept(&[&new]), Some(pem(&[&new])));
        assert_eq!(kept(&[&new, &old]), Some(pem(&[&old, &new])));
        // The device's own certificate is no authority.
        assert_eq!(kept(&[&leaf]), None);
        assert_eq!(kept(&[]), None);
    }
}
