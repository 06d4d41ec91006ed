//! The address in a request (IEC 62056-21, 6.3.1): which of several meters is meant. Some meters
//! answer only to their own number.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, de};

/// The most characters of an address (IEC 62056-21, 6.3.14, item 22).
pub const LONGEST: usize = 32;

/// The address of a meter that is asked. It identifies the meter, so that neither `Debug` nor any
/// error shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Address {
    text: [u8; LONGEST],
    length: u8,
}

/// A text is no address. The text itself is left out: it may be a meter's number with a slip in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an address has 1 to {LONGEST} printable ASCII characters, without `/`, `?` and `!`")]
pub struct InvalidAddress;

impl Address {
    /// Its characters.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.text[..usize::from(self.length)]
    }

    /// The request that opens a readout of this meter, or of any: `/?12345678!` or `/?!`, sent at
    /// 300 baud 7E1.
    #[must_use]
    pub fn request(address: Option<&Self>) -> Vec<u8> {
        let address = address.map_or(&[][..], Self::bytes);
        [b"/?", address, b"!\r\n"].concat()
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let may_stand =
            |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'/' | b'?' | b'!');
        let bytes = text.as_bytes();
        if !(1..=LONGEST).contains(&bytes.len()) || !bytes.iter().copied().all(may_stand) {
            return Err(InvalidAddress);
        }
        let mut address = Self { text: [0; LONGEST], length: 0 };
        for (place, byte) in address.text.iter_mut().zip(bytes) {
            *place = *byte;
            address.length += 1;
        }
        Ok(address)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AddressText)
    }
}

/// Reads a text; of other types it says that a text is wanted, without the value.
struct AddressText;

impl AddressText {
    fn not_text<T, E: de::Error>() -> Result<T, E> {
        Err(E::custom("address must be a text in quotation marks"))
    }
}

impl de::Visitor<'_> for AddressText {
    type Value = Address;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Address, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Address, E> {
        Self::not_text()
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Address, E> {
        Self::not_text()
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Address, E> {
        Self::not_text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_the_meter() {
        let address = "12345678".parse().ok();
        assert_eq!(Address::request(address.as_ref()), b"/?12345678!\r\n");
        assert_eq!(Address::request(None), b"/?!\r\n");
        let longest = "x".repeat(LONGEST);
        assert_eq!(longest.parse::<Address>().unwrap().bytes(), longest.as_bytes());
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_shown() {
        let long = "9".repeat(LONGEST + 1);
        for text in ["", "12/34", "1?", "1!", "1\r\n2", "1\u{7f}", "zähler", &long] {
            assert_eq!(text.parse::<Address>(), Err(InvalidAddress), "{text:?}");
        }
        #[derive(Debug, Deserialize)]
        #[allow(dead_code)]
        struct Line {
            address: Option<Address>,
        }
        for text in ["address = \"4711/0815\"", "address = 47110815", "address = 4711.0815"] {
            let error = toml::from_str::<Line>(text).unwrap_err();
            assert!(!error.message().contains("4711"), "{}", error.message());
        }
        let line: Line = toml::from_str("address = \"47110815\"").unwrap();
        assert!(!format!("{line:?}").contains("4711"), "{line:?}");
    }
}
