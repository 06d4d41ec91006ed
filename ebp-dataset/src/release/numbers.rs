//! Random numbers from the caller, and whole numbers below a limit made of them without bias.

/// Gives 64 random bits each time.
pub trait Numbers {
    /// The next 64 bits.
    fn next(&mut self) -> u64;

    /// A whole number from 0 to `limit` - 1; 0 for a limit of 0.
    fn below(&mut self, limit: u64) -> u64 {
        if limit == 0 {
            return 0;
        }
        // Bits beyond the last whole multiple would make small numbers likelier.
        let whole = u64::MAX - u64::MAX % limit;
        loop {
            let number = self.next();
            if number < whole {
                return number % limit;
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The same numbers each time: for tests alone.
    pub struct Repeated(pub u64);

    impl Numbers for Repeated {
        fn next(&mut self) -> u64 {
            // SplitMix64.
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }
    }

    #[test]
    fn all_numbers_below_a_limit_come_alike() {
        let mut numbers = Repeated(1);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[usize::try_from(numbers.below(7)).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
        assert_eq!(numbers.below(0), 0);
        assert_eq!(numbers.below(1), 0);
    }
}
