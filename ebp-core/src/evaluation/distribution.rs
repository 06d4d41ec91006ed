//! Exact mean, median and deviation of many values.
//!
//! Enters: whole numbers, in any order. Leaves: [`Statistics`]. Absent: units.
//!
//! Values are counted, not listed: intervals to the millisecond of a thousand meters over a year
//! are some thousand different numbers.

use std::collections::BTreeMap;

use serde::Serialize;

/// How often which value occurred.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distribution {
    counts: BTreeMap<i64, u64>,
    total: u64,
}

/// Mean, median and deviation, as in tables 5.1, C.1 and C.2 of the thesis.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Statistics {
    /// The arithmetic mean.
    pub mean: f64,
    /// The value in the middle; of two, half-way between them.
    pub median: f64,
    /// The sample's standard deviation; 0 for a single value.
    pub deviation: f64,
}

impl Statistics {
    /// The mean of several, figure by figure; `None` without any.
    #[must_use]
    pub fn mean(of: impl Iterator<Item = Self>) -> Option<Self> {
        let mut sum = Self { mean: 0.0, median: 0.0, deviation: 0.0 };
        let mut count = 0_u32;
        for one in of {
            sum.mean += one.mean;
            sum.median += one.median;
            sum.deviation += one.deviation;
            count += 1;
        }
        let part = |figure: f64| figure / f64::from(count);
        (count > 0).then(|| Self {
            mean: part(sum.mean),
            median: part(sum.median),
            deviation: part(sum.deviation),
        })
    }
}

impl Distribution {
    /// Counts a value.
    pub fn add(&mut self, value: i64) {
        *self.counts.entry(value).or_default() += 1;
        self.total += 1;
    }

    /// Counts all that another has counted.
    pub fn merge(&mut self, other: &Self) {
        for (&value, &count) in &other.counts {
            *self.counts.entry(value).or_default() += count;
        }
        self.total += other.total;
    }

    /// How many values there are.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.total
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The statistics in units of `unit` values each; `None` without any value.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "figures for people; counts stay below 2^53")]
    pub fn statistics(&self, unit: f64) -> Option<Statistics> {
        if self.is_empty() {
            return None;
        }
        let total = self.total as f64;
        let sum: i128 =
            self.counts.iter().map(|(&value, &count)| i128::from(value) * i128::from(count)).sum();
        let mean = sum as f64 / total;
        let squares: f64 = self
            .counts
            .iter()
            .map(|(&value, &count)| (value as f64 - mean).powi(2) * count as f64)
            .sum();
        let deviation = if self.total > 1 { (squares / (total - 1.0)).sqrt() } else { 0.0 };
        let low = self.at((self.total - 1) / 2) as f64;
        let high = self.at(self.total / 2) as f64;
        Some(Statistics {
            mean: mean / unit,
            median: f64::midpoint(low, high) / unit,
            deviation: deviation / unit,
        })
    }

    /// The value at that place in order, counted from 0.
    fn at(&self, place: u64) -> i64 {
        let mut passed = 0;
        for (&value, &count) in &self.counts {
            passed += count;
            if passed > place {
                return value;
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn distribution(values: &[i64]) -> Distribution {
        let mut distribution = Distribution::default();
        values.iter().for_each(|&value| distribution.add(value));
        distribution
    }

    #[test]
    fn known_figures() {
        let known = distribution(&[2, 4, 4, 4, 5, 5, 7, 9]).statistics(1.0).unwrap();
        assert_eq!((known.mean, known.median), (5.0, 4.5));
        assert!((known.deviation - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12);
        let one = distribution(&[900_000]).statistics(60_000.0).unwrap();
        assert_eq!((one.mean, one.median, one.deviation), (15.0, 15.0, 0.0));
        assert_eq!(distribution(&[]).statistics(1.0), None);
    }

    proptest! {
        #[test]
        fn the_middle_is_the_middle_and_merging_is_adding(
            values in proptest::collection::vec(-1_000_i64..1_000, 1..200),
            cut in 0..200_usize,
        ) {
            let cut = cut.min(values.len());
            let mut merged = distribution(&values[..cut]);
            merged.merge(&distribution(&values[cut..]));
            prop_assert_eq!(&merged, &distribution(&values));
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let middle = sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2];
            let statistics = merged.statistics(1.0).unwrap();
            prop_assert_eq!(statistics.median * 2.0, middle as f64);
            prop_assert!(statistics.mean >= sorted[0] as f64 - 1e-9);
            prop_assert!(statistics.mean <= sorted[sorted.len() - 1] as f64 + 1e-9);
        }
    }
}
