//! ASCII telegrams of IEC 62056-21: identification, registers, end.
//!
//! Enters: a profile and the values. Leaves: characters, seven bits each. Absent: parity, which a
//! line adds and a pty does not; the dialogue before it.

use std::fmt::Write;

use super::{
    content::{octets, unit},
    moment::Moment,
};
use crate::profile::{AsciiForm, Profile, Register};

const STX: u8 = 0x02;
const ETX: u8 = 0x03;

/// Writes a telegram: `/` identification, the registers, `!`; between STX and ETX with a block check
/// character where the model has one.
pub(super) fn telegram(profile: &Profile, registers: &[Register], moment: &Moment) -> Vec<u8> {
    let identification = profile.telegram.identification.as_deref().unwrap_or_default();
    let mut data = String::new();
    for register in registers {
        let value = value(profile, register, moment);
        // Writing to a string does not fail.
        let _ = write!(data, "{}({value})\r\n", register.obis);
    }
    data.push_str("!\r\n");
    let mut bytes = format!("/{identification}\r\n").into_bytes();
    if profile.telegram.block_check {
        let mut block = data.into_bytes();
        block.push(ETX);
        // ISO/IEC 1155: exclusive or of everything behind STX up to and with ETX.
        let check = block.iter().fold(0, |check, byte| check ^ byte);
        bytes.push(STX);
        bytes.extend(block);
        bytes.push(check);
    } else {
        bytes.extend(b"\r\n");
        bytes.extend(data.into_bytes());
    }
    bytes
}

fn value(profile: &Profile, register: &Register, moment: &Moment) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if let Some(content) = register.content {
        return text(&octets(profile, content, moment));
    }
    if let Some(bytes) = &register.octets {
        return text(bytes);
    }
    let scaler = register.scaler.unwrap_or_default();
    let integer = profile.measures(register).map_or_else(
        || register.integer.unwrap_or_default().into(),
        |quantity| moment.integer(quantity, scaler),
    );
    let plain = AsciiForm { unit: String::new(), digits: 1, kilo: false };
    let form = register.ascii.as_ref().unwrap_or(&plain);
    let kilo = form.kilo || unit(register).kilo_symbol() == Some(form.unit.as_str());
    let places = i16::from(if kilo { 3_i8 } else { 0 }) - i16::from(scaler);
    let number = number(integer, usize::try_from(places).unwrap_or_default(), form.digits.into());
    if form.unit.is_empty() { number } else { format!("{number}*{}", form.unit) }
}

/// `integer` with its last `places` digits behind the point and at least `digits` before it.
fn number(integer: i128, places: usize, digits: usize) -> String {
    let sign = if integer < 0 { "-" } else { "" };
    let all = format!("{:0>1$}", integer.unsigned_abs(), digits + places);
    let (whole, fraction) = all.split_at(all.len() - places);
    if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits() {
        assert_eq!(number(12_525_688_570, 8, 6), "000125.25688570");
        assert_eq!(number(-45_890, 2, 6), "-000458.90");
        assert_eq!(number(420, 3, 1), "0.420");
        assert_eq!(number(0, 3, 1), "0.000");
        assert_eq!(number(10_001, 0, 7), "0010001");
        assert_eq!(number(123_456_789, 0, 3), "123456789");
    }
}
