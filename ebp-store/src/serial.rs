//! Serial numbers of certificates.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A certificate's serial number: 16 octets, random, written as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Serial([u8; 16]);

impl Serial {
    /// A new one, of 122 random bits. Its first octet is 0x40 to 0x7f: a positive integer
    /// (RFC 5280, 4.1.2.2) that always takes 16 octets.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = Uuid::new_v4().into_bytes();
        bytes[0] = bytes[0] & 0x3f | 0x40;
        Self(bytes)
    }

    /// Reads the content octets of a certificate's serial number.
    #[must_use]
    pub fn from_octets(octets: &[u8]) -> Option<Self> {
        octets.try_into().ok().map(Self)
    }

    /// Its 16 octets.
    #[must_use]
    pub const fn octets(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text that is no serial number.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no serial number: write its 32 hexadecimal digits")]
pub struct InvalidSerial(pub String);

/// Reads 32 hexadecimal digits, with or without colons between the octets, as `openssl x509
/// -serial` and browsers show them.
impl FromStr for Serial {
    type Err = InvalidSerial;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let digits: String = s.chars().filter(|c| *c != ':').collect();
        if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(InvalidSerial(s.to_owned()));
        }
        u128::from_str_radix(&digits, 16)
            .map(|number| Self(number.to_be_bytes()))
            .map_err(|_| InvalidSerial(s.to_owned()))
    }
}

impl TryFrom<String> for Serial {
    type Error = InvalidSerial;
    fn try_from(s: String) -> Result<Self, Self::Error> {
        s.parse()
    }
}

impl From<Serial> for String {
    fn from(serial: Serial) -> Self {
        serial.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_round_trip() {
        let serial = Serial::random();
        assert_eq!(serial.to_string().parse(), Ok(serial));
        let colons = "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F";
        assert_eq!(
            colons.parse::<Serial>().unwrap().to_string(),
            "000102030405060708090a0b0c0d0e0f"
        );
        for text in ["", "01", "zz0102030405060708090a0b0c0d0e0f", "é00102030405060708090a0b0c0d0e"]
        {
            assert_eq!(text.parse::<Serial>(), Err(InvalidSerial(text.to_owned())));
        }
    }

    #[test]
    fn random_ones_are_positive_and_differ() {
        let (a, b) = (Serial::random(), Serial::random());
        assert_ne!(a, b);
        assert!((0x40..0x80).contains(&a.0[0]));
    }
}
