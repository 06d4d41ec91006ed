//! The source of random numbers for masking: only the operating system.
//!
//! Enters: the system's random bytes. Leaves: uniform numbers, either fresh ones
//! ([`OsRandomness`]) or ones that a secret 256-bit key of the system's determines for a place
//! ([`ReleaseKey`]). Absent: seeds. Who knows a seed knows every displacement, so the trait is
//! sealed and the seeded kind exists only in tests and behind the feature `seeded`.

use std::{array, fmt, fmt::Write as _, str::FromStr};

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{OsRng, RngCore, SeedableRng, TryRngCore},
};

use crate::Position;

/// The operating system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random numbers")]
pub struct NoRandomness;

/// Uniform random numbers. Sealed: what implements it is in this file.
pub trait Randomness: sealed::Sealed {
    /// The next 64 random bits.
    ///
    /// # Errors
    /// Returns [`NoRandomness`] if the operating system has none.
    fn bits(&mut self) -> Result<u64, NoRandomness>;

    /// The next number from 0 (included) to 1 (not included), in steps of 2⁻⁵³.
    ///
    /// # Errors
    /// Returns [`NoRandomness`] if the operating system has none.
    fn fraction(&mut self) -> Result<f64, NoRandomness> {
        Ok((self.bits()? >> 11) as f64 * (1.0 / (1_u64 << 53) as f64))
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::OsRandomness {}
    impl Sealed for super::PlaceRandomness {}
    #[cfg(any(test, feature = "seeded"))]
    impl Sealed for super::SeededRandomness {}
}

/// How many numbers are fetched from the operating system at once.
const FETCHED: usize = 256;

/// Random bytes of the operating system, fetched 2 KiB at a time and used once.
pub struct OsRandomness {
    bytes: Box<[u8; 8 * FETCHED]>,
    used: usize,
}

impl OsRandomness {
    /// Fetches nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self { bytes: Box::new([0; 8 * FETCHED]), used: FETCHED }
    }
}

impl Default for OsRandomness {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for OsRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OsRandomness")
    }
}

impl Randomness for OsRandomness {
    fn bits(&mut self) -> Result<u64, NoRandomness> {
        if self.used == FETCHED {
            OsRng.try_fill_bytes(&mut self.bytes[..]).map_err(|_| NoRandomness)?;
            self.used = 0;
        }
        let at = 8 * self.used;
        self.used += 1;
        Ok(u64::from_le_bytes(array::from_fn(|index| self.bytes[at + index])))
    }
}

/// A secret that determines the masking of every place of one table, so that rows with the same
/// coordinates get the same point.
///
/// It is the key of a stream cipher (ChaCha20) whose stream number is the place to six decimals of
/// a degree (0.1 m): different places are drawn independently of each other. Anyone who has the key
/// can compute, for any guessed place, where that place was moved to, and so can anyone who may
/// have guesses masked with it: keep it as secret as the true positions, answer no requests with
/// it, and destroy it with the true positions. `Debug` does not show it.
#[derive(Clone)]
pub struct ReleaseKey([u8; 32]);

/// A text that is no release key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no release key, which is `{}` and 64 hexadecimal digits", ReleaseKey::PREFIX)]
pub struct InvalidReleaseKey;

impl ReleaseKey {
    const PREFIX: &str = "ebp-release-key-1:";

    /// A fresh key from the operating system.
    ///
    /// # Errors
    /// Returns [`NoRandomness`] if the operating system has none.
    pub fn from_os() -> Result<Self, NoRandomness> {
        let mut key = [0; 32];
        OsRng.try_fill_bytes(&mut key).map_err(|_| NoRandomness)?;
        Ok(Self(key))
    }

