//! OBIS codes (IEC 62056-6-1): which quantity of which medium a value is.
//!
//! Enters: six bytes from a telegram, or their texts. Leaves: [`ObisCode`]. Absent: values.

mod identity;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

/// An OBIS code: medium, channel, indicator, mode, quantity, storage (value groups A to F).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObisCode(pub [u8; 6]);

impl ObisCode {
    /// 1.8.0, positive active energy, total: what the household drew from the grid.
    pub const POSITIVE_ENERGY: Self = Self([1, 0, 1, 8, 0, 255]);
    /// 2.8.0, negative active energy, total: what the household fed into the grid.
    pub const NEGATIVE_ENERGY: Self = Self([1, 0, 2, 8, 0, 255]);
    /// 1.7.0, positive active instantaneous power.
    pub const POSITIVE_POWER: Self = Self([1, 0, 1, 7, 0, 255]);
    /// 2.7.0, negative active instantaneous power.
    pub const NEGATIVE_POWER: Self = Self([1, 0, 2, 7, 0, 255]);
    /// 16.7.0, sum active instantaneous power: draw positive, feed-in negative.
    pub const SUM_POWER: Self = Self([1, 0, 16, 7, 0, 255]);
    /// 15.7.0, absolute active instantaneous power: a magnitude without its direction.
    pub const ABSOLUTE_POWER: Self = Self([1, 0, 15, 7, 0, 255]);
    /// 96.1.0, the server id of DIN 43863-5.
    pub const SERVER_ID: Self = Self([1, 0, 96, 1, 0, 255]);
    /// 0.0.9, the device id where older meters put the server id.
    pub const DEVICE_ID: Self = Self([1, 0, 0, 0, 9, 255]);
    /// 96.50.1, the manufacturer's FLAG id.
    pub const MANUFACTURER: Self = Self([1, 0, 96, 50, 1, 1]);
    /// The manufacturer's FLAG id in older meters' own range (129-129:199.130.3*255).
    pub const MANUFACTURER_OLD: Self = Self([129, 129, 199, 130, 3, 255]);

    /// The five codes that the survey needs (thesis table 4.5), in its order.
    pub const SURVEY: [Self; 5] = [
        Self::POSITIVE_ENERGY,
        Self::NEGATIVE_ENERGY,
        Self::POSITIVE_POWER,
        Self::NEGATIVE_POWER,
        Self::SUM_POWER,
    ];

    /// Whether the survey needs this code.
    #[must_use]
    pub fn is_of_survey(self) -> bool {
        Self::SURVEY.contains(&self)
    }

    /// The twelve hexadecimal digits, `0100010800ff`: the form that identifies a code.
    #[must_use]
    pub fn hex(self) -> String {
        self.digits().map(char::from).iter().collect()
    }

    /// As [`hex`](Self::hex), in ASCII: every register of every stored measurement is written so.
    pub(crate) fn digits(self) -> [u8; 12] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; 12];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        digits
    }

    /// The code of twelve hexadecimal digits in ASCII.
    pub(crate) fn of_digits(digits: &[u8; 12]) -> Option<Self> {
        const fn digit(digit: u8) -> u8 {
            match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                b'A'..=b'F' => digit - b'A' + 10,
                _ => u8::MAX,
            }
        }
        let mut code = [0; 6];
        let mut odd = 0;
        for (byte, pair) in code.iter_mut().zip(digits.chunks_exact(2)) {
            let (high, low) = (digit(pair[0]), digit(pair[1]));
            odd |= high | low;
            *byte = high << 4 | low & 15;
        }
        (odd < 16).then_some(Self(code))
    }

    /// Value groups C, D and E, `1.8.0`: the form that owners know; not unique.
    #[must_use]
    pub fn short(self) -> String {
        let [_, _, c, d, e, _] = self.0;
        format!("{c}.{d}.{e}")
    }

    /// The meaning of the code, for codes that household meters send.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            [1, 0, 1, 8, 0, 255] => "positive active energy, total",
            [1, 0, 1, 8, 1, 255] => "positive active energy, tariff 1",
            [1, 0, 1, 8, 2, 255] => "positive active energy, tariff 2",
            [1, 0, 2, 8, 0, 255] => "negative active energy, total",
            [1, 0, 2, 8, 1, 255] => "negative active energy, tariff 1",
            [1, 0, 2, 8, 2, 255] => "negative active energy, tariff 2",
            [1, 0, 1, 7, 0, 255] => "positive active instantaneous power",
            [1, 0, 2, 7, 0, 255] => "negative active instantaneous power",
            [1, 0, 15, 7, 0, 255] => "absolute active instantaneous power",
            [1, 0, 16, 7, 0, 255] => "sum active instantaneous power",
            [1, 0, 36, 7, 0, 255] => "sum active instantaneous power, L1",
            [1, 0, 56, 7, 0, 255] => "sum active instantaneous power, L2",
            [1, 0, 76, 7, 0, 255] => "sum active instantaneous power, L3",
            [1, 0, 21, 7, 0, 255] => "positive active instantaneous power, L1",
            [1, 0, 41, 7, 0, 255] => "positive active instantaneous power, L2",
            [1, 0, 61, 7, 0, 255] => "positive active instantaneous power, L3",
            [1, 0, 31, 7, 0, 255] => "current, L1",
            [1, 0, 51, 7, 0, 255] => "current, L2",
            [1, 0, 71, 7, 0, 255] => "current, L3",
            [1, 0, 32, 7, 0, 255] => "voltage, L1",
            [1, 0, 52, 7, 0, 255] => "voltage, L2",
            [1, 0, 72, 7, 0, 255] => "voltage, L3",
            [1, 0, 81, 7, 1, 255] => "phase angle, U-L2 to U-L1",
            [1, 0, 81, 7, 2, 255] => "phase angle, U-L3 to U-L1",
            [1, 0, 81, 7, 4, 255] => "phase angle, I-L1 to U-L1",
            [1, 0, 81, 7, 15, 255] => "phase angle, I-L2 to U-L2",
            [1, 0, 81, 7, 26, 255] => "phase angle, I-L3 to U-L3",
            [1, 0, 14, 7, 0, 255] => "frequency",
            [1, 0, 1, 8, 0, 96] => "positive active energy, last day",
            [1, 0, 1, 8, 0, 97] => "positive active energy, last 7 days",
            [1, 0, 1, 8, 0, 98] => "positive active energy, last 30 days",
            [1, 0, 1, 8, 0, 99] => "positive active energy, last 365 days",
            [1, 0, 1, 8, 0, 100] => "positive active energy, since reset",
            [1, 0, 0, 0, 9, 255] => "device id",
            [1, 0, 96, 1, 0, 255] => "server id",
            [1, 0, 96, 50, 1, 1] | [129, 129, 199, 130, 3, 255] => "manufacturer",
            [129, 129, 199, 130, 5, 255] => "public key",
            [1, 0, 0, 2, 0, 0] => "firmware version",
            [1, 0, 96, 5, 5, 255] => "status",
            [1, 0, 96, 90, 2, 1] => "firmware checksum",
            _ => return None,
        })
    }
}

