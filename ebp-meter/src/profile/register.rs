//! A telegram's registers: code, unit, scaler, width.
//!
//! Enters: the tables `[locked]` and `[unlocked]`. Leaves: [`Registers`].
//! Absent: values; who fills them in asks for the [`Quantity`] that a code stands for.

use std::collections::BTreeMap;

use ebp_core::{obis::ObisCode, quantity::Unit};
use serde::{Deserialize, Deserializer, de};

use crate::canonical::Pinned;

/// The entries of a telegram, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registers {
    /// Where they are from; an entry may name another.
    pub source: String,
    /// The entries.
    pub registers: Vec<Register>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// Which quantity.
    #[serde(deserialize_with = "obis")]
    pub obis: ObisCode,
    /// What stands in it, where it is no measured number.
    pub content: Option<Content>,
    /// A constant number (a status word as an entry, a counter of no interest).
    pub integer: Option<u64>,
    /// A constant text or other bytes, in hexadecimal digits.
    #[serde(default, deserialize_with = "octets")]
    pub octets: Option<Vec<u8>>,
    /// The unit of the integer; `W` or `Wh`, never thousands of them.
    #[serde(default, deserialize_with = "unit")]
    pub unit: Option<Unit>,
    /// The power of ten that the integer is multiplied by.
    pub scaler: Option<i8>,
    /// SML: bytes of the integer, 1 to 8.
    pub width: Option<u8>,
    /// SML: whether the integer is signed.
    #[serde(default)]
    pub signed: bool,
    /// SML: whether the meter sends as few bytes as the value needs, `width` being the most.
    #[serde(default)]
    pub compact: bool,
    /// SML: the status word before the value.
    pub status: Option<Status>,
    /// SML: whether the entry says when its value was valid.
    #[serde(default)]
    pub time: bool,
    /// ASCII: how the number is written.
    pub ascii: Option<AsciiForm>,
    /// Where this entry is from, if not from where all are.
    pub source: Option<String>,
}

impl Register {
    /// What the entry measures, where it is a measured number.
    #[must_use]
    pub fn quantity(&self) -> Option<Quantity> {
        if self.content.is_some() || self.integer.is_some() || self.octets.is_some() {
            return None;
        }
        Quantity::of_any_channel(self.obis).map(|quantity| match quantity {
            // EasyMeter Q3C sends feeding in as negative drawing.
            Quantity::ImportPower { phase } if self.signed => Quantity::Power { phase },
            quantity => quantity,
        })
    }

    /// Whether the entry is active power, of all or of one phase.
    #[must_use]
    pub fn is_power(&self) -> bool {
        self.quantity().is_some_and(|quantity| quantity.unit() == Unit::WATT)
    }

    /// Whether the entry is a number, measured or constant.
    #[must_use]
    pub fn is_number(&self) -> bool {
        self.integer.is_some() || (self.content.is_none() && self.octets.is_none())
    }
}

/// What stands in an entry that is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// The maker's FLAG id.
    Maker,
    /// The meter's identity in bytes.
    ServerId,
    /// The meter's identity as the text on its face, `1EBZ0100507409`.
    IdentityText,
    /// The number alone, eight digits.
    SerialNumber,
    /// The meter's public key, 48 bytes.
    PublicKey,
    /// The seconds of operation, as hexadecimal digits in ASCII telegrams.
    OperatingSeconds,
    /// Nothing: the entry is there and its value is not.
    Absent,
}

/// A status word, which in some models contains the direction of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Bytes, 1 to 8.
    pub width: u8,
    /// The word while power is drawn.
    pub import: u64,
    /// The word while power is fed in; absent where it is the same.
    pub export: Option<u64>,
}

/// How a number is written in ASCII.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsciiForm {
    /// The unit behind the asterisk, `kWh`, `kW` or the unit itself; empty for none.
    pub unit: String,
    /// Digits before the point, filled with zeros.
    pub digits: u8,
    /// Whether a number without a unit counts thousands: Pafal writes kWh so.
    #[serde(default)]
    pub kilo: bool,
}

