//! What one telegram says: the one type that every protocol is decoded into.
//!
//! Enters: entries as a decoder found them. Leaves: [`Readout`] with exact values.
//! Absent: bytes, framing, and how any protocol encodes them.

use std::fmt;

use ebp_core::{
    obis::ObisCode,
    quantity::{Unit, readable, scaled},
};
use rust_decimal::Decimal;
use smallvec::SmallVec;

use crate::flag_id::FlagId;

/// The language of a telegram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Smart Message Language (DIN VDE 0418-63-9, BSI TR-03109-1 annex).
    Sml,
    /// ASCII registers of IEC 62056-21, pushed (mode D) or asked for (modes A to C).
    D0,
    /// A language that a driver of its own speaks (see [`Driver`](crate::interface::Driver)).
    Own,
}

impl Protocol {
    /// The name on the command line and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sml => "sml",
            Self::D0 => "d0",
            Self::Own => "own",
        }
    }
}

/// How far the telegram's checksums can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Integrity {
    /// The telegram's own checksum is right.
    Ok,
    /// The frame is damaged, but this message carries a checksum of its own that is right.
    Salvaged,
    /// The protocol has no checksum (IEC 62056-21 mode D without a block check character).
    Unchecked,
}

impl Integrity {
    /// The name in JSON's `frame.crc`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Salvaged => "salvaged",
            Self::Unchecked => "none",
        }
    }
}

/// A point in time as the meter gave it; never taken for real time, since meters' clocks are not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeterTime {
    /// Seconds of operation (or another counter of seconds).
    SecIndex(u32),
    /// Seconds since 1970-01-01 UTC by the meter's own clock.
    Timestamp(u32),
    /// The same with the offset to local time and of the season, minutes.
    Local {
        /// Seconds since 1970-01-01 UTC.
        timestamp: u32,
        /// Offset of the time zone, minutes.
        offset: i16,
        /// Offset of the season, minutes.
        season: i16,
    },
}

/// Bytes of a telegram: identities and makers' letters are short enough to be held in place.
pub type Octets = SmallVec<[u8; 16]>;

/// A value as the telegram carries it.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// The entry is there, its value is not.
    Absent,
    /// True or false.
    Bool(bool),
    /// A number before scaling, of any width on the wire.
    Integer(i128),
    /// Bytes: identifiers, keys, texts.
    Octets(Octets),
    /// A time.
    Time(MeterTime),
}

/// Shows no octets: they identify the meter.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("Absent"),
            Self::Bool(b) => write!(f, "Bool({b})"),
            Self::Integer(i) => write!(f, "Integer({i})"),
            Self::Octets(bytes) => write!(f, "Octets({} bytes)", bytes.len()),
            Self::Time(time) => write!(f, "Time({time:?})"),
        }
    }
}

/// A known fault of a meter that was put right in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Correction {
    /// DZG DVS74 and kin: a positive power in a signed integer too short for it was read as unsigned.
    DzgSign,
    /// EMH ED300L: the direction of 15.7.0 was taken from the status word of 1.8.0.
    Ed300lDirection,
    /// Holley DTZ541 and kin: the direction of 16.7.0 was taken from the status word of 1.8.0.
    HolleyDirection,
}

impl Correction {
    /// The name in JSON's `corrected`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DzgSign => "dzg-sign",
            Self::Ed300lDirection => "ed300l-direction",
            Self::HolleyDirection => "holley-direction",
        }
    }
}

/// One entry of a telegram's list of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which quantity.
    pub obis: ObisCode,
    /// Its value before scaling.
    pub value: Value,
    /// Its unit, where the telegram gives one.
    pub unit: Option<Unit>,
    /// The power of ten that the integer is multiplied by.
    pub scaler: i8,
    /// The status word, where the telegram gives one.
    pub status: Option<u64>,
    /// When the value was valid, by the meter's own clock.
    pub time: Option<MeterTime>,
    /// What was put right, if anything.
    pub corrected: Option<Correction>,
}

impl Entry {
    /// The exact value in the entry's own unit (Wh, W, V).
    #[must_use]
    pub fn exact(&self) -> Option<Decimal> {
        match self.value {
            Value::Integer(integer) => scaled(integer, self.scaler.into()),
            _ => None,
        }
    }

    /// The exact value in the unit people read: energy in kWh, power in kW, all others as they are.
    #[must_use]
    pub fn readable(&self) -> Option<Decimal> {
        match self.value {
            Value::Integer(integer) => {
                readable(integer, self.scaler.into(), self.unit.unwrap_or(Unit::COUNT))
            }
            _ => None,
        }
    }
}

/// The identity by which a meter names itself, up to ten bytes (DIN 43863-5). `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ServerId(pub Octets);

impl ServerId {
    /// Its bytes in hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        self.0.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The maker's three letters, where the id is built as DIN 43863-5 says
    /// (`0a 01 49534b 00 04c1d2e3`: the length 0a, medium 1, `ISK`, block 00, number).
    #[must_use]
    pub fn manufacturer(&self) -> Option<FlagId> {
        match *self.0.as_slice() {
            [_, _, a, b, c, _, _, _, _, _] => FlagId::new([a, b, c]),
            _ => None,
        }
    }
}

impl fmt::Debug for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerId(redacted)")
    }
}

/// A register of an ASCII telegram whose address is no OBIS code, as it stands there. `Debug` hides
/// its value, which may identify the meter.
#[derive(Clone, PartialEq, Eq)]
pub struct Unaddressed {
    /// What stands before the parenthesis.
    pub address: String,
    /// What stands in it.
    pub text: String,
}

impl fmt::Debug for Unaddressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unaddressed({} characters)", self.text.len())
    }
}

/// What one telegram says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readout {
    /// The language it was in.
    pub protocol: Protocol,
    /// The meter's identity, where it gave one.
    pub server_id: Option<ServerId>,
    /// The maker's FLAG id (three letters), where the telegram names it in any of the known places.
    pub manufacturer: Option<FlagId>,
    /// The meter's own time, where it gave one.
    pub meter_time: Option<MeterTime>,
    /// Every entry, in the telegram's order.
    pub entries: Vec<Entry>,
    /// ASCII registers whose address is no OBIS code.
    pub unaddressed: Vec<Unaddressed>,
    /// How far it can be relied on.
    pub integrity: Integrity,
    /// The telegram's length on the wire, bytes from its first start byte to its last end byte.
    pub bytes: usize,
}

impl Readout {
    /// The first entry with that code.
    #[must_use]
    pub fn entry(&self, obis: ObisCode) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.obis == obis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_id_tells_its_maker_and_hides_itself() {
        let id = ServerId([0x0a, 0x01, 0x49, 0x53, 0x4b, 0x00, 0x04, 0xc1, 0xd2, 0xe3][..].into());
        assert_eq!(id.manufacturer().as_deref(), Some("ISK"));
        assert_eq!(id.hex(), "0a0149534b0004c1d2e3");
        assert_eq!(format!("{id:?}"), "ServerId(redacted)");
        assert_eq!(
            ServerId([6, 0x45, 0x4d, 0x48, 1, 2, 3, 4, 5, 6][..].into()).manufacturer(),
            None
        );
        assert_eq!(ServerId(Octets::new()).manufacturer(), None);
    }
}
