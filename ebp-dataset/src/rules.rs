//! The parameters of the rules, and how fast a register can grow.

use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::{Deserialize, Serialize};

/// A quarter of an hour, microseconds.
pub const QUARTER: i64 = 900_000_000;

/// An hour, microseconds.
pub(crate) const HOUR: i64 = 4 * QUARTER;

/// What the rules are applied with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// The greatest power of the meter, 10^-8 kW.
    max_power: i64,
}

impl Rules {
    /// A boundary is known where a reading is so near, its uncertainty added; microseconds.
    pub const NEAR: i64 = 60_000_000;
    /// A boundary is known where a reading has a resolution so fine; 10^-8 kWh.
    pub const FINE: i64 = 1_000_000;
    /// A reading whose resolution is so fine and whose instant is exact ends the look at what comes
    /// behind a boundary; 10^-8 kWh.
    pub const DECISIVE: i64 = 10_000;
    /// Readings so long behind a boundary, but for the first one, say nothing of it; microseconds.
    pub const LOOK_AHEAD: i64 = 31 * 24 * HOUR;
    /// Greatest uncertainty of an instant with which a reading is used; microseconds.
    pub const UNCERTAIN: i64 = QUARTER / 2;

    /// With the greatest power of the meter, kW. Nothing where it is not positive, or beyond 10 GW.
    #[must_use]
    pub fn with_max_power(kilowatts: Decimal) -> Option<Self> {
        let units = kilowatts.checked_mul(Decimal::from(100_000_000))?.ceil().to_i64()?;
        (units > 0 && units <= 1_000_000_000_000_000).then_some(Self { max_power: units })
    }

    /// What the register grows by at most in that time, 10^-8 kWh, rounded up; nothing for a time
    /// that is not positive.
    pub(crate) fn growth(self, microseconds: i64) -> i64 {
        if microseconds <= 0 {
            return 0;
        }
        if let Some(product) = self.max_power.checked_mul(microseconds) {
            return product / HOUR + i64::from(product % HOUR != 0);
        }
        let product = i128::from(self.max_power) * i128::from(microseconds);
        let (hours, rest) = (product / i128::from(HOUR), product % i128::from(HOUR));
        i64::try_from(hours + i128::from(rest != 0)).unwrap_or(i64::MAX)
    }

    /// Whether a register that is at most `a.0` at `a.1` is bounded closer by that, later on, than
    /// by `b`.
    pub(crate) fn is_closer(self, a: (i64, i64), b: (i64, i64)) -> bool {
        let less = (i128::from(a.0) - i128::from(b.0)) * i128::from(HOUR);
        less < i128::from(self.max_power) * (i128::from(a.1) - i128::from(b.1))
    }
}

/// With 75.9 kW: three phases of 100 A at 253 V, the most that directly connected household meters
/// carry.
impl Default for Rules {
    fn default() -> Self {
        Self { max_power: 7_590_000_000 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_rounded_up() {
        let rules = Rules::default();
        assert_eq!(rules.growth(1_000_000), 2_108_334);
        assert_eq!(rules.growth(HOUR), 7_590_000_000);
        assert_eq!(rules.growth(-1), 0);
        assert_eq!(rules.growth(i64::MAX), i64::MAX);
        assert_eq!(Rules::with_max_power("75.9".parse().unwrap()), Some(rules));
        assert_eq!(Rules::with_max_power(Decimal::ZERO), None);
    }

    #[test]
    fn the_closer_bound_is_the_lower_one() {
        let rules = Rules::default();
        assert!(rules.is_closer((100, 0), (101, 0)));
        assert!(!rules.is_closer((101, 0), (100, 0)));
        // 21 Wh a second.
        assert!(rules.is_closer((2_108_333, 1_000_000), (0, 0)));
        assert!(!rules.is_closer((2_108_334, 1_000_000), (0, 0)));
    }
}
