//! Public keys of signers, their identifiers, and signatures. Only Ed25519, by ring.

use std::fmt;

use ring::{
    digest::{SHA256, digest},
    signature::{ED25519, UnparsedPublicKey},
};

use crate::{hex, json::Json};

/// The member of a key that names its owner, for people; it is no part of the identifier.
const NAME: &str = "x-ebp-name";
/// The longest name, characters.
pub const LONGEST_NAME: usize = 64;

/// Names a key: of an Ed25519 key the SHA-256 of its canonical form, as hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub(crate) String);

impl KeyId {
    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An Ed25519 public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    octets: [u8; 32],
    name: Option<String>,
}

impl PublicKey {
    /// A key of those octets; the name is its owner's, for people.
    #[must_use]
    pub fn new(octets: [u8; 32], name: Option<String>) -> Self {
        Self { octets, name }
    }

    /// Reads a key's object. `None` where it is another kind of key, or malformed.
    #[must_use]
    pub fn from_json(json: &Json) -> Option<Self> {
        let text = |name: &str| json.get(name)?.text();
        if text("keytype")? != "ed25519" || text("scheme")? != "ed25519" {
            return None;
        }
        let octets = hex::decode(json.get("keyval")?.get("public")?.text()?)?;
        let name = text(NAME).filter(|name| is_name(name)).map(str::to_owned);
        Some(Self { octets, name })
    }

    /// The key's object, with its owner's name.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut json = self.identified();
        if let (Json::Object(members), Some(name)) = (&mut json, &self.name) {
            members.insert(NAME.to_owned(), Json::from(name.as_str()));
        }
        json
    }

    /// What the identifier is computed from.
    fn identified(&self) -> Json {
        let public = Json::from(hex::encode(&self.octets).as_str());
        let keyval = Json::Object([("public".to_owned(), public)].into());
        let members =
            [("keytype", "ed25519".into()), ("scheme", "ed25519".into()), ("keyval", keyval)];
        Json::Object(members.map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// The key's identifier.
    #[must_use]
    pub fn id(&self) -> KeyId {
        KeyId(hex::encode(digest(&SHA256, &self.identified().canonical()).as_ref()))
    }

    /// Its owner's name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether the signature, in hexadecimal digits, is this key's over the message.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        hex::decode::<64>(signature).is_some_and(|signature| {
            UnparsedPublicKey::new(&ED25519, self.octets).verify(message, &signature).is_ok()
        })
    }
}

/// Whether it is fit to be shown as the name of a key's owner.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let length = name.chars().count();
    (1..=LONGEST_NAME).contains(&length) && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The identifier is that of securesystemslib 1.6.0's `SSlibKey` for the same key.
    #[test]
    fn an_identifier_is_that_of_the_reference() {
        let key = PublicKey::new([7; 32], Some("Ada".to_owned()));
        assert_eq!(
            key.id().as_str(),
            "b6db82967262b4c288a9326762c77b39db2f13d29b51799a526d0ec81001b73b"
        );
        assert_eq!(PublicKey::from_json(&key.to_json()), Some(key));
    }

    /// RFC 8032, section 7.1, test 2.
    #[test]
    fn a_signature_of_the_standard() {
        let public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        let key = PublicKey::new(hex::decode(public).unwrap(), None);
        assert!(key.verifies(&[0x72], signature));
        assert!(!key.verifies(&[0x73], signature));
        assert!(!key.verifies(&[0x72], &signature.to_uppercase()), "one form only");
    }
}
