//! Which server a client without a certificate trusts: one with a certificate of a known authority,
//! or of an authority with a known fingerprint.

use std::{
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use ring::digest::{SHA256, digest};
use rustls::{
    CertificateError, ClientConfig, Error, OtherError, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::{CryptoProvider, ring as provider},
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::{
    identity,
    server_rule::{RuleVerifier, ServerRule, ShownChain},
};
use ebp_core::clock::Clock;

/// How the server is trusted.
#[derive(Debug, Clone)]
pub enum Trust {
    /// The authority's certificate (PEM).
    Authority(String),
    /// The SHA-256 of the authority's certificate. The server sends the certificate itself.
    Fingerprint([u8; 32]),
}

/// A text that is not a fingerprint.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a fingerprint has 64 hexadecimal digits, with or without colons")]
pub struct InvalidFingerprint;

/// Reads a fingerprint: 64 hexadecimal digits, with or without colons, as `ebp ca init` and
/// `openssl x509 -fingerprint -sha256` print it.
impl FromStr for Trust {
    type Err = InvalidFingerprint;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let digits: Vec<u8> = s.bytes().filter(|b| *b != b':').collect();
        if digits.len() != 64 {
            return Err(InvalidFingerprint);
        }
        let mut fingerprint = [0; 32];
        for (octet, pair) in fingerprint.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).ok().filter(|p| !p.starts_with('+'));
            *octet = pair
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                .ok_or(InvalidFingerprint)?;
        }
        Ok(Self::Fingerprint(fingerprint))
    }
}

impl Trust {
    /// The SHA-256 of the authority's certificate, as `ebp ca init` prints it.
    ///
    /// # Errors
    /// Returns an error if the authority's file contains no certificate.
    pub fn fingerprint(&self) -> Result<String, Error> {
        match self {
            Self::Fingerprint(octets) => Ok(fingerprint(octets)),
            Self::Authority(pem) => CertificateDer::from_pem_slice(pem.as_bytes())
                .map(|certificate| fingerprint(&sha256(&certificate)))
                .map_err(|error| Error::General(error.to_string())),
        }
    }

    /// A client's TLS configuration, and a cell that has the authority's certificate once a
    /// connection was made.
    pub(super) fn client_config(
        &self,
        clock: Arc<dyn Clock>,
    ) -> Result<(ClientConfig, Arc<Shown>), Error> {
        let provider: Arc<CryptoProvider> = Arc::new(provider::default_provider());
        let builder =
            ClientConfig::builder_with_details(provider.clone(), identity::clock_time(clock))
                .with_safe_default_protocol_versions()?;
        let shown = Arc::new(Shown::default());
        let config = match self {
            Self::Authority(pem) => {
                let mut roots = RootCertStore::empty();
                for root in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                    let root = root.map_err(|e| Error::General(e.to_string()))?;
                    roots.add(root.clone())?;
                    shown.add(root);
                }
                builder.with_root_certificates(roots).with_no_client_auth()
            }
            Self::Fingerprint(fingerprint) => {
                let rule = Pinned { fingerprint: *fingerprint, shown: shown.clone() };
                let verifier = RuleVerifier::new(rule, provider);
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(verifier))
                    .with_no_client_auth()
            }
        };
        Ok((config, shown))
    }
}

/// The certificates of the authorities that are trusted.
#[derive(Debug, Default)]
pub(super) struct Shown(Mutex<Vec<CertificateDer<'static>>>);

impl Shown {
    fn add(&self, certificate: CertificateDer<'static>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(&certificate) {
            known.push(certificate);
        }
    }

    /// Those that are known: of a fingerprint once the server has sent its own.
    pub fn get(&self) -> Vec<CertificateDer<'static>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Trusts the authority with that fingerprint, whose certificate the server has to send, and
/// verifies the server's certificate with it like any other: name, validity, signature.
struct Pinned {
    fingerprint: [u8; 32],
    shown: Arc<Shown>,
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pinned")
    }
}

/// The server's authority is another one than the one with the fingerprint.
#[derive(Debug, thiserror::Error)]
#[error("its authority's fingerprint is {}", fingerprint(.0))]
pub(super) struct OtherAuthority([u8; 32]);

/// As `ebp ca init` prints it.
fn fingerprint(octets: &[u8; 32]) -> String {
    octets.map(|octet| format!("{octet:02x}")).join(":")
}

/// The certificate that the server sends instead: the last in its chain.
fn other_authority(shown: &[CertificateDer<'_>]) -> Error {
    let Some(authority) = shown.last() else {
        return Error::InvalidCertificate(CertificateError::UnknownIssuer);
    };
    CertificateError::Other(OtherError(Arc::new(OtherAuthority(sha256(authority))))).into()
}

fn sha256(octets: &[u8]) -> [u8; 32] {
    let mut sum = [0; 32];
    sum.copy_from_slice(digest(&SHA256, octets).as_ref());
    sum
}

impl ServerRule for Pinned {
    fn require(&self, shown: ShownChain<'_>, provider: &Arc<CryptoProvider>) -> Result<(), Error> {
        let ShownChain { end_entity, intermediates, name, now } = shown;
        let authority = intermediates
            .iter()
            .find(|shown| sha256(shown) == self.fingerprint)
            .ok_or_else(|| other_authority(intermediates))?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone())
            .build()
            .map_err(|e| Error::General(e.to_string()))?
            .verify_server_cert(end_entity, intermediates, name, &[], now)?;
        self.shown.add(authority.clone().into_owned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints() {
        let plain = "0f".repeat(32);
        assert!(matches!(plain.parse(), Ok(Trust::Fingerprint([0x0f, ..]))));
        let colons = vec!["0F"; 32].join(":");
        assert!(matches!(colons.parse(), Ok(Trust::Fingerprint([0x0f, ..]))));
        for wrong in ["", "0f", &"+f".repeat(32), &"é".repeat(32), &"0f".repeat(33)] {
            assert!(wrong.parse::<Trust>().is_err(), "{wrong}");
        }
    }

    /// The fingerprint that `ebp ca init` prints, the one that is typed and the one of the
    /// certificate are equal.
    #[test]
    fn the_fingerprint_is_that_of_the_authoritys_certificate() {
        let octets: Vec<String> = (0..32_u8).map(|octet| format!("{octet:02X}")).collect();
        let typed: Trust = octets.join(":").parse().unwrap();
        let shown = typed.fingerprint().unwrap();
        assert_eq!(shown, octets.join(":").to_lowercase());
        assert_eq!(shown.parse::<Trust>().unwrap().fingerprint().unwrap(), shown);

        let issued = rcgen::generate_simple_self_signed(["ebp".into()]).unwrap();
        let authority = Trust::Authority(issued.cert.pem());
        let expected = Trust::Fingerprint(sha256(issued.cert.der()));
        assert_eq!(authority.fingerprint().unwrap(), expected.fingerprint().unwrap());
        // The first of several, which is the authority's own.
        let other = rcgen::generate_simple_self_signed(["other".into()]).unwrap();
        let both = Trust::Authority(issued.cert.pem() + &other.cert.pem());
        assert_eq!(both.fingerprint().unwrap(), expected.fingerprint().unwrap());
        for none in ["", "no certificate", &issued.signing_key.serialize_pem()] {
            assert!(Trust::Authority(none.to_owned()).fingerprint().is_err(), "{none}");
        }
    }
}
