//! Energies in steps of 0.01 kWh, rounded by chance so that sums stay what they are on average
//! (rule R10), and counts of households of which nobody may count to one.

use super::numbers::Numbers;
use crate::energy::Energy;

/// 0.01 kWh.
pub const STEP: Energy = Energy(Energy::KILOWATT_HOUR.0 / 100);

/// The step below or above: the nearer one is the likelier, in proportion.
#[must_use]
pub fn round_energy(energy: Energy, numbers: &mut dyn Numbers) -> Energy {
    let rest = energy.0.rem_euclid(STEP.0);
    let below = energy.0 - rest;
    if rest == 0 {
        return energy;
    }
    let drawn = numbers.below(STEP.0.unsigned_abs());
    let up = drawn < rest.unsigned_abs();
    Energy(if up { below.saturating_add(STEP.0) } else { below })
}

/// Rounded down to ten.
#[must_use]
pub const fn round_down(count: usize) -> usize {
    count / 10 * 10
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::numbers::tests::Repeated, *};

    proptest! {
        #[test]
        fn a_rounded_energy_is_a_step_beside_it(energy in -1_000_000_000_i64..1_000_000_000, seed: u64) {
            let rounded = round_energy(Energy(energy), &mut Repeated(seed));
            prop_assert_eq!(rounded.0 % STEP.0, 0);
            prop_assert!((rounded.0 - energy).abs() < STEP.0);
        }

        /// Twelve standard deviations of a mean of 20,000.
        #[test]
        fn sums_are_unbiased(energy in 0_i64..10_000_000, seed: u64) {
            let mut numbers = Repeated(seed);
            let count = 20_000;
            let sum: i64 = (0..count).map(|_| round_energy(Energy(energy), &mut numbers).0).sum();
            let off = (sum / count - energy).abs();
            prop_assert!(off < STEP.0 / 23, "{off}");
        }
    }

    #[test]
    fn a_step_stays_what_it_is() {
        for steps in [-3, 0, 1, 7] {
            assert_eq!(
                round_energy(Energy(steps * STEP.0), &mut Repeated(9)),
                Energy(steps * STEP.0)
            );
        }
    }
}
