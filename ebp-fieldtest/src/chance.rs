//! Chance from a seed: the same seed is the same field test.
//!
//! Enters: a seed and a purpose. Leaves: random numbers, durations, instants. Absent: what they are
//! for.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of chance.
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream of that seed for that purpose.
    #[must_use]
    pub fn new(seed: u64, purpose: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&purpose.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0.random_range(low..=high)
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.0.random_range(0..100) < percent
    }

    /// Any number.
    pub fn number(&mut self) -> u32 {
        self.0.random()
    }

    /// One of them.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.0.random_range(0..choices.len())]
    }

    /// A duration, short ones as likely as long ones: each doubling has the same chance.
    pub fn lasting(&mut self, least: Duration, most: Duration) -> Duration {
        let (least, most) = (least.as_secs_f64().ln(), most.as_secs_f64().ln());
        Duration::from_secs_f64(self.0.random_range(least..=most).exp())
    }

    /// An instant between two.
    pub fn instant(&mut self, from: Timestamp, to: Timestamp) -> Timestamp {
        let (from, to) = (from.as_microsecond(), to.as_microsecond().max(from.as_microsecond()));
        Timestamp::from_microsecond(self.0.random_range(from..=to)).unwrap_or(Timestamp::MAX)
    }

    /// As many as expected in three weeks, for a field test of so many days; one at least.
    pub fn count(&mut self, low: u64, high: u64, days: u32) -> u64 {
        let all = self.between(low, high) * u64::from(days);
        (all / 21 + u64::from(self.percent(u32::try_from(all % 21 * 5).unwrap_or(0)))).max(1)
    }
}

/// That much later.
#[must_use]
pub fn after(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_add(SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX))
        .unwrap_or(Timestamp::MAX)
}

/// How long from one to the other; nothing where the other is not later.
#[must_use]
pub fn until(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(from.duration_until(to)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_is_the_same_and_another_is_not() {
        let row = |seed, purpose| {
            let mut chance = Chance::new(seed, purpose);
            (0..8).map(|_| chance.number()).collect::<Vec<_>>()
        };
        assert_eq!(row(1, 2), row(1, 2));
        assert_ne!(row(1, 2), row(2, 2));
        assert_ne!(row(1, 2), row(1, 3));
    }

    #[test]
    fn durations_lie_between() {
        let mut chance = Chance::new(3, 0);
        let (least, most) = (Duration::from_secs(5), Duration::from_secs(86_400));
        let all: Vec<_> = (0..1000).map(|_| chance.lasting(least, most)).collect();
        assert!(all.iter().all(|d| *d + Duration::from_millis(1) >= least));
        assert!(all.iter().all(|d| *d <= most + Duration::from_secs(1)));
        let short = all.iter().filter(|d| d.as_secs() < 657).count();
        assert!((400..600).contains(&short), "{short} of 1000 below the geometric middle");
    }
}
