//! A role's file: what is signed, and the signatures.

use std::collections::BTreeMap;

use crate::{
    error::TrustError,
    json::Json,
    key::{KeyId, PublicKey},
    role::{RoleKeys, RoleName},
};

/// The most signatures that are looked at.
const MOST_SIGNATURES: usize = 64;

/// A file with a role and its signatures, of which none is checked yet.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The role.
    pub signed: Json,
    /// Signatures in hexadecimal digits, each by another key.
    pub signatures: BTreeMap<KeyId, String>,
}

impl Envelope {
    /// Reads a file.
    ///
    /// # Errors
    /// Returns [`TrustError::Malformed`] if it is no JSON within the bounds of [`Json::parse`], if
    /// `signed` or `signatures` is missing, if a key has signed twice, or if there are more than 64
    /// signatures.
    pub fn parse(role: RoleName, bytes: &[u8]) -> Result<Self, TrustError> {
        let malformed = |reason: String| TrustError::Malformed { role, reason };
        let Json::Object(mut members) = Json::parse(bytes).map_err(malformed)? else {
            return Err(malformed("it is no object".to_owned()));
        };
        let signed = members.remove("signed").filter(|signed| signed.members().is_some());
        let signed = signed.ok_or_else(|| malformed("`signed` is missing".to_owned()))?;
        let listed = members.get("signatures").and_then(Json::items);
        let listed = listed.ok_or_else(|| malformed("`signatures` is missing".to_owned()))?;
        if listed.len() > MOST_SIGNATURES {
            return Err(malformed(format!("more than {MOST_SIGNATURES} signatures")));
        }
        let mut signatures = BTreeMap::new();
        for signature in listed {
            let text = |name: &str| signature.get(name).and_then(Json::text);
            let (Some(id), Some(value)) = (text("keyid"), text("sig")) else {
                return Err(malformed("a signature lacks `keyid` or `sig`".to_owned()));
            };
            if signatures.insert(KeyId(id.to_owned()), value.to_owned()).is_some() {
                return Err(malformed("a key has signed twice".to_owned()));
            }
        }
        Ok(Self { signed, signatures })
    }

    /// The keys of those given that have signed validly. A key counts once, whatever it is called.
    #[must_use]
    pub fn signers<'a>(&self, keys: &'a RoleKeys) -> Vec<&'a PublicKey> {
        let message = self.signed.canonical();
        keys.keys
            .iter()
            .filter(|key| {
                let signature = self.signatures.get(&key.id());
                signature.is_some_and(|signature| key.verifies(&message, signature))
            })
            .collect()
    }

    /// Checks that as many of those keys have signed as must have.
    ///
    /// # Errors
    /// Returns [`TrustError::Signatures`] if fewer have.
    pub fn verify(&self, role: RoleName, keys: &RoleKeys) -> Result<(), TrustError> {
        let valid = self.signers(keys).len();
        if valid < keys.threshold {
            return Err(TrustError::Signatures { role, valid, needed: keys.threshold });
        }
        Ok(())
    }

    /// The file.
    #[cfg(feature = "author")]
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let signature = |(id, sig): (&KeyId, &String)| {
            crate::json::object([("keyid", id.as_str().into()), ("sig", sig.as_str().into())])
        };
        let signatures: Json = self.signatures.iter().map(signature).collect();
        crate::json::object([("signatures", signatures), ("signed", self.signed.clone())]).compact()
    }
}
