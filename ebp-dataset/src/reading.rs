//! A reading: what is used of a measurement.

use ebp_core::{
    contract::StoredMeasurement,
    model::{DataPoint, Flag},
    obis::ObisCode,
};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::{Deserialize, Serialize};

use crate::energy::Energy;

/// What a register shows: cut off, so that it truly is that value or up to one unit of its last
/// decimal more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Register {
    value: i64,
    resolution: i64,
}

impl Register {
    /// No household meter shows so many kWh.
    const MOST: i64 = 1_000_000_000;

    /// The value with as many decimals as it has, kWh; those beyond eight are cut off. Nothing for
    /// 10^9 kWh and more, of either sign.
    #[must_use]
    pub fn from_decimal(value: Decimal) -> Option<Self> {
        let places = value.scale().min(Energy::PLACES);
        let cut = if value.scale() > places {
            // Towards smaller values, also of negative ones.
            let shifted = value.checked_mul(Decimal::from(Energy::KILOWATT_HOUR.0))?;
            shifted.floor().to_i64()?
        } else {
            let unit = 10_i64.pow(Energy::PLACES - places);
            i64::try_from(value.mantissa()).ok()?.checked_mul(unit)?
        };
        let most = Self::MOST * Energy::KILOWATT_HOUR.0;
        let resolution = 10_i64.pow(Energy::PLACES - places);
        (-most < cut && cut < most).then_some(Self { value: cut, resolution })
    }

    /// The same, of a telegram in which another register shows that many decimals.
    fn beside(self, other: Self) -> Self {
        Self { resolution: self.resolution.min(other.resolution), ..self }
    }

    /// The value shown.
    #[must_use]
    pub const fn value(self) -> Energy {
        Energy(self.value)
    }

    /// One unit of its last decimal.
    #[must_use]
    pub const fn resolution(self) -> Energy {
        Energy(self.resolution)
    }
}

/// A stored measurement as the rules read it. Instants are microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// When it was measured.
    pub at: i64,
    /// When the server received it, and its identifier: of several of one instant the first counts.
    pub rank: (i64, u128),
    /// 1.8.0.
    pub import: Option<Register>,
    /// 2.8.0.
    pub export: Option<Register>,
    /// The power then, 10^-8 kW; what is drawn is positive.
    pub power: Option<i64>,
    /// How far the instant may be off, microseconds.
    pub uncertainty: i64,
    /// Whether the time was set right afterwards.
    pub clock_corrected: bool,
    /// Whether the device found a value beyond what the meter can carry.
    pub power_out_of_range: bool,
    /// Whether the device sees another meter than the first one in its place: of each reading as long
    /// as it does.
    pub another_meter: bool,
}

impl Reading {
    /// An exact instant without values.
    #[must_use]
    pub const fn at(at: i64) -> Self {
        Self {
            at,
            rank: (at, 0),
            import: None,
            export: None,
            power: None,
            uncertainty: 0,
            clock_corrected: false,
            power_out_of_range: false,
            another_meter: false,
        }
    }

    /// Of a stored measurement. Registers that no household meter shows are left out.
    ///
    /// Programs on devices drop trailing zeros: `12345.0000` is stored as `12345`, as a locked meter
    /// shows it. A locked meter cuts off all of its registers, and an unlocked one sends all of them
    /// with the same decimals (each of the models' profiles that states both). So one register with
    /// decimals tells how exact the other one is, unless one is of another source
    /// ([`Flag::CodeSubstituted`]).
    #[must_use]
    pub fn from_stored(stored: &StoredMeasurement) -> Self {
        let register = |code| find(&stored.data, code).and_then(Register::from_decimal);
        let bound = stored.flags.iter().filter_map(|flag| flag.time_bound()).max();
        let micros = |bound: std::time::Duration| i64::try_from(bound.as_micros()).ok();
        let shown = [register(ObisCode::POSITIVE_ENERGY), register(ObisCode::NEGATIVE_ENERGY)];
        let [import, export] = match shown {
            [Some(import), Some(export)] if !stored.flags.contains(&Flag::CodeSubstituted) => {
                [Some(import.beside(export)), Some(export.beside(import))]
            }
            shown => shown,
        };
        Self {
            rank: (stored.received_at.as_microsecond(), stored.uuid.as_u128()),
            import,
            export,
            power: power(&stored.data),
            uncertainty: bound.and_then(micros).unwrap_or(0),
            clock_corrected: stored.flags.contains(&Flag::ClockCorrected),
            power_out_of_range: stored.flags.contains(&Flag::PowerOutOfRange),
            another_meter: stored.flags.contains(&Flag::AnotherMeter),
            ..Self::at(stored.measured_at.as_microsecond())
        }
    }
}

fn find(data: &[DataPoint], code: ObisCode) -> Option<Decimal> {
    data.iter().find(|point| point.obis == code).map(|point| point.value)
}

/// 16.7.0, or the difference of 1.7.0 and 2.7.0 where both stand instead.
fn power(data: &[DataPoint]) -> Option<i64> {
    let kilowatts = find(data, ObisCode::SUM_POWER).or_else(|| {
        let drawn = find(data, ObisCode::POSITIVE_POWER)?;
        drawn.checked_sub(find(data, ObisCode::NEGATIVE_POWER)?)
    })?;
    kilowatts.checked_mul(Decimal::from(Energy::KILOWATT_HOUR.0))?.trunc().to_i64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(text: &str) -> Option<(i64, i64)> {
        let register = Register::from_decimal(text.parse().unwrap())?;
        Some((register.value, register.resolution))
    }

    #[test]
    fn decimals_are_the_resolution() {
        assert_eq!(register("12345.6000"), Some((1_234_560_000_000, 10_000)));
        assert_eq!(register("12346"), Some((1_234_600_000_000, 100_000_000)));
        assert_eq!(register("0.123456789"), Some((12_345_678, 1)));
        assert_eq!(register("-0.123456789"), Some((-12_345_679, 1)));
        assert_eq!(register("1000000000"), None);
        assert_eq!(register("79228162514264337593543950335"), None);
    }

    #[test]
    fn power_is_signed() {
        let data = |text: &str| power(&serde_json::from_str::<Vec<DataPoint>>(text).unwrap());
        assert_eq!(data(r#"[{"0100100700ff":-0.015}]"#), Some(-1_500_000));
        assert_eq!(data(r#"[{"0100010700ff":1.5},{"0100020700ff":2}]"#), Some(-50_000_000));
        assert_eq!(data(r#"[{"0100010700ff":1.5}]"#), None);
    }
}
