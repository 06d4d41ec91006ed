//! A release, and where its bytes come from.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::version::Version;

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

/// A text that is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no SHA-256: write 64 hexadecimal digits")]
pub struct InvalidDigest;

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;
    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(InvalidDigest);
        }
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| InvalidDigest)?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidDigest;
    fn try_from(text: String) -> Result<Self, InvalidDigest> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// A release for one architecture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its version, which the program prints, too.
    pub version: Version,
    /// What it is built for, as Rust names it: `aarch64`, `x86_64`.
    pub architecture: String,
    /// The program's length, bytes.
    pub length: u64,
    /// The program's hash.
    pub sha256: Digest,
}

/// Why a supply has nothing to give.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SupplyError {
    /// It cannot be reached or read now: the next round tries again.
    #[error("cannot read {place}: {reason}")]
    Unavailable {
        /// What was to be read.
        place: String,
        /// Why not.
        reason: String,
    },
    /// What it says cannot be used, or is not trusted.
    #[error("{place}: {reason}")]
    Wrong {
        /// What says it.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// The desired version is not there for this machine's architecture.
    #[error("version {version} is not there for {architecture}")]
    NotForArchitecture {
        /// Which version.
        version: Version,
        /// This machine's architecture.
        architecture: String,
    },
}

/// Where releases come from. What it returns is trusted: it checks signatures, and whether a version
/// may be lower than the one that runs.
pub trait Supply {
    /// The release that this device should run; `None` if nothing is wanted of it.
    ///
    /// # Errors
    /// Returns [`SupplyError`] when it cannot be reached, is not trusted, or has nothing for this
    /// architecture.
    fn desired(&mut self) -> Result<Option<Release>, SupplyError>;

    /// Reads bytes of the release's program from `offset` on, as many as there are up to the
    /// buffer's length; 0 at its end.
    ///
    /// # Errors
    /// Returns [`SupplyError::Unavailable`] when they cannot be read now.
    fn read(
        &mut self,
        release: &Release,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize, SupplyError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_read_as_they_are_written() {
        let digest = Digest(std::array::from_fn(|i| i as u8 * 7));
        assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
        for wrong in ["", "00", &"0".repeat(63), &"g".repeat(64), &"ü".repeat(32)] {
            assert_eq!(wrong.parse::<Digest>(), Err(InvalidDigest), "{wrong}");
        }
    }
}
