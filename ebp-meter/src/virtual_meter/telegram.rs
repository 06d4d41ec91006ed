//! The content of a virtual meter's telegram, and its encoding in SML.
//!
//! Enters: a profile and a [`Moment`]. Leaves: bytes. Absent: time's passing; ASCII's digits, which
//! [`super::ascii`] writes.

use super::{
    ascii,
    content::{octets, server_id},
    moment::Moment,
};
use crate::{
    profile::{Content, Profile, Quantity, Quirk, Register, Transport},
    sml::encode::{EncodeEntry, EncodeError, EncodeInt, EncodeValue, Telegram, encode},
};

pub(super) fn bytes(
    profile: &Profile,
    locked: bool,
    moment: &Moment,
) -> Result<Vec<u8>, EncodeError> {
    let registers = profile.registers(locked);
    if profile.line.protocol != Transport::Sml {
        return Ok(ascii::telegram(profile, registers, moment));
    }
    let time = |given: bool| given.then_some(moment.operating_seconds);
    encode(&Telegram {
        server_id: server_id(profile, moment.number),
        file_id: moment.telegrams,
        sec_index: time(profile.telegram.time),
        list_name: profile.telegram.list_name,
        entries: registers
            .iter()
            .map(|register| EncodeEntry {
                obis: register.obis,
                status: register.status.map(|status| EncodeInt {
                    value: i128::from(match status.export {
                        Some(word) if moment.milliwatts < 0 => word,
                        _ => status.import,
                    }),
                    width: status.width,
                    signed: false,
                }),
                sec_index: time(register.time),
                unit: register.unit,
                scaler: register.scaler,
                value: value(profile, register, moment),
            })
            .collect(),
    })
}

fn value(profile: &Profile, register: &Register, moment: &Moment) -> EncodeValue {
    if let Some(content) = register.content {
        return match content {
            Content::Absent => EncodeValue::Absent,
            content => EncodeValue::Octets(octets(profile, content, moment)),
        };
    }
    if let Some(bytes) = &register.octets {
        return EncodeValue::Octets(bytes.clone());
    }
    let most = register.width.unwrap_or(8);
    let Some(quantity) = profile.measures(register) else {
        let value = i128::from(register.integer.unwrap_or_default());
        return EncodeValue::Int(EncodeInt { value, width: most, signed: register.signed });
    };
    let value = moment.integer(quantity, register.scaler.unwrap_or_default());
    let directed = matches!(quantity, Quantity::Power { .. });
    if directed && register.compact && value > 0 && profile.has(Quirk::DzgSign) {
        return EncodeValue::Int(short_of_its_sign(value, most));
    }
    let width = if register.compact { least_width(value, register.signed).min(most) } else { most };
    EncodeValue::Int(EncodeInt { value, width, signed: register.signed })
}

/// The fewest bytes that hold a number.
fn least_width(value: i128, signed: bool) -> u8 {
    let fits = |width: &u8| {
        let bits = 8 * u32::from(*width);
        if signed {
            let half = 1_i128 << (bits - 1);
            (-half..half).contains(&value)
        } else {
            (0..1_i128 << bits).contains(&value)
        }
    };
    (1..=8).find(fits).unwrap_or(8)
}

/// A positive number in as few bytes as it needs without a sign, in a type that has one: so do
/// DZG's DVS74 and related models, which turns 356.24 W into -299.12 W.
fn short_of_its_sign(value: i128, most: u8) -> EncodeInt {
    let width = least_width(value, false).min(most);
    let whole = 1_i128 << (8 * u32::from(width));
    let value = if value >= whole / 2 && value < whole { value - whole } else { value };
    EncodeInt { value, width, signed: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths() {
        for (value, signed, width) in [
            (0, false, 1),
            (255, false, 1),
            (256, false, 2),
            (127, true, 1),
            (128, true, 2),
            (-128, true, 1),
            (-129, true, 2),
            (i128::from(u64::MAX), false, 8),
        ] {
            assert_eq!(least_width(value, signed), width, "{value} {signed}");
        }
    }

    #[test]
    fn the_fault_of_dzg() {
        let short = |value| {
            let int = short_of_its_sign(value, 4);
            (int.value, int.width)
        };
        assert_eq!(short(35_624), (-29_912, 2), "as in the dump of a DVS-7412.2");
        assert_eq!(short(21_599), (21_599, 2));
        assert_eq!(short(677), (677, 2));
        assert_eq!(short(200), (-56, 1));
    }
}
