//! What a telegram said, in few bytes: a year of a hundred devices has millions of telegrams.
//!
//! Enters: exact counts of the survey's three registers. Leaves: data points. Absent: where counts come
//! from.

use std::fmt;

use ebp_core::{
    model::{DataPoint, MeasurementData},
    obis::ObisCode,
};
use rust_decimal::Decimal;

/// The survey's registers, in the order of a measurement.
pub const REGISTERS: [ObisCode; 3] =
    [ObisCode::POSITIVE_ENERGY, ObisCode::NEGATIVE_ENERGY, ObisCode::SUM_POWER];

/// A value of each register that the telegram has: `count · 10^exponent`, in kWh or kW.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Values {
    counts: [i64; 3],
    exponents: [Option<i8>; 3],
}

impl Values {
    /// Those of the registers' order; nothing where a count does not fit.
    #[must_use]
    pub fn new(values: [Option<(i128, i32)>; 3]) -> Option<Self> {
        let mut all = Self::default();
        for (place, value) in values.into_iter().enumerate() {
            let Some((count, exponent)) = value else { continue };
            all.counts[place] = count.try_into().ok()?;
            all.exponents[place] = Some(exponent.try_into().ok()?);
        }
        Some(all)
    }

    /// As a measurement has them.
    #[must_use]
    pub fn data(&self) -> MeasurementData {
        let all = REGISTERS.into_iter().zip(self.counts).zip(self.exponents);
        let point = |((obis, count), exponent): ((_, i64), Option<i8>)| {
            Some(DataPoint { obis, value: decimal(count.into(), exponent?.into()) })
        };
        all.filter_map(point).collect()
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.data().fmt(f)
    }
}

/// `count · 10^exponent`.
fn decimal(count: i128, exponent: i32) -> Decimal {
    match u32::try_from(-exponent) {
        Ok(places) => Decimal::from_i128_with_scale(count, places),
        Err(_) => Decimal::from_i128_with_scale(count * 10_i128.pow(exponent.unsigned_abs()), 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_exact_and_those_that_are_missing_stay_so() {
        let values = Values::new([Some((123_456_789, -4)), None, Some((-17, 1))]).unwrap();
        let data = values.data();
        let text: Vec<_> = data.iter().map(|point| point.value.to_string()).collect();
        assert_eq!(text, ["12345.6789", "-170"]);
        assert_eq!(data[0].obis, ObisCode::POSITIVE_ENERGY);
        assert_eq!(data[1].obis, ObisCode::SUM_POWER);
        assert_eq!(Values::new([Some((i128::MAX, 0)), None, None]), None);
        assert!(size_of::<Values>() <= 32);
    }
}
