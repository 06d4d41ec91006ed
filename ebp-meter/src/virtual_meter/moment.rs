//! The values of a virtual meter at one moment.
//!
//! Enters: registers, power and time. Leaves: each quantity as the integer that a register shows.
//! Absent: registers' widths and digits.

use super::{energies::Energies, random};
use crate::profile::Quantity;

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
    /// Whether all power goes over the first phase.
    pub one_phase: bool,
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
            1 if self.one_phase => self.milliwatts,
            _ if self.one_phase => 0,
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
}
