//! Any telegram that can be encoded.
//!
//! Enters: what the fuzzer made up. Leaves: [`Telegram`]s. Absent: telegrams with faults.

use ebp_core::{obis::ObisCode, quantity::Unit};
use ebp_meter::sml::encode::{EncodeEntry, EncodeInt, EncodeValue, Telegram};
use libfuzzer_sys::arbitrary::{self, Arbitrary};

/// A telegram to be.
#[derive(Debug, Arbitrary)]
pub struct AnyTelegram {
    server_id: Vec<u8>,
    file_id: u32,
    sec_index: Option<u32>,
    list_name: Option<[u8; 6]>,
    entries: Vec<AnyEntry>,
}

#[derive(Debug, Arbitrary)]
struct AnyEntry {
    obis: AnyObis,
    status: Option<AnyUnsigned>,
    sec_index: Option<u32>,
    unit: Option<u8>,
    scaler: Option<i8>,
    value: AnyValue,
}

/// The codes that mean something to the decoder come more often than chance would have them.
#[derive(Debug, Arbitrary)]
enum AnyObis {
    PositiveEnergy,
    SumPower,
    AbsolutePower,
    Manufacturer,
    ServerId,
    Other([u8; 6]),
}

#[derive(Debug, Arbitrary)]
struct AnyUnsigned {
    bits: u64,
    width: u8,
}

#[derive(Debug, Arbitrary)]
struct AnySigned {
    bits: i64,
    width: u8,
}

#[derive(Debug, Arbitrary)]
enum AnyValue {
    Signed(AnySigned),
    Unsigned(AnyUnsigned),
    Octets(Vec<u8>),
    Absent,
}

impl From<AnyUnsigned> for EncodeInt {
    fn from(AnyUnsigned { bits, width }: AnyUnsigned) -> Self {
        let width = 1 + width % 8;
        Self::unsigned(bits >> (64 - 8 * u32::from(width)), width)
    }
}

impl From<AnySigned> for EncodeInt {
    fn from(AnySigned { bits, width }: AnySigned) -> Self {
        let width = 1 + width % 8;
        Self::signed(bits >> (64 - 8 * u32::from(width)), width)
    }
}

impl From<AnyObis> for ObisCode {
    fn from(obis: AnyObis) -> Self {
        match obis {
            AnyObis::PositiveEnergy => Self::POSITIVE_ENERGY,
            AnyObis::SumPower => Self::SUM_POWER,
            AnyObis::AbsolutePower => Self::ABSOLUTE_POWER,
            AnyObis::Manufacturer => Self::MANUFACTURER,
            AnyObis::ServerId => Self::SERVER_ID,
            AnyObis::Other(groups) => Self(groups),
        }
    }
}

impl From<AnyEntry> for EncodeEntry {
    fn from(entry: AnyEntry) -> Self {
        Self {
            obis: entry.obis.into(),
            status: entry.status.map(Into::into),
            sec_index: entry.sec_index,
            unit: entry.unit.map(Unit),
            scaler: entry.scaler,
            value: match entry.value {
                AnyValue::Signed(int) => EncodeValue::Int(int.into()),
                AnyValue::Unsigned(int) => EncodeValue::Int(int.into()),
                AnyValue::Octets(octets) => EncodeValue::Octets(octets),
                AnyValue::Absent => EncodeValue::Absent,
            },
        }
    }
}

impl From<AnyTelegram> for Telegram {
    fn from(telegram: AnyTelegram) -> Self {
        Self {
            server_id: telegram.server_id,
            file_id: telegram.file_id,
            sec_index: telegram.sec_index,
            list_name: telegram.list_name.map(ObisCode),
            entries: telegram.entries.into_iter().map(Into::into).collect(),
        }
    }
}
