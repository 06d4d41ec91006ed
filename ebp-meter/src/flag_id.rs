//! The three letters by which a maker's meters name it.
//!
//! Enters: letters. Leaves: [`FlagId`]. Absent: the maker's name, which is in `maker`.

use std::{fmt, ops::Deref};

use serde::{Deserialize, Deserializer, de};

/// A maker's FLAG id (DLMS user association), three capital letters. It reads like a text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlagId([u8; 3]);

impl FlagId {
    /// The id of those letters; nothing where they are no capital letters.
    #[must_use]
    pub fn new(letters: [u8; 3]) -> Option<Self> {
        letters.iter().all(u8::is_ascii_uppercase).then_some(Self(letters))
    }

    /// The letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Always ASCII by construction.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The letters as bytes.
    #[must_use]
    pub const fn bytes(self) -> [u8; 3] {
        self.0
    }
}

impl Deref for FlagId {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for FlagId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FlagId({})", self.as_str())
    }
}

impl fmt::Display for FlagId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for FlagId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let letters = text.as_bytes().try_into().ok();
        letters.and_then(Self::new).ok_or_else(|| {
            de::Error::custom(format!("`{text}` is no FLAG id of three capital letters"))
        })
    }
}
