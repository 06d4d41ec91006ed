//! `RELEASE.json`: that two persons signed a release, and whether they signed these files.
//!
//! Whose keys they are is known to the survey's authority alone; files show that they are two, and that
//! both signed the list of sums, the release's number, its tier and its recipient.

use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::files::column::Tier;

/// How many persons sign.
const PERSONS: usize = 2;

/// What `RELEASE.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// The release's number.
    pub release: u64,
    /// Its tier.
    pub tier: String,
    /// What both persons signed: [`signed_text`].
    pub signed: String,
    /// Of the person who made the draft, and of the one who confirmed it.
    pub signatures: Vec<ReleaseSignature>,
}

/// A person's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseSignature {
    /// A point of P-256, uncompressed, hexadecimal digits.
    pub public_key: String,
    /// ECDSA with SHA-256, DER, hexadecimal digits.
    pub signature: String,
}

/// What the files of a release say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stated<'a> {
    pub release: Option<u64>,
    pub tier: Tier,
    pub recipient: Option<&'a str>,
    /// The SHA-256 of the list of sums.
    pub digest: &'a str,
}

/// What both persons of a release sign: its number, its tier, the SHA-256 of `SHA256SUMS` (hexadecimal
/// digits), and whom it is for.
#[must_use]
pub fn signed_text(release: u64, tier: Tier, digest: &str, recipient: Option<&str>) -> String {
    format!("ebp release {release} {} {digest} {}", tier.name(), recipient.unwrap_or_default())
}

/// Whether a text's signature is that of a key, both hexadecimal digits as in [`ReleaseSignature`].
#[must_use]
pub fn is_signed_by(public_key: &str, text: &str, signature: &str) -> bool {
    let (Some(key), Some(signature)) = (from_hex(public_key), from_hex(signature)) else {
        return false;
    };
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key);
    key.verify(text.as_bytes(), &signature).is_ok()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// What is wrong with `RELEASE.json`; nothing where it agrees with the files.
pub(super) fn compare(text: &[u8], stated: &Stated<'_>) -> Vec<String> {
    let Ok(said) = serde_json::from_slice::<Confirmation>(text) else {
        return vec!["it is no confirmation of a release".to_owned()];
    };
    let mut wrong = Vec::new();
    if stated.release != Some(said.release) {
        wrong.push(format!("it is of release {}, EXPORT.json of another", said.release));
    }
    if said.tier != stated.tier.name() {
        wrong.push(format!("its tier is {}, not {}", said.tier, stated.tier.name()));
    }
    let own = stated.release.unwrap_or(said.release);
    let expected = signed_text(own, stated.tier, stated.digest, stated.recipient);
    if said.signed != expected {
        wrong.push(format!("what was signed is not `{expected}`"));
    }
    if said.signatures.len() != PERSONS {
        wrong.push(format!("it has {} signatures, not {PERSONS}", said.signatures.len()));
    }
    let keys = said.signatures.iter().map(|one| one.public_key.to_ascii_lowercase());
    let keys: std::collections::BTreeSet<String> = keys.collect();
    if keys.len() != said.signatures.len() {
        wrong.push("one person signed twice".to_owned());
    }
    for (number, one) in (1..).zip(&said.signatures) {
        // Of what the files say, whatever this one says.
        if !is_signed_by(&one.public_key, &expected, &one.signature) {
            wrong.push(format!("signature {number} is not one of these files by its key"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::files::digest::hex;

    const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn person() -> EcdsaKeyPair {
        let (scheme, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
        let key = EcdsaKeyPair::generate_pkcs8(scheme, &random).unwrap();
        EcdsaKeyPair::from_pkcs8(scheme, key.as_ref(), &random).unwrap()
    }

    fn signature(key: &EcdsaKeyPair, text: &str) -> Value {
        let signature = key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        json!({ "public_key": hex(key.public_key().as_ref()), "signature": hex(signature.as_ref()) })
    }

    fn stated() -> Stated<'static> {
        let recipient = Some("University of Examples");
        Stated { release: Some(3), tier: Tier::Research, recipient, digest: DIGEST }
    }

    fn confirmation(keys: &[&EcdsaKeyPair]) -> Value {
        let signed = signed_text(3, Tier::Research, DIGEST, Some("University of Examples"));
        let signatures: Vec<_> = keys.iter().map(|key| signature(key, &signed)).collect();
        json!({ "release": 3, "tier": "research", "signed": signed, "signatures": signatures })
    }

    fn wrong(said: &Value) -> Vec<String> {
        compare(said.to_string().as_bytes(), &stated())
    }

    #[test]
    fn what_two_persons_signed_is_right() {
        let (alice, bob) = (person(), person());
        assert_eq!(wrong(&confirmation(&[&alice, &bob])), Vec::<String>::new());
    }

    #[test]
    fn every_field_that_is_changed_is_found() {
        let (alice, bob, mallory) = (person(), person(), person());
        let right = confirmation(&[&alice, &bob]);
        let other = signed_text(3, Tier::Research, DIGEST, Some("University of Others"));
        let changes: [(&str, Value, &str); 9] = [
            ("/release", json!(4), "release 4"),
            ("/release", json!("3"), "no confirmation"),
            ("/tier", json!("public"), "its tier is public"),
            ("/signed", json!(other), "what was signed"),
            ("/signatures", json!([]), "0 signatures"),
            (
                "/signatures/0/public_key",
                right["signatures"][1]["public_key"].clone(),
                "signature 1",
            ),
            ("/signatures/1/public_key", json!("04zz"), "signature 2"),
            ("/signatures/0/signature", right["signatures"][1]["signature"].clone(), "signature 1"),
            ("/signatures/1", signature(&mallory, &other), "signature 2"),
        ];
        for (place, value, says) in changes {
            let mut said = right.clone();
            *said.pointer_mut(place).unwrap() = value;
            let found = wrong(&said);
            assert!(found.iter().any(|it| it.contains(says)), "{place}: {found:?}");
        }
        let mut said = right.clone();
        said["confirmed_by"] = json!("bob");
        assert_eq!(wrong(&said), ["it is no confirmation of a release"]);
        for name in ["release", "tier", "signed", "signatures"] {
            let mut said = right.clone();
            said.as_object_mut().unwrap().remove(name);
            assert_eq!(wrong(&said), ["it is no confirmation of a release"], "{name}");
        }
        let alone = wrong(&confirmation(&[&alice, &alice]));
        assert_eq!(alone, ["one person signed twice"]);
        assert_eq!(wrong(&confirmation(&[&alice, &bob, &mallory])), ["it has 3 signatures, not 2"]);
    }

    #[test]
    fn files_that_are_changed_are_found() {
        let text = confirmation(&[&person(), &person()]).to_string();
        let others = [
            Stated { release: Some(4), ..stated() },
            Stated { release: None, ..stated() },
            Stated { tier: Tier::Public, ..stated() },
            Stated { recipient: None, ..stated() },
            Stated { digest: "00", ..stated() },
        ];
        for other in others {
            assert!(!compare(text.as_bytes(), &other).is_empty(), "{other:?}");
        }
    }
}