/// What a household's meter can measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// Energy drawn. Tariff 0 is the total; all of it is counted as tariff 1.
    ImportEnergy {
        /// 0 for all, or 1, 2.
        tariff: u8,
    },
    /// Energy fed in; tariffs likewise.
    ExportEnergy {
        /// 0 for all, or 1, 2.
        tariff: u8,
    },
    /// Power, draw positive, feed-in negative; of all or of one phase.
    Power {
        /// 0 for all, or 1 to 3.
        phase: u8,
    },
    /// Power drawn, never negative.
    ImportPower {
        /// 0 for all, or 1 to 3.
        phase: u8,
    },
    /// Power fed in, never negative.
    ExportPower {
        /// 0 for all, or 1 to 3.
        phase: u8,
    },
    /// Power without its direction.
    AbsolutePower,
    /// Voltage of a phase.
    Voltage {
        /// 1 to 3.
        phase: u8,
    },
    /// Current of a phase.
    Current {
        /// 1 to 3.
        phase: u8,
    },
    /// Frequency of the grid.
    Frequency,
    /// A phase angle: group E of 81.7.
    Angle {
        /// 1, 2, 4, 15 or 26.
        which: u8,
    },
}

impl Quantity {
    /// The quantity of a code, where it is one that household meters send.
    ///
    /// Group E of the `7` codes may be 255: so EasyMeter Q3D writes it.
    #[must_use]
    pub const fn from_obis(obis: ObisCode) -> Option<Self> {
        let [1, 0, c, d, e, 255] = obis.0 else { return None };
        Some(match (c, d, e) {
            (1, 8, 0..=2) => Self::ImportEnergy { tariff: e },
            (2, 8, 0..=2) => Self::ExportEnergy { tariff: e },
            (16, 7, 0 | 255) => Self::Power { phase: 0 },
            (36 | 56 | 76, 7, 0 | 255) => Self::Power { phase: (c - 16) / 20 },
            (1, 7, 0 | 255) => Self::ImportPower { phase: 0 },
            (2, 7, 0 | 255) => Self::ExportPower { phase: 0 },
            (21 | 41 | 61, 7, 0 | 255) => Self::ImportPower { phase: (c - 1) / 20 },
            (22 | 42 | 62, 7, 0 | 255) => Self::ExportPower { phase: (c - 2) / 20 },
            (15, 7, 0 | 255) => Self::AbsolutePower,
            (32 | 52 | 72, 7, 0 | 255) => Self::Voltage { phase: (c - 12) / 20 },
            (31 | 51 | 71, 7, 0 | 255) => Self::Current { phase: (c - 11) / 20 },
            (14, 7, 0 | 255) => Self::Frequency,
            (81, 7, 1 | 2 | 4 | 15 | 26) => Self::Angle { which: e },
            _ => return None,
        })
    }

    /// The same of a code on channels 1 and 2 too, and with F = 0: EasyMeter Q3C and Elster AS1440
    /// count there, Pafal writes `1.8.0*00`.
    #[must_use]
    pub const fn of_any_channel(obis: ObisCode) -> Option<Self> {
        Self::from_obis(on_channel_0(obis))
    }

    /// The unit in which it is measured.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::ImportEnergy { .. } | Self::ExportEnergy { .. } => Unit::WATT_HOUR,
            Self::Power { .. }
            | Self::ImportPower { .. }
            | Self::ExportPower { .. }
            | Self::AbsolutePower => Unit::WATT,
            Self::Voltage { .. } => Unit::VOLT,
            Self::Current { .. } => Unit::AMPERE,
            Self::Frequency => Unit::HERTZ,
            Self::Angle { .. } => Unit::DEGREE,
        }
    }
}

/// A quantity's code as the survey writes it.
pub(super) const fn on_channel_0(obis: ObisCode) -> ObisCode {
    match obis.0 {
        [1, 0..=2, c, d @ (7 | 8), e, 0 | 255] => ObisCode([1, 0, c, d, e, 255]),
        _ => obis,
    }
}