/// The full form, `1-0:1.8.0*255`.
impl fmt::Display for ObisCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a}-{b}:{c}.{d}.{e}*{g}")
    }
}

impl fmt::Debug for ObisCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObisCode({self})")
    }
}

/// A text that is no OBIS code.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no OBIS code: write 0100010800ff, 1-0:1.8.0*255 or 1.8.0")]
pub struct InvalidObisCode(pub String);

/// Reads twelve hexadecimal digits, or decimal value groups with `A-B:` and `*F` optional, by
/// default those of electricity (`1-0:` and `*255`).
impl FromStr for ObisCode {
    type Err = InvalidObisCode;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        parse_hex(s)
            .or_else(|| parse_groups(s))
            .map(Self)
            .ok_or_else(|| InvalidObisCode(s.to_owned()))
    }
}

fn parse_hex(s: &str) -> Option<[u8; 6]> {
    ObisCode::of_digits(s.as_bytes().try_into().ok()?).map(|code| code.0)
}

fn parse_groups(s: &str) -> Option<[u8; 6]> {
    fn group(text: &str) -> Option<u8> {
        text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
    }
    let (medium, rest) = s.split_once(':').unwrap_or(("1-0", s));
    let (medium, channel) = medium.split_once('-')?;
    let (groups, storage) = rest.split_once('*').unwrap_or((rest, "255"));
    let mut groups = groups.split('.');
    let code = [
        group(medium)?,
        group(channel)?,
        group(groups.next()?)?,
        group(groups.next()?)?,
        group(groups.next()?)?,
        group(storage)?,
    ];
    groups.next().is_none().then_some(code)
}

impl Serialize for ObisCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits = self.digits();
        serializer.serialize_str(str::from_utf8(&digits).map_err(ser::Error::custom)?)
    }
}

impl<'de> Deserialize<'de> for ObisCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl de::Visitor<'_> for Digits {
            type Value = ObisCode;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<ObisCode, E> {
                let bytes = parse_hex(text);
                bytes.map(ObisCode).ok_or_else(|| E::custom(InvalidObisCode(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Digits)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn three_texts_of_one_code() {
        for text in ["0100010800ff", "0100010800FF", "1-0:1.8.0*255", "1-0:1.8.0", "1.8.0"] {
            assert_eq!(text.parse(), Ok(ObisCode::POSITIVE_ENERGY), "{text}");
        }
        assert_eq!(ObisCode::SUM_POWER.short(), "16.7.0");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "1.8",
            "1.8.0.0",
            "1-0:1.8.256",
            "0100010800f",
            "+1.8.0",
            "1:1.8.0",
            "0100010800fg",
        ] {
            assert_eq!(text.parse::<ObisCode>(), Err(InvalidObisCode(text.to_owned())));
        }
    }

    proptest! {
        #[test]
        fn texts_round_trip(bytes: [u8; 6]) {
            let code = ObisCode(bytes);
            prop_assert_eq!(code.hex().parse(), Ok(code));
            prop_assert_eq!(code.to_string().parse(), Ok(code));
        }
    }
}
