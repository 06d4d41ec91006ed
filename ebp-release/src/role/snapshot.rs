//! The snapshot role: which version of the targets belongs to it. And what one role says of another's
//! file.

use std::collections::BTreeMap;

use ring::digest::{SHA256, digest};

use super::{
    header::{Header, Role},
    name::RoleName,
};
use crate::{error::TrustError, hex, json::Json};

/// The most files that a snapshot may name.
const MOST_FILES: usize = 1_024;

/// What a role says of another role's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMeta {
    /// Its version.
    pub version: u64,
    /// Its length in bytes, where it is named.
    pub length: Option<u64>,
    /// Its SHA-256, where it is named.
    pub sha256: Option<[u8; 32]>,
}

impl FileMeta {
    /// Reads it.
    pub(super) fn from_json(json: &Json) -> Result<Self, String> {
        let version = json.get("version").and_then(Json::positive);
        let version = version.ok_or("a file's `version` is no number from 1")?;
        let length = json.get("length").map(|length| length.length().ok_or("`length` is wrong"));
        let sha256 = json.get("hashes").map(|hashes| {
            let digits =
                hashes.get("sha256").and_then(Json::text).ok_or("no SHA-256 in `hashes`")?;
            hex::decode(digits).ok_or("`sha256` has no 64 lower-case digits")
        });
        Ok(Self { version, length: length.transpose()?, sha256: sha256.transpose()? })
    }

    /// Whether those bytes are the file.
    ///
    /// # Errors
    /// Returns [`TrustError::WrongContent`] if their length or hash is another one.
    pub fn check(&self, role: RoleName, bytes: &[u8]) -> Result<(), TrustError> {
        let same_length = self.length.is_none_or(|length| length == bytes.len() as u64);
        let same_hash = |hash: [u8; 32]| digest(&SHA256, bytes).as_ref() == hash;
        match same_length && self.sha256.is_none_or(same_hash) {
            true => Ok(()),
            false => Err(TrustError::WrongContent { role }),
        }
    }
}

/// A snapshot role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    header: Header,
    /// The targets role that belongs to it.
    pub targets: FileMeta,
    /// The versions of all files that it names, the targets role's among them.
    pub versions: BTreeMap<String, u64>,
}

impl Role for Snapshot {
    const NAME: RoleName = RoleName::Snapshot;

    fn from_signed(header: Header, signed: &Json) -> Result<Self, String> {
        let meta = signed.get("meta").and_then(Json::members).ok_or("`meta` is missing")?;
        if meta.len() > MOST_FILES {
            return Err(format!("more than {MOST_FILES} files"));
        }
        let targets = meta.get("targets.json").ok_or("it does not name targets.json")?;
        let targets = FileMeta::from_json(targets)?;
        let version =
            |(name, file): (&String, &Json)| Ok((name.clone(), FileMeta::from_json(file)?.version));
        let versions = meta.iter().map(version).collect::<Result<_, String>>()?;
        Ok(Self { header, targets, versions })
    }

    fn header(&self) -> &Header {
        &self.header
    }
}
