//! Photovoltaic systems without the detail by which they could be found in a public register
//! (thesis 3.1.4, measure C). Azimuth and tilt stay: the German register has them in classes only.
//!
//! Enters: nominal power and date of installation. Leaves: both, coarsened. Absent: where they are
//! stored.

use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};

/// Nominal power to the nearest integer, kWp; a half is rounded up.
///
/// A system below half a kWp becomes one of 0 kWp: the same for all that small, which says no more
/// than that.
#[must_use]
pub fn nominal_power(kwp: Decimal) -> Decimal {
    kwp.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero).normalize()
}

/// The date of installation to the first day of its year.
#[must_use]
pub fn installation_date(date: Date) -> Date {
    date.first_of_year()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detail_goes() {
        for (kwp, coarse) in [
            ("9.84", "10"),
            ("9.49", "9"),
            ("9.5", "10"),
            ("0.4", "0"),
            ("0.5", "1"),
            ("30", "30"),
            ("100.0", "100"),
        ] {
            assert_eq!(nominal_power(kwp.parse().unwrap()).to_string(), coarse);
        }
        assert_eq!(
            installation_date(jiff::civil::date(2019, 6, 14)),
            jiff::civil::date(2019, 1, 1)
        );
    }
}
