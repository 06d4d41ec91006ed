//! Noise on the light's path: flipped bits, lost bytes, truncated telegrams, garbage.
//!
//! Enters: telegrams and rates. Leaves: bytes as a badly placed head would hand them on, always the
//! same for the same seed. Absent: pacing.

use super::random::Stream;

/// How often what goes wrong, each in cases of a million.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoiseOptions {
    /// Makes the faults the same again.
    pub seed: u64,
    /// Bits that arrive as their opposite.
    pub flipped_bits: u32,
    /// Bytes that do not arrive.
    pub missing_bytes: u32,
    /// Telegrams of which only the beginning arrives.
    pub truncated_telegrams: u32,
    /// Gaps before telegrams in which noise arrives.
    pub garbage: u32,
    /// The most bytes of such garbage.
    pub garbage_bytes: u16,
}

impl NoiseOptions {
    /// A head that sits badly: one telegram in three or so is hurt.
    #[must_use]
    pub const fn moderate(seed: u64) -> Self {
        Self {
            seed,
            flipped_bits: 50,
            missing_bytes: 300,
            truncated_telegrams: 50_000,
            garbage: 100_000,
            garbage_bytes: 64,
        }
    }
}

/// A rate beyond certainty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{rate} in a million cases is more than always")]
pub struct NoiseOptionsError {
    /// The rate.
    pub rate: u32,
}

/// Puts faults into telegrams.
#[derive(Debug, Clone)]
pub struct Noise {
    options: NoiseOptions,
    stream: Stream,
}

impl Noise {
    /// Noise of those rates.
    ///
    /// # Errors
    /// Returns an error if a rate is above a million.
    pub fn new(options: NoiseOptions) -> Result<Self, NoiseOptionsError> {
        let rates = [
            options.flipped_bits,
            options.missing_bytes,
            options.truncated_telegrams,
            options.garbage,
        ];
        match rates.into_iter().find(|&rate| rate > 1_000_000) {
            Some(rate) => Err(NoiseOptionsError { rate }),
            None => Ok(Self { options, stream: Stream::new(options.seed) }),
        }
    }

    /// What arrives of a telegram: at most `garbage_bytes` more than it has.
    pub fn apply(&mut self, telegram: &[u8]) -> Vec<u8> {
        let NoiseOptions { flipped_bits, missing_bytes, truncated_telegrams, .. } = self.options;
        let mut arrived = self.garbage();
        let sent = if self.stream.happens(truncated_telegrams.into()) {
            let length = self.stream.below(telegram.len() as u64);
            &telegram[..usize::try_from(length).unwrap_or_default()]
        } else {
            telegram
        };
        for &byte in sent {
            if self.stream.happens(missing_bytes.into()) {
                continue;
            }
            let mut byte = byte;
            if flipped_bits > 0 {
                for bit in 0..8 {
                    if self.stream.happens(flipped_bits.into()) {
                        byte ^= 1 << bit;
                    }
                }
            }
            arrived.push(byte);
        }
        arrived
    }

    fn garbage(&mut self) -> Vec<u8> {
        let most = u64::from(self.options.garbage_bytes);
        if most == 0 || !self.stream.happens(self.options.garbage.into()) {
            return Vec::new();
        }
        let length = self.stream.between(1, most);
        (0..length).map(|_| self.stream.next().to_le_bytes()[3]).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NONE: NoiseOptions = NoiseOptions {
        seed: 1,
        flipped_bits: 0,
        missing_bytes: 0,
        truncated_telegrams: 0,
        garbage: 0,
        garbage_bytes: 0,
    };

    proptest! {
        #[test]
        fn the_same_seed_gives_the_same_faults_within_bounds(
            seed: u64,
            telegrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..8),
            rates in proptest::array::uniform4(0_u32..=1_000_000),
            garbage_bytes in 0_u16..100,
        ) {
            let [flipped_bits, missing_bytes, truncated_telegrams, garbage] = rates;
            let options = NoiseOptions {
                seed, flipped_bits, missing_bytes, truncated_telegrams, garbage, garbage_bytes,
            };
            let mut one = Noise::new(options).unwrap();
            let mut other = Noise::new(options).unwrap();
            for telegram in &telegrams {
                let arrived = one.apply(telegram);
                prop_assert!(arrived.len() <= telegram.len() + usize::from(garbage_bytes));
                prop_assert_eq!(arrived, other.apply(telegram));
            }
        }

        #[test]
        fn without_rates_everything_arrives(seed: u64, telegram in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut noise = Noise::new(NoiseOptions { seed, ..NONE }).unwrap();
            prop_assert_eq!(noise.apply(&telegram), telegram);
        }
    }

    #[test]
    fn each_fault_alone_does_what_it_says() {
        let telegram: Vec<u8> = (0..=255).collect();
        let apply = |options| Noise::new(options).unwrap().apply(&telegram);

        let flipped = apply(NoiseOptions { flipped_bits: 1_000_000, ..NONE });
        assert_eq!(flipped, telegram.iter().map(|byte| !byte).collect::<Vec<_>>());
        assert_eq!(apply(NoiseOptions { missing_bytes: 1_000_000, ..NONE }), b"");
        let cut = apply(NoiseOptions { truncated_telegrams: 1_000_000, ..NONE });
        assert!(cut.len() < telegram.len() && telegram.starts_with(&cut));
        let garbage = apply(NoiseOptions { garbage: 1_000_000, garbage_bytes: 9, ..NONE });
        assert!((257..=265).contains(&garbage.len()) && garbage.ends_with(&telegram));
    }

    #[test]
    fn a_rate_above_always_is_refused() {
        let options = NoiseOptions { garbage: 1_000_001, ..NONE };
        assert_eq!(Noise::new(options).unwrap_err(), NoiseOptionsError { rate: 1_000_001 });
        assert!(Noise::new(NoiseOptions::moderate(1)).is_ok());
    }
}
