//! A release's version, as a name of a folder.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The longest version, bytes.
const LONGEST: usize = 48;

/// A release's version, such as `1.4.2`: letters, digits, `.`, `-`, `+` and `~`, the first of them a
/// digit. It names a folder, so that it never has a `/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(String);

/// A text that is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no version: it begins with a digit and has letters, digits, `.`, `-`, `+`, `~` only"
)]
pub struct InvalidVersion(String);

impl Version {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Version {
    type Err = InvalidVersion;
    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".-+~".contains(&byte);
        let is_version = text.len() <= LONGEST
            && text.starts_with(|first: char| first.is_ascii_digit())
            && text.bytes().all(is_part);
        if is_version {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidVersion(text.chars().take(LONGEST).collect()))
        }
    }
}

impl TryFrom<String> for Version {
    type Error = InvalidVersion;
    fn try_from(text: String) -> Result<Self, InvalidVersion> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(Version(text): Version) -> Self {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_never_leaves_its_folder() {
        for right in ["1.4.2", "0.1.0-rc.1+build.5", "2026~1", "9"] {
            assert_eq!(right.parse::<Version>().unwrap().as_str(), right);
        }
        let long = "1".repeat(LONGEST + 1);
        for wrong in ["", ".", "..", "../1", "1/2", "v1", "1 2", "1\n", "1\0", "ü1", &long] {
            assert!(wrong.parse::<Version>().is_err(), "{wrong}");
            let json = serde_json::to_string(wrong).unwrap();
            assert!(serde_json::from_str::<Version>(&json).is_err(), "{wrong}");
        }
    }
}
