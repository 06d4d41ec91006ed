//! The scale of a chart's values: round steps, zero always among them.

use rust_decimal::{Decimal, prelude::ToPrimitive};

/// At most so many lines besides the one at zero.
const MOST_STEPS: i64 = 5;

/// Beyond this no value is drawn: no meter counts so far.
const FARTHEST: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// A value as it is drawn.
fn limit(value: Decimal) -> Decimal {
    value.clamp(-FARTHEST, FARTHEST)
}

/// From the lowest to the highest step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scale {
    step: Decimal,
    above: i64,
    below: i64,
}

impl Scale {
    /// A scale for values that stand up, and values that hang down.
    pub(super) fn new(
        up: impl Iterator<Item = Decimal>,
        down: impl Iterator<Item = Decimal>,
    ) -> Self {
        let (mut highest, mut lowest) = (Decimal::ZERO, Decimal::ZERO);
        for value in up.map(limit) {
            highest = highest.max(value);
            lowest = lowest.min(value);
        }
        for value in down.map(limit) {
            lowest = lowest.min(-value);
            highest = highest.max(-value);
        }
        let is_empty = highest.is_zero() && lowest.is_zero();
        let mut step = if is_empty { Decimal::ONE } else { Decimal::new(1, 3) };
        for factor in [2, 5, 2].into_iter().cycle().take(90) {
            let steps = |value: Decimal| value.checked_div(step).map(|steps| steps.ceil());
            let fits = steps(highest)
                .zip(steps(-lowest))
                .and_then(|(above, below)| above.checked_add(below))
                .is_some_and(|all| all <= Decimal::from(MOST_STEPS));
            if fits {
                break;
            }
            // 1, 2, 5, 10, 20, 50 …
            let next = if factor == 5 { step * Decimal::new(25, 1) } else { step * Decimal::TWO };
            step = next.normalize();
        }
        let count = |value: Decimal| {
            value.checked_div(step).and_then(|steps| i64::try_from(steps.ceil()).ok()).unwrap_or(0)
        };
        let (above, below) = (count(highest), count(-lowest));
        Self { step, above: if above + below == 0 { 1 } else { above }, below }
    }

    /// The steps, the highest first.
    pub(super) fn steps(&self) -> impl Iterator<Item = Decimal> + use<> {
        let step = self.step;
        (-self.below..=self.above).rev().map(move |count| step * Decimal::from(count))
    }

    /// Decimal places of the steps.
    pub(super) fn places(&self) -> u32 {
        self.step.normalize().scale()
    }

    /// Where a value stands in a height, from above.
    pub(super) fn place(&self, value: Decimal, height: i64) -> i64 {
        let top = self.step * Decimal::from(self.above);
        let whole = self.step * Decimal::from(self.above + self.below);
        share(top - limit(value), whole, height)
    }
}

/// A share of a whole, in whole units.
fn share(part: Decimal, whole: Decimal, units: i64) -> i64 {
    part.checked_div(whole)
        .and_then(|share| share.checked_mul(Decimal::from(units)))
        .and_then(|place| place.round().to_i64())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn steps(up: &str, down: &str) -> Vec<String> {
        let value = |text: &str| text.parse::<Decimal>().unwrap();
        let scale = Scale::new([value(up)].into_iter(), [value(down)].into_iter());
        scale.steps().map(|step| step.normalize().to_string()).collect()
    }

    #[test]
    fn steps_are_round() {
        assert_eq!(steps("0.47", "0"), ["0.5", "0.4", "0.3", "0.2", "0.1", "0"]);
        assert_eq!(steps("1.3", "2.2"), ["2", "1", "0", "-1", "-2", "-3"]);
        assert_eq!(steps("0", "0"), ["1", "0"]);
        assert_eq!(steps("0", "40"), ["0", "-10", "-20", "-30", "-40"]);
    }

    proptest! {
        #[test]
        fn every_value_stands_within(up in 0..1_000_000_000_u64, down in 0..1_000_000_000_u64, scale in 0..12_u32) {
            let value = |value: u64| Decimal::from(value) / Decimal::from(10_u64.pow(scale));
            let scale = Scale::new([value(up)].into_iter(), [value(down)].into_iter());
            for value in [value(up), -value(down), Decimal::ZERO] {
                prop_assert!((0..=220).contains(&scale.place(value, 220)), "{}", value);
            }
            prop_assert!(scale.steps().count() <= 7);
        }
    }
}
