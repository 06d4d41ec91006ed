//! Of which kind the key of a certificate request is.

use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ED25519, SignatureAlgorithm};
use x509_parser::{
    asn1_rs::Oid,
    certification_request::X509CertificationRequest,
    oid_registry::{
        OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_NIST_EC_P521,
        OID_PKCS1_RSAENCRYPTION, OID_SIG_ED25519,
    },
    prelude::FromDer,
    x509::SubjectPublicKeyInfo,
};

/// The octets of a public key on P-256: the mark of an uncompressed point, and its coordinates.
const P256_OCTETS: usize = 65;

/// The algorithm by which a request for that key is signed, or else the name of the key's kind.
/// Nothing if it is no request.
pub fn kind(pem: &str) -> Option<Result<&'static SignatureAlgorithm, &'static str>> {
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).ok()?;
    let (_, request) = X509CertificationRequest::from_der(&pem.contents).ok()?;
    let key = &request.certification_request_info.subject_pki;
    let algorithm = &key.algorithm.algorithm;
    if *algorithm == OID_SIG_ED25519 {
        return Some(Ok(&PKCS_ED25519));
    }
    if *algorithm == OID_PKCS1_RSAENCRYPTION {
        return Some(Err("RSA"));
    }
    if *algorithm != OID_KEY_TYPE_EC_PUBLIC_KEY {
        return Some(Err("another kind"));
    }
    Some(match curve(key) {
        Some(curve) if curve == OID_EC_P256 => match &*key.subject_public_key.data {
            [4, ..] if key.subject_public_key.data.len() == P256_OCTETS => {
                Ok(&PKCS_ECDSA_P256_SHA256)
            }
            _ => Err("ECDSA with a point that is not uncompressed"),
        },
        Some(curve) if curve == OID_NIST_EC_P384 => Err("ECDSA P-384"),
        Some(curve) if curve == OID_NIST_EC_P521 => Err("ECDSA P-521"),
        _ => Err("ECDSA on another curve"),
    })
}

fn curve<'a>(key: &'a SubjectPublicKeyInfo<'_>) -> Option<Oid<'a>> {
    key.algorithm.parameters.as_ref()?.as_oid().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by OpenSSL: `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:secp384r1 -sha256`.
    /// It is signed as a request for a key on P-256 is.
    const P384_BY_SHA256: &str = include_str!("p384-sha256.csr.pem");

    #[test]
    fn the_key_decides_and_not_how_it_is_signed() {
        let of = |algorithm| {
            let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
            let request = rcgen::CertificateParams::default().serialize_request(&key).unwrap();
            kind(&request.pem().unwrap())
        };
        assert_eq!(of(&PKCS_ECDSA_P256_SHA256), Some(Ok(&PKCS_ECDSA_P256_SHA256)));
        assert_eq!(of(&PKCS_ED25519), Some(Ok(&PKCS_ED25519)));
        assert_eq!(of(&rcgen::PKCS_ECDSA_P384_SHA384), Some(Err("ECDSA P-384")));
        assert_eq!(kind(P384_BY_SHA256), Some(Err("ECDSA P-384")));
        assert_eq!(kind("-----BEGIN CERTIFICATE REQUEST-----"), None);
    }
}
