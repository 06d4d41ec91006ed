//! What a virtual meter's telegram says, and in SML how it is written.
//!
//! Enters: a profile and a [`Moment`]. Leaves: bytes. Absent: time's passing; ASCII's digits, which
//! [`super::ascii`] writes.

use ebp_core::quantity::Unit;

use super::{ascii, energies::Energies, random};
use crate::{
    profile::{Content, Profile, Quantity, Quirk, Register, ServerIdForm, Transport},
    sml::encode::{EncodeEntry, EncodeError, EncodeInt, EncodeValue, Telegram, encode},
};

/// Everything that a telegram can be asked for.
pub(super) struct Moment {
    pub energies: Energies,
    /// Draw positive.
    pub milliwatts: i64,
    /// Since 1970-01-01 UTC.
    pub second: i64,
    pub operating_seconds: u32,
    pub seed: u64,
    pub number: u32,
    pub telegrams: u32,
}

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
    let Some(quantity) = register.quantity() else {
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

/// The bytes that an entry without a number carries.
pub(super) fn octets(profile: &Profile, content: Content, moment: &Moment) -> Vec<u8> {
    match content {
        Content::Maker => profile.flag.bytes().to_vec(),
        Content::ServerId => server_id(profile, moment.number),
        Content::IdentityText => {
            format!("1{}{:02X}{:08}", profile.flag, profile.telegram.block, moment.number)
                .into_bytes()
        }
        Content::SerialNumber => format!("{:08}", moment.number).into_bytes(),
        Content::PublicKey => {
            let mut stream = random::Stream::new(random::at(moment.seed, 5, moment.number.into()));
            (0..6).flat_map(|_| stream.next().to_be_bytes()).collect()
        }
        Content::OperatingSeconds => format!("{:08X}", moment.operating_seconds).into_bytes(),
        Content::Absent => Vec::new(),
    }
}

/// The ten bytes of DIN 43863-5 and of what came before it.
pub(super) fn server_id(profile: &Profile, number: u32) -> Vec<u8> {
    let block = profile.telegram.block;
    let lead: &[u8] = match profile.telegram.server_id {
        ServerIdForm::Din43863 => &[0x0a, 0x01],
        ServerIdForm::Early => &[0x09, 0x01],
        ServerIdForm::Ehz => &[0x06],
    };
    let fill: &[u8] = match profile.telegram.server_id {
        ServerIdForm::Ehz => &[0],
        ServerIdForm::Din43863 | ServerIdForm::Early => &[],
    };
    [lead, &profile.flag.bytes(), &[block], fill, &number.to_be_bytes()].concat()
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

/// A positive number in as few bytes as it needs without a sign, in a type that has one: so do DZG's
/// DVS74 and kin, which turns 356.24 W into -299.12 W.
fn short_of_its_sign(value: i128, most: u8) -> EncodeInt {
    let width = least_width(value, false).min(most);
    let whole = 1_i128 << (8 * u32::from(width));
    let value = if value >= whole / 2 && value < whole { value - whole } else { value };
    EncodeInt { value, width, signed: true }
}

impl Moment {
    /// A quantity as an integer in its own unit times ten to the power of `scaler`, its further
    /// digits cut off.
    pub(super) fn integer(&self, quantity: Quantity, scaler: i8) -> i128 {
        match quantity {
            Quantity::ImportEnergy { tariff } => {
                energy(self.energies.import_microjoules, tariff, scaler)
            }
            Quantity::ExportEnergy { tariff } => {
                energy(self.energies.export_microjoules, tariff, scaler)
            }
            Quantity::Power { phase } => thousandths(self.phase(phase), scaler),
            Quantity::ImportPower { phase } => thousandths(self.phase(phase).max(0), scaler),
            Quantity::ExportPower { phase } => thousandths((-self.phase(phase)).max(0), scaler),
            Quantity::AbsolutePower => thousandths(self.milliwatts.abs(), scaler),
            Quantity::Voltage { phase } => thousandths(self.millivolts(phase), scaler),
            Quantity::Current { phase } => {
                let milliamperes = self.phase(phase).abs() * 1_000 / self.millivolts(phase);
                thousandths(milliamperes, scaler)
            }
            Quantity::Frequency => thousandths(49_960 + self.wobble(9, 81), scaler),
            Quantity::Angle { which } => thousandths(self.millidegrees(which), scaler),
        }
    }

    /// The power of one phase: half, three and two tenths of all; 0 asks for all.
    fn phase(&self, phase: u8) -> i64 {
        let (first, second) = (self.milliwatts / 2, self.milliwatts * 3 / 10);
        match phase {
            0 => self.milliwatts,
            1 => first,
            2 => second,
            _ => self.milliwatts - first - second,
        }
    }

    fn millivolts(&self, phase: u8) -> i64 {
        229_000 + self.wobble(10 + u64::from(phase), 5_000)
    }

    fn millidegrees(&self, which: u8) -> i64 {
        match which {
            1 => 120_000,
            2 => 240_000,
            _ if self.milliwatts < 0 => 180_000 - self.wobble(which.into(), 9_000),
            _ => self.wobble(which.into(), 20_000),
        }
    }

    /// From 0 up to `below`, another each second.
    fn wobble(&self, purpose: u64, below: u64) -> i64 {
        let number = random::at(self.seed, purpose, self.second.cast_unsigned()) % below.max(1);
        i64::try_from(number).unwrap_or_default()
    }
}

/// All energy is counted as tariff 1.
fn energy(microjoules: u64, tariff: u8, scaler: i8) -> i128 {
    if tariff > 1 { 0 } else { cut(microjoules.into(), 3_600_000_000, scaler) }
}

fn thousandths(value: i64, scaler: i8) -> i128 {
    cut(value.into(), 1_000, scaler)
}

/// `value / (per · 10^scaler)`, cut off toward zero.
fn cut(value: i128, per: i128, scaler: i8) -> i128 {
    let power = 10_i128.pow(u32::from(scaler.unsigned_abs()).min(18));
    if scaler < 0 { value * power / per } else { value / (per * power) }
}

/// The unit in which a register counts; a mere number where it says none.
pub(super) fn unit(register: &Register) -> Unit {
    register.unit.unwrap_or(Unit::COUNT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_cut_off_not_rounded() {
        // 1.9999 kWh.
        let microjoules = 1_999_900_000 * 3_600;
        assert_eq!(cut(microjoules, 3_600_000_000, 3), 1);
        assert_eq!(cut(microjoules, 3_600_000_000, 0), 1_999);
        assert_eq!(cut(microjoules, 3_600_000_000, -1), 19_999);
        assert_eq!(cut(-356_249, 1_000, -2), -35_624);
        assert_eq!(cut(-999, 1_000, 0), 0);
    }

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
