//! Energy as an exact integer.

use std::{
    fmt,
    ops::{Add, AddAssign, Neg, Sub},
};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Energy in units of 10^-8 kWh. Adding and subtracting saturates: what is read from meters stays
/// far below.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Energy(pub i64);

impl Energy {
    /// None.
    pub const ZERO: Self = Self(0);
    /// Decimal places of a kWh.
    pub const PLACES: u32 = 8;
    /// A kilowatt hour.
    pub const KILOWATT_HOUR: Self = Self(100_000_000);

    /// The exact decimal, kWh, with as many places as its last digit that is not zero, at least
    /// `places`.
    #[must_use]
    pub fn to_decimal(self, places: u32) -> Decimal {
        let mut decimal = Decimal::new(self.0, Self::PLACES).normalize();
        if decimal.scale() < places {
            decimal.rescale(places);
        }
        decimal
    }

    /// The nearest double, kWh.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the very end of an exact computation")]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / Self::KILOWATT_HOUR.0 as f64
    }
}

impl fmt::Display for Energy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_decimal(0))
    }
}

impl Add for Energy {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Energy {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Energy {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Energy {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl std::iter::Sum for Energy {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        assert_eq!(Energy(14_810_000).to_string(), "0.1481");
        assert_eq!(Energy(-1).to_string(), "-0.00000001");
        assert_eq!(Energy(10_000_000).to_decimal(4).to_string(), "0.1000");
        assert!((Energy(14_810_000).to_f64() - 0.1481).abs() < f64::EPSILON);
    }
}
