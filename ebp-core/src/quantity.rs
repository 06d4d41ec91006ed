//! Units and exactly scaled values.
//!
//! Enters: an integer, a power of ten and a DLMS unit code as a meter sends them.
//! Leaves: [`Unit`] and exact decimals. Absent: floating point.

use std::fmt;

use rust_decimal::Decimal;

/// A physical unit by its DLMS code (IEC 62056-6-2, table of units).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Unit(pub u8);

impl Unit {
    /// Degrees (of a phase angle).
    pub const DEGREE: Self = Self(8);
    /// Watt.
    pub const WATT: Self = Self(27);
    /// Volt-ampere.
    pub const VOLT_AMPERE: Self = Self(28);
    /// Var.
    pub const VAR: Self = Self(29);
    /// Watt-hour.
    pub const WATT_HOUR: Self = Self(30);
    /// Volt-ampere-hour.
    pub const VOLT_AMPERE_HOUR: Self = Self(31);
    /// Var-hour.
    pub const VAR_HOUR: Self = Self(32);
    /// Ampere.
    pub const AMPERE: Self = Self(33);
    /// Volt.
    pub const VOLT: Self = Self(35);
    /// Hertz.
    pub const HERTZ: Self = Self(44);
    /// A number without a unit.
    pub const COUNT: Self = Self(255);

    /// The symbol, for codes that household meters send; empty for a number without a unit.
    #[must_use]
    pub const fn symbol(self) -> Option<&'static str> {
        Some(match self.0 {
            6 => "h",
            7 => "s",
            8 => "°",
            9 => "°C",
            13 => "m³",
            27 => "W",
            28 => "VA",
            29 => "var",
            30 => "Wh",
            31 => "VAh",
            32 => "varh",
            33 => "A",
            35 => "V",
            44 => "Hz",
            255 => "",
            _ => return None,
        })
    }

    /// The symbol of a thousand of this unit, for the units that people read in thousands:
    /// energy in kWh, kvarh and kVAh, power in kW, kvar and kVA.
    #[must_use]
    pub const fn kilo_symbol(self) -> Option<&'static str> {
        Some(match self {
            Self::WATT => "kW",
            Self::VOLT_AMPERE => "kVA",
            Self::VAR => "kvar",
            Self::WATT_HOUR => "kWh",
            Self::VOLT_AMPERE_HOUR => "kVAh",
            Self::VAR_HOUR => "kvarh",
            _ => return None,
        })
    }

    /// Whether it is a unit of energy.
    #[must_use]
    pub const fn is_energy(self) -> bool {
        matches!(self, Self::WATT_HOUR | Self::VAR_HOUR | Self::VOLT_AMPERE_HOUR)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.symbol() {
            Some(symbol) => f.write_str(symbol),
            None => write!(f, "unit {}", self.0),
        }
    }
}

/// `integer · 10^scaler`, exactly and without trailing zeros.
///
/// `None` if 96 bits and 28 decimal places are not enough; no household meter sends such a value.
///
/// ```
/// use ebp_core::quantity::scaled;
/// assert_eq!(scaled(123_456_789, -4).unwrap().to_string(), "12345.6789");
/// assert_eq!(scaled(15, 0).unwrap().to_string(), "15");
/// assert_eq!(scaled(1, 127), None);
/// ```
#[must_use]
pub fn scaled(integer: i128, scaler: i16) -> Option<Decimal> {
    let (mut integer, mut scaler) = (integer, scaler);
    while integer != 0 && scaler < 0 && integer % 10 == 0 {
        integer /= 10;
        scaler += 1;
    }
    if integer == 0 {
        return Some(Decimal::ZERO);
    }
    let places = u32::from(scaler.unsigned_abs());
    if scaler < 0 {
        return Decimal::try_from_i128_with_scale(integer, places).ok();
    }
    let integer = integer.checked_mul(10_i128.checked_pow(places)?)?;
    Decimal::try_from_i128_with_scale(integer, 0).ok()
}

/// `integer · 10^scaler` of `unit` in the unit that people read it in: kWh and kW for Wh and W (and
/// their reactive and apparent counterparts), all others unchanged.
#[must_use]
pub fn readable(integer: i128, scaler: i16, unit: Unit) -> Option<Decimal> {
    let kilo = if unit.kilo_symbol().is_some() { 3 } else { 0 };
    scaled(integer, scaler.checked_sub(kilo)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fifteen_watts_are_exactly_0_015_kilowatts() {
        assert_eq!(readable(15, 0, Unit::WATT).unwrap().to_string(), "0.015");
        assert_eq!(readable(123_456_789, -1, Unit::WATT_HOUR).unwrap().to_string(), "12345.6789");
        assert_eq!(readable(-35_624, -2, Unit::WATT).unwrap().to_string(), "-0.35624");
        assert_eq!(readable(2301, -1, Unit::VOLT).unwrap().to_string(), "230.1");
    }

    #[test]
    fn zeros_vanish() {
        assert_eq!(scaled(1_000_000, -3).unwrap().to_string(), "1000");
        assert_eq!(scaled(0, -5).unwrap().to_string(), "0");
        assert_eq!(scaled(0, 120).unwrap().to_string(), "0");
        assert_eq!(scaled(7, 3).unwrap().to_string(), "7000");
    }

    proptest! {
        #[test]
        fn every_meter_value_fits(raw: u64, negative: bool, scaler in -9_i16..=8) {
            let raw = if negative { -i128::from(raw) } else { i128::from(raw) };
            let value = scaled(raw, scaler);
            prop_assert!(value.is_some());
        }
        #[test]
        fn nothing_panics(raw: i64, scaler: i16) {
            let _ = scaled(raw.into(), scaler);
        }
    }
}
