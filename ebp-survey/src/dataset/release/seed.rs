//! Random numbers of a release: a seed of the operating system, and what follows from it by name.

use ebp_dataset::{files::hex, release::Numbers};
use ring::{
    digest::{SHA256, digest},
    hmac,
    rand::{SecureRandom, SystemRandom},
};

use super::super::ExportError;

/// A seed that is forgotten when the draft is made.
pub(super) struct Seed {
    key: hmac::Key,
    fingerprint: String,
}

impl Seed {
    /// Draws one.
    pub fn draw() -> Result<Self, ExportError> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).map_err(|_| ExportError::NoRandomness)?;
        let fingerprint = hex(digest(&SHA256, &bytes).as_ref());
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, &bytes), fingerprint })
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