    /// The key as text, to be kept secret. The one way to see it.
    #[must_use]
    pub fn to_secret_text(&self) -> String {
        let mut text = Self::PREFIX.to_owned();
        for byte in self.0 {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// The numbers that belong to a place: always the same ones.
    #[must_use]
    pub fn at(&self, place: Position) -> PlaceRandomness {
        let step = |degrees: f64, whole: f64| ((degrees + whole) * 1e6).round() as u64;
        let mut stream = ChaCha20Rng::from_seed(self.0);
        stream.set_stream(step(place.latitude(), 90.0) << 32 | step(place.longitude(), 180.0));
        PlaceRandomness(stream)
    }
}

impl FromStr for ReleaseKey {
    type Err = InvalidReleaseKey;

    fn from_str(text: &str) -> Result<Self, InvalidReleaseKey> {
        let digits = text.trim().strip_prefix(Self::PREFIX).ok_or(InvalidReleaseKey)?;
        if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(InvalidReleaseKey);
        }
        let mut key = [0; 32];
        for (index, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * index..2 * index + 2], 16)
                .map_err(|_| InvalidReleaseKey)?;
        }
        Ok(Self(key))
    }
}

impl fmt::Debug for ReleaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReleaseKey(redacted)")
    }
}

/// The numbers of one place under one [`ReleaseKey`].
pub struct PlaceRandomness(ChaCha20Rng);

impl fmt::Debug for PlaceRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlaceRandomness(redacted)")
    }
}

impl Randomness for PlaceRandomness {
    fn bits(&mut self) -> Result<u64, NoRandomness> {
        Ok(self.0.next_u64())
    }
}

/// Repeatable numbers, for tests and benchmarks alone.
#[cfg(any(test, feature = "seeded"))]
#[derive(Debug)]
pub struct SeededRandomness(ChaCha20Rng);

#[cfg(any(test, feature = "seeded"))]
impl SeededRandomness {
    /// Numbers that everybody can repeat who knows the seed.
    #[must_use]
    pub fn for_tests(seed: u64) -> Self {
        Self(ChaCha20Rng::seed_from_u64(seed))
    }
}

#[cfg(any(test, feature = "seeded"))]
impl Randomness for SeededRandomness {
    fn bits(&mut self) -> Result<u64, NoRandomness> {
        Ok(self.0.next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(mut randomness: impl Randomness) -> [u64; 8] {
        array::from_fn(|_| randomness.bits().unwrap())
    }

    #[test]
    fn a_key_gives_a_place_the_same_numbers_and_another_place_others() {
        let key = ReleaseKey::from_os().unwrap();
        let again: ReleaseKey = key.to_secret_text().parse().unwrap();
        let house = Position::new(50.078_217, 8.239_761).unwrap();
        let same_house = Position::new(50.078_217_2, 8.239_760_9).unwrap();
        assert_eq!(numbers(key.at(house)), numbers(again.at(same_house)));
        for (latitude, longitude) in [(50.078_218, 8.239_761), (50.078_217, 8.239_762)] {
            let next_door = Position::new(latitude, longitude).unwrap();
            assert_ne!(numbers(key.at(house)), numbers(key.at(next_door)));
        }
        assert_ne!(numbers(key.at(house)), numbers(ReleaseKey::from_os().unwrap().at(house)));
    }

    #[test]
    fn a_key_is_not_shown_and_what_is_none_is_refused() {
        let key = ReleaseKey::from_os().unwrap();
        assert_eq!(format!("{key:?}"), "ReleaseKey(redacted)");
        let text = key.to_secret_text();
        for wrong in
            ["", "1234", &text[1..], &text[..81], &format!("{text}0"), "ebp-release-key-1:ä"]
        {
            assert!(wrong.parse::<ReleaseKey>().is_err(), "{}", wrong.len());
        }
    }

    #[test]
    fn the_system_does_not_repeat_itself_and_fractions_stay_in_range() {
        let mut randomness = OsRandomness::new();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..4 * FETCHED {
            assert!(seen.insert(randomness.bits().unwrap()));
            assert!((0.0..1.0).contains(&randomness.fraction().unwrap()));
        }
    }
}
