//! A release for one architecture: its name, what signed metadata say of it, and the check of its
//! bytes.

use std::{
    collections::BTreeSet,
    io::{self, Read, Write},
};

use ring::digest::{Context, SHA256};
use semver::Version;

use crate::{hex, json::Json};

/// The longest version or name of an architecture, characters.
const LONGEST_PART: usize = 64;
/// Bytes that are read, hashed and written at once.
const PIECE: usize = 64 << 10;

/// A release for one architecture, as signed metadata describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The version of the program.
    pub version: Version,
    /// The architecture that it is built for, as Rust names it: `aarch64`.
    pub architecture: String,
    /// Its length, bytes.
    pub length: u64,
    /// The SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Versions that this entry recalls.
    pub recalled: BTreeSet<Version>,
    /// The oldest version that may go over to it directly, if there is a bound.
    pub needs: Option<Version>,
}

/// Why bytes are not the target's, or could not be copied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The bytes could not be read: the network is away, or a file unreadable.
    #[error("cannot read the program: {0}")]
    Read(#[source] io::Error),
    /// The copy could not be written: the disk is full, or read-only.
    #[error("cannot write the program: {0}")]
    Write(#[source] io::Error),
    /// There are fewer bytes than the metadata say.
    #[error("the program has {found} bytes, not {expected}")]
    TooShort {
        /// How many there were.
        found: u64,
        /// How many there should be.
        expected: u64,
    },
    /// There are more bytes than the metadata say; no more than these were read.
    #[error("the program is longer than {expected} bytes")]
    TooLong {
        /// How many there should be.
        expected: u64,
    },
    /// The length is right and the bytes are not.
    #[error("the program's SHA-256 is {found}, not the signed one")]
    WrongHash {
        /// What it is, hexadecimal digits.
        found: String,
    },
}

impl Target {
    /// The name in metadata: `ebp/VERSION/ARCHITECTURE`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("ebp/{}/{}", self.version, self.architecture)
    }

    /// Where its bytes are in a repository.
    #[must_use]
    pub fn path(&self) -> String {
        let hash = hex::encode(&self.sha256);
        format!("targets/ebp/{}/{hash}.{}", self.version, self.architecture)
    }

    /// Copies the target's bytes and verifies them meanwhile, with bounded memory. Never reads more
    /// than a byte beyond the signed length and never writes beyond it. What was written may be used
    /// only after this has returned without an error.
    ///
    /// # Errors
    /// Returns [`CopyError::Read`] or [`CopyError::Write`] if either side fails, and one of the others
    /// if the bytes are not the target's.
    pub fn copy_verified(
        &self,
        reader: impl Read,
        mut writer: impl Write,
    ) -> Result<(), CopyError> {
        let mut reader = reader.take(self.length.saturating_add(1));
        let mut context = Context::new(&SHA256);
        let mut piece = vec![0; PIECE];
        let mut found = 0;
        loop {
            let read = match reader.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(CopyError::Read(error)),
            };
            found += read as u64;
            if found > self.length {
                return Err(CopyError::TooLong { expected: self.length });
            }
            context.update(&piece[..read]);
            writer.write_all(&piece[..read]).map_err(CopyError::Write)?;
        }
        if found < self.length {
            return Err(CopyError::TooShort { found, expected: self.length });
        }
        let hash = context.finish();
        if hash.as_ref() != self.sha256 {
            return Err(CopyError::WrongHash { found: hex::encode(hash.as_ref()) });
        }
        writer.flush().map_err(CopyError::Write)
    }

    /// Reads a target of that name. `None` if it is no release, or one whose `custom` is missing or
    /// says something else than its name: it is never offered.
    pub(crate) fn from_json(name: &str, json: &Json) -> Result<Option<Self>, String> {
        let length = json.get("length").and_then(Json::length);
        let length = length.ok_or("a target's `length` is no number from 0")?;
        let digits = json.get("hashes").and_then(|hashes| hashes.get("sha256")?.text());
        let sha256 = digits.and_then(hex::decode).ok_or("a target has no SHA-256")?;
        Ok(Self::described(name, length, sha256, json.get("custom")))
    }

    fn described(name: &str, length: u64, sha256: [u8; 32], custom: Option<&Json>) -> Option<Self> {
        let (version, architecture) = name.strip_prefix("ebp/")?.split_once('/')?;
        let custom = custom?;
        let text = |name: &str| custom.get(name)?.text();
        if text("version")? != version || text("architecture")? != architecture {
            return None;
        }
        let version = parse_version(version)?;
        let recalled = match custom.get("recalled") {
            None => BTreeSet::new(),
            Some(listed) => {
                let listed = listed.items()?.iter();
                listed.map(|version| parse_version(version.text()?)).collect::<Option<_>>()?
            }
        };
        let needs = match custom.get("needs") {
            None => None,
            Some(needs) => Some(parse_version(needs.text()?)?),
        };
        is_architecture(architecture).then(|| Self {
            version,
            architecture: architecture.to_owned(),
            length,
            sha256,
            recalled,
            needs,
        })
    }

    /// What metadata say of it.
    #[cfg(feature = "author")]
    pub(crate) fn to_json(&self) -> Json {
        let text = |version: &Version| Json::from(version.to_string().as_str());
        let mut custom = crate::json::object([
            ("version", text(&self.version)),
            ("architecture", self.architecture.as_str().into()),
            ("recalled", self.recalled.iter().map(text).collect()),
        ]);
        if let (Json::Object(members), Some(needs)) = (&mut custom, &self.needs) {
            members.insert("needs".to_owned(), text(needs));
        }
        let sha256 = Json::from(hex::encode(&self.sha256).as_str());
        crate::json::object([
            ("length", self.length.into()),
            ("hashes", crate::json::object([("sha256", sha256)])),
            ("custom", custom),
        ])
    }
}

