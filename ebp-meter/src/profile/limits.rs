//! A meter's maximum power, for plausibility checks.
//!
//! Enters: the table `[limits]`. Leaves: [`Limits`]. Absent: what follows from a value beyond it.

use rust_decimal::Decimal;
use serde::Deserialize;

/// The upper end of the supply voltage, 230 V + 10 % (EN 50160).
const HIGHEST_VOLTAGE: u32 = 253;

/// What a directly connected meter carries at most.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The maximum current of each phase, amperes: the number in brackets on the meter's face.
    pub max_current_a: u16,
    /// How many phases it has, 1 or 3.
    pub phases: u8,
    /// Where these are from.
    pub source: String,
}

impl Limits {
    /// The power of all phases at the maximum current and the highest voltage, kW.
    #[must_use]
    pub fn max_kilowatts(&self) -> Decimal {
        max_kilowatts(self.max_current_a, self.phases)
    }
}

/// The power of that many phases at that maximum current, amperes, and the highest voltage, kW.
#[must_use]
pub fn max_kilowatts(max_current_a: u16, phases: u8) -> Decimal {
    let watts = HIGHEST_VOLTAGE * u32::from(max_current_a) * u32::from(phases);
    Decimal::new(watts.into(), 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn current_times_voltage_times_phases() {
        let limits = Limits { max_current_a: 60, phases: 3, source: String::new() };
        assert_eq!(limits.max_kilowatts().to_string(), "45.540");
    }
}
