//! Random numbers of a release: a seed of the operating system, and what follows from it by name.
//!
//! Until the draft is complete the seed stands beside the households' facts in `.export`, so that a draft
//! that was interrupted goes on with the same numbers.

use std::fs;

use ebp_core::private_file;
use ebp_dataset::{files::hex, release::Numbers};
use ring::{
    digest::{SHA256, digest},
    hmac,
    rand::{SecureRandom, SystemRandom},
};

use super::super::{ExportError, folder::Folder};

/// Bytes of a seed.
const LENGTH: usize = 32;

/// A seed that is forgotten when the draft is complete.
pub(super) struct Seed {
    key: hmac::Key,
    fingerprint: String,
}

impl Seed {
    /// The one that a draft was begun with, or one that is drawn now. It goes with the folder's notes.
    pub fn load_or_draw(folder: &Folder) -> Result<Self, ExportError> {
        let (path, aside) = (folder.notes().join("seed"), folder.notes().join("seed.part"));
        let failed = |error| ExportError::system(&path, error);
        if path.exists() {
            let bytes: [u8; LENGTH] =
                fs::read(&path).map_err(failed)?.try_into().map_err(|_| folder.damaged())?;
            return Ok(Self::from_bytes(&bytes));
        }
        let mut bytes = [0; LENGTH];
        SystemRandom::new().fill(&mut bytes).map_err(|_| ExportError::NoRandomness)?;
        private_file::replace(&path, &aside, &bytes).map_err(failed)?;
        Ok(Self::from_bytes(&bytes))
    }

    fn from_bytes(bytes: &[u8; LENGTH]) -> Self {
        let fingerprint = hex(digest(&SHA256, bytes).as_ref());
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, bytes), fingerprint }
    }

    /// Says nothing of the seed but which one it was.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The numbers of that name.
    pub fn numbers(&self, name: &str) -> SeededNumbers {
        let key = hmac::sign(&self.key, name.as_bytes());
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_ref());
        SeededNumbers { key, count: 0, left: Vec::new() }
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seed").finish_non_exhaustive()
    }
}

/// Numbers that follow from a seed.
pub(super) struct SeededNumbers {
    key: hmac::Key,
    count: u64,
    left: Vec<u64>,
}

impl Numbers for SeededNumbers {
    fn next(&mut self) -> u64 {
        if let Some(number) = self.left.pop() {
            return number;
        }
        let block = hmac::sign(&self.key, &self.count.to_le_bytes());
        self.count += 1;
        let (numbers, _) = block.as_ref().as_chunks::<8>();
        self.left.extend(numbers.iter().map(|bytes| u64::from_le_bytes(*bytes)));
        self.left.pop().unwrap_or(0)
    }
}