/// A version as it is written; build metadata (`+…`) have no order and are refused.
#[must_use]
pub fn parse_version(text: &str) -> Option<Version> {
    let version = Version::parse(text).ok()?;
    (text.len() <= LONGEST_PART && version.build.is_empty()).then_some(version)
}

/// Whether it is fit to name an architecture: lower-case letters, digits and underscores.
#[must_use]
pub fn is_architecture(name: &str) -> bool {
    let fits = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'_';
    (1..=LONGEST_PART).contains(&name.len()) && name.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ring::digest::digest;

    use super::*;

    fn target(bytes: &[u8]) -> Target {
        Target {
            version: Version::new(1, 4, 2),
            architecture: "aarch64".to_owned(),
            length: bytes.len() as u64,
            sha256: digest(&SHA256, bytes).as_ref().try_into().unwrap(),
            recalled: BTreeSet::new(),
            needs: None,
        }
    }

    #[test]
    fn a_name_and_what_is_said_of_it_agree() {
        let custom =
            r#"{"version":"1.4.2","architecture":"aarch64","recalled":["1.4.1"],"needs":"1.2.0"}"#;
        let read = |name: &str, custom: &str| {
            Target::described(name, 1, [0; 32], Some(&Json::parse(custom.as_bytes()).unwrap()))
        };
        let target = read("ebp/1.4.2/aarch64", custom).unwrap();
        assert_eq!(target.name(), "ebp/1.4.2/aarch64");
        assert_eq!(target.needs, Some(Version::new(1, 2, 0)));
        assert!(target.recalled.contains(&Version::new(1, 4, 1)));
        for name in ["ebp/1.4.3/aarch64", "ebp/1.4.2/arm", "ebp/1.4.2", "manual/1.4.2/aarch64"] {
            assert_eq!(read(name, custom), None, "{name}");
        }
        for (from, to) in [
            ("\"1.4.1\"", "7"),
            ("\"1.2.0\"", "\"1.2\""),
            ("[\"1.4.1\"]", "\"1.4.1\""),
            ("1.4.2", "1.4.2+a"),
            ("aarch64", "../../etc"),
        ] {
            assert_eq!(read("ebp/1.4.2/aarch64", &custom.replace(from, to)), None, "{from}");
        }
        let sideways = custom.replace("aarch64", "../../etc");
        assert_eq!(read("ebp/1.4.2/../../etc", &sideways), None);
    }

    #[test]
    fn endless_data_ends() {
        let error = target(b"abc").copy_verified(io::repeat(b'a'), io::sink()).unwrap_err();
        assert!(matches!(error, CopyError::TooLong { expected: 3 }));
    }

    proptest! {
        #[test]
        fn only_the_same_bytes_pass(
            bytes in proptest::collection::vec(any::<u8>(), 0..2000),
            other in proptest::collection::vec(any::<u8>(), 0..2000),
            at in any::<prop::sample::Index>(),
            flip in 1..=255_u8,
        ) {
            let target = target(&bytes);
            let mut copy = Vec::new();
            target.copy_verified(&*bytes, &mut copy).unwrap();
            prop_assert_eq!(&copy, &bytes);
            prop_assert_eq!(target.copy_verified(&*other, io::sink()).is_ok(), other == bytes);
            if !bytes.is_empty() {
                let mut flipped = bytes.clone();
                *at.get_mut(&mut flipped) ^= flip;
                let error = target.copy_verified(&*flipped, io::sink()).unwrap_err();
                let is_hash = matches!(error, CopyError::WrongHash { .. });
                prop_assert!(is_hash);
            }
        }
    }
}