fn obis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObisCode, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

pub(super) fn optional_obis<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<ObisCode>, D::Error> {
    obis(deserializer).map(Some)
}

/// `"16.7.0" = "1.7.0"` or `"1.8.0" = ["1.8.1", "1.8.2"]`: codes of the survey and what counts.
pub(super) fn counts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pinned, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Codes {
        One(String),
        Several(Vec<String>),
    }
    let code = |text: &str| text.parse::<ObisCode>().map_err(de::Error::custom);
    let mut pinned = Pinned::new();
    for (own, codes) in BTreeMap::<String, Codes>::deserialize(deserializer)? {
        let obis = code(&own)?;
        if !obis.is_of_survey() {
            return Err(de::Error::custom(format!("`{own}` is no code of the survey")));
        }
        let codes = match codes {
            Codes::One(one) => vec![code(&one)?],
            Codes::Several(several) => {
                several.iter().map(|text| code(text)).collect::<Result<_, _>>()?
            }
        };
        if codes.is_empty() || pinned.insert(obis, codes).is_some() {
            return Err(de::Error::custom(format!(
                "say once, and not with nothing, what counts for {own}"
            )));
        }
    }
    Ok(pinned)
}

fn octets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let invalid = || de::Error::custom(format!("`{text}` is no row of hexadecimal digits"));
    if text.len() % 2 != 0 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(invalid());
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| invalid()))
        .collect::<Result<_, _>>()
        .map(Some)
}

fn unit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Unit>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(Some(match text.as_str() {
        "W" => Unit::WATT,
        "Wh" => Unit::WATT_HOUR,
        "VA" => Unit::VOLT_AMPERE,
        "var" => Unit::VAR,
        "varh" => Unit::VAR_HOUR,
        "V" => Unit::VOLT,
        "A" => Unit::AMPERE,
        "Hz" => Unit::HERTZ,
        "°" => Unit::DEGREE,
        _ => {
            return Err(de::Error::custom(format!(
                "`{text}` is no unit known here: write W, Wh, VA, var, varh, V, A, Hz or °"
            )));
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_for_quantities() {
        let of = |text: &str| Quantity::from_obis(text.parse().unwrap());
        assert_eq!(of("1.8.0"), Some(Quantity::ImportEnergy { tariff: 0 }));
        assert_eq!(of("2.8.2"), Some(Quantity::ExportEnergy { tariff: 2 }));
        for (phase, code) in [(1, "36.7.0"), (2, "56.7.0"), (3, "76.7.0")] {
            assert_eq!(of(code), Some(Quantity::Power { phase }));
        }
        for (phase, code) in [(1, "32.7.0"), (2, "52.7.0"), (3, "72.7.0")] {
            assert_eq!(of(code), Some(Quantity::Voltage { phase }));
        }
        for (phase, code) in [(1, "31.7.0"), (2, "51.7.0"), (3, "71.7.0")] {
            assert_eq!(of(code), Some(Quantity::Current { phase }));
        }
        for (phase, code) in [(1, "21.7.255"), (2, "41.7.255"), (3, "61.7.0"), (0, "1.7.255")] {
            assert_eq!(of(code), Some(Quantity::ImportPower { phase }));
        }
        assert_eq!(of("1.8.0*96"), None, "the last day's energy is not counted");
        assert_eq!(of("0-0:1.8.0"), None);
        assert_eq!(of("1-1:1.8.0"), None);
        let any = |text: &str| Quantity::of_any_channel(text.parse().unwrap());
        assert_eq!(any("1-1:1.8.0"), Some(Quantity::ImportEnergy { tariff: 0 }));
        assert_eq!(any("1-2:2.8.0"), Some(Quantity::ExportEnergy { tariff: 0 }));
        assert_eq!(any("1.8.0*00"), Some(Quantity::ImportEnergy { tariff: 0 }));
        assert_eq!(any("1.8.0*96"), None);
    }
}
