//! Private keys of signers, and the files of keys.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{
    rand::{SecureRandom, SystemRandom},
    signature::{Ed25519KeyPair, KeyPair},
};
use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject};

use super::AuthorError;
use crate::{
    hex,
    json::Json,
    key::{KeyId, PublicKey, is_name},
};

/// How an Ed25519 key begins in PKCS #8 (RFC 8410, section 7); its 32 octets follow.
const PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// An Ed25519 private key.
pub struct SigningKey {
    pair: Ed25519KeyPair,
}

/// Names the key, and shows nothing of it.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id().short())
    }
}

impl SigningKey {
    /// Makes a key, and the text of its file: PKCS #8 in PEM, as openssl writes and reads it. It must
    /// be stored so that only its owner can read it.
    ///
    /// # Errors
    /// Returns [`AuthorError::Randomness`] if the machine has none.
    pub fn generate() -> Result<(Self, String), AuthorError> {
        let mut der = PKCS8.to_vec();
        let mut seed = [0; 32];
        SystemRandom::new().fill(&mut seed).map_err(|_| AuthorError::Randomness)?;
        der.extend(seed);
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(&der)
        );
        Ok((Self::from_der(&der)?, pem))
    }

    /// Reads the text of a key's file.
    ///
    /// # Errors
    /// Returns [`AuthorError::NoKey`] if it is no Ed25519 key in PKCS #8 and PEM without a passphrase.
    pub fn from_pem(pem: &str) -> Result<Self, AuthorError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes());
        let der = der.map_err(|_| AuthorError::NoKey("private key"))?;
        Self::from_der(der.secret_pkcs8_der())
    }

    fn from_der(der: &[u8]) -> Result<Self, AuthorError> {
        // "Maybe unchecked": openssl writes the private half alone, from which the other follows.
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der);
        Ok(Self { pair: pair.map_err(|_| AuthorError::NoKey("Ed25519 private key"))? })
    }

    /// The public half, with its owner's name.
    ///
    /// # Errors
    /// Returns [`AuthorError::Name`] if the name is not fit to be shown.
    pub fn public(&self, name: Option<&str>) -> Result<PublicKey, AuthorError> {
        if name.is_some_and(|name| !is_name(name)) {
            return Err(AuthorError::Name);
        }
        Ok(PublicKey::new(self.octets(), name.map(str::to_owned)))
    }

    /// Its identifier.
    #[must_use]
    pub fn id(&self) -> KeyId {
        PublicKey::new(self.octets(), None).id()
    }

    /// The signature over what is signed of a role, hexadecimal digits.
    pub(crate) fn sign(&self, signed: &Json) -> String {
        hex::encode(self.pair.sign(&signed.canonical()).as_ref())
    }

    fn octets(&self) -> [u8; 32] {
        // An Ed25519 public key has 32.
        self.pair.public_key().as_ref().try_into().unwrap_or_default()
    }
}

/// The text of a public key's file: the object that a root role lists.
#[must_use]
pub fn write_public_key(key: &PublicKey) -> String {
    let mut text = String::from_utf8_lossy(&key.to_json().compact()).into_owned();
    text.push('\n');
    text
}

/// Reads the text of a public key's file.
///
/// # Errors
/// Returns [`AuthorError::NoKey`] if it is not what [`write_public_key`] writes.
pub fn parse_public_key(text: &str) -> Result<PublicKey, AuthorError> {
    let json = Json::parse(text.as_bytes()).ok();
    json.and_then(|json| PublicKey::from_json(&json)).ok_or(AuthorError::NoKey("public key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_stored_and_never_shown() {
        let (key, pem) = SigningKey::generate().unwrap();
        let read = SigningKey::from_pem(&pem).unwrap();
        assert_eq!(read.id(), key.id());
        assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.id().short()));
        let public = key.public(Some("Ada Lovelace")).unwrap();
        assert_eq!(parse_public_key(&write_public_key(&public)).unwrap(), public);
        let signature = key.sign(&Json::Null);
        assert!(public.verifies(b"null", &signature));
        assert!(key.public(Some("")).is_err() && key.public(Some("a\nb")).is_err());
    }

    /// Written by `openssl genpkey -algorithm ed25519` (OpenSSL 3.0).
    #[test]
    fn keys_of_other_programs() {
        let pem = "-----BEGIN PRIVATE KEY-----\n\
            MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n\
            -----END PRIVATE KEY-----\n";
        assert!(SigningKey::from_pem(pem).is_ok());
        for wrong in ["", "secret", &pem.replace("PRIVATE", "PUBLIC"), &pem.replace("MC4C", "MC5C")]
        {
            assert!(SigningKey::from_pem(wrong).is_err(), "{wrong}");
        }
    }
}
