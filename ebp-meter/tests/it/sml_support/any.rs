//! Strategies: any telegram that can be encoded, any stream that could come out of a head.

use ebp_core::{obis::ObisCode, quantity::Unit};
use ebp_meter::sml::encode::{EncodeEntry, EncodeInt, EncodeValue, Telegram, encode};
use proptest::{collection::vec, option, prelude::*};

fn unsigned() -> impl Strategy<Value = EncodeInt> {
    (1..=8_u8, any::<u64>())
        .prop_map(|(width, bits)| EncodeInt::unsigned(bits >> (64 - 8 * u32::from(width)), width))
}

fn signed() -> impl Strategy<Value = EncodeInt> {
    (1..=8_u8, any::<i64>())
        .prop_map(|(width, bits)| EncodeInt::signed(bits >> (64 - 8 * u32::from(width)), width))
}

/// Bytes of which many are those that frames are made of.
pub fn bytes(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        3 => any::<u8>(),
        3 => Just(0x1b),
        1 => Just(0x01),
        1 => Just(0x1a),
        1 => Just(0x76),
    ];
    vec(byte, 0..longest)
}

fn value() -> impl Strategy<Value = EncodeValue> {
    prop_oneof![
        4 => signed().prop_map(EncodeValue::Int),
        2 => unsigned().prop_map(EncodeValue::Int),
        2 => bytes(70).prop_map(EncodeValue::Octets),
        1 => Just(EncodeValue::Absent),
    ]
}

fn entry() -> impl Strategy<Value = EncodeEntry> {
    let obis = prop_oneof![
        Just(ObisCode::POSITIVE_ENERGY),
        Just(ObisCode::SUM_POWER),
        Just(ObisCode::MANUFACTURER),
        any::<[u8; 6]>().prop_map(ObisCode),
    ];
    (
        obis,
        option::of(unsigned()),
        option::of(any::<u32>()),
        option::of(any::<u8>().prop_map(Unit)),
        option::of(any::<i8>()),
        value(),
    )
        .prop_map(|(obis, status, sec_index, unit, scaler, value)| EncodeEntry {
            obis,
            status,
            sec_index,
            unit,
            scaler,
            value,
        })
}

pub fn telegram() -> impl Strategy<Value = Telegram> {
    (
        // The standard asks for an identity: an open response without one is not well-formed.
        vec(any::<u8>(), 1..12),
        any::<u32>(),
        option::of(any::<u32>()),
        option::of(any::<[u8; 6]>().prop_map(ObisCode)),
        vec(entry(), 0..24),
    )
        .prop_map(|(server_id, file_id, sec_index, list_name, entries)| Telegram {
            server_id,
            file_id,
            sec_index,
            list_name,
            entries,
        })
}

/// Telegrams, whole, cut, with bytes lost or changed, and noise between.
pub fn stream() -> impl Strategy<Value = Vec<u8>> {
    let whole = telegram().prop_map(|t| encode(&t).unwrap());
    let cut = (whole, any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..4_u8);
    let piece = prop_oneof![
        4 => cut.prop_map(|(mut bytes, a, b, kind)| {
            let (a, b) = (a.index(bytes.len()), b.index(bytes.len()));
            match kind {
                0 => {}
                1 => bytes.truncate(a),
                2 => drop(bytes.drain(a.min(b)..a.max(b))),
                _ => bytes[a] ^= 1 << (b % 8),
            }
            bytes
        }),
        2 => bytes(200),
        1 => (0..20_usize).prop_map(|n| vec![0x1b; n]),
        1 => Just(ebp_meter::sml::frame::START.to_vec()),
        1 => (4000..70_000_usize, any::<u8>()).prop_map(|(n, byte)| vec![byte; n]),
    ];
    vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}
