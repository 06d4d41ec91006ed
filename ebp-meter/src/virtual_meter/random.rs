//! Pseudorandom numbers: the same seed always produces the same ones, on every machine.
//!
//! Enters: a seed and what a number is for. Leaves: [`Stream`], [`at`]. Absent: secrets; never use
//! this for keys.

/// SplitMix64 (Steele, Lea, Flood 2014): three lines whose outcome, other than that of a crate's
/// generator, cannot change with a version.
#[derive(Debug, Clone)]
pub(super) struct Stream(u64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Stream {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// A number below `bound`, or 0 if that is 0. The bias of the remainder is below 2⁻³².
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True with this probability, in parts per million.
    pub(super) fn happens(&mut self, per_million: u64) -> bool {
        self.below(1_000_000) < per_million
    }
}

/// The number for one purpose at one place, without a state between calls.
pub(super) const fn at(seed: u64, purpose: u64, place: u64) -> u64 {
    Places::new(seed, purpose).at(place)
}

/// The numbers for one purpose, for many places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places(u64);

impl Places {
    pub(super) const fn new(seed: u64, purpose: u64) -> Self {
        Self(mix(seed.wrapping_add(STEP)) ^ mix(purpose.wrapping_mul(STEP)))
    }

    /// The number at a place.
    pub(super) const fn at(self, place: u64) -> u64 {
        mix(self.0 ^ place.wrapping_mul(STEP))
    }
}

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_numbers_come() {
        // The first numbers of SplitMix64 for the seed 1234567, as in its authors' C code.
        let mut stream = Stream::new(1_234_567);
        assert_eq!(stream.next(), 6_457_827_717_110_365_317);
        assert_eq!(stream.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn bounds_hold() {
        let mut stream = Stream::new(1);
        assert_eq!(stream.below(0), 0);
        for _ in 0..1000 {
            assert!((3..=5).contains(&stream.between(3, 5)));
        }
        assert!(!stream.happens(0));
        assert!(stream.happens(1_000_000));
    }
}
