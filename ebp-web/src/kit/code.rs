//! The printed sign-in code: eight characters, checked against its argon2id hash, one at a time.
//!
//! An attacker in the home network has many addresses, so wrong codes are counted for the device and
//! not by address. Sessions that are open go on.

use std::{sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Block, Params, PasswordHash, Version,
    password_hash::{Error, Output, PasswordHashString},
};
use tokio::sync::Mutex;

use super::defence::Defence;

/// The least and the most memory of a hash, KiB: one verification has to fit into the memory of a
/// small device.
const MEMORY: std::ops::RangeInclusive<u32> = 4 * 1024..=7 * 1024;
/// What is reserved for a hash, bytes: more than the allocator keeps for later, 32 MiB at most. So its
/// pages go back to the system after each verification, whatever thread it was on. Only those that
/// are used take memory.
const RESERVED: usize = 33 << 20;
/// The most rounds of a hash.
const MOST_ROUNDS: u32 = 16;
/// How many wrong codes are free.
const FREE: u32 = 5;
/// The first wait.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// A code is forgotten to have been wrong after this long without another.
const FORGET: Duration = Duration::from_secs(24 * 3600);

/// A hash that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CodeHashError {
    /// It is no hash in the PHC format.
    #[error("it is no hash in the PHC string format")]
    Format,
    /// It is of another algorithm or version.
    #[error("it is no hash of argon2id, version 19")]
    Algorithm,
    /// It would take more memory or time than a device has, or is too cheap.
    #[error(
        "it needs {memory} KiB and {rounds} rounds: 4096 to 7168 KiB and at most 16 rounds are possible"
    )]
    Cost {
        /// Memory, KiB.
        memory: u32,
        /// Rounds.
        rounds: u32,
    },
}

/// The hash of a code. `Debug` does not show it.
#[derive(Clone)]
pub struct CodeHash(PasswordHashString);

impl std::fmt::Debug for CodeHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeHash(redacted)")
    }
}

impl CodeHash {
    /// Reads a PHC string, `$argon2id$v=19$m=6144,t=3,p=1$…`.
    ///
    /// # Errors
    /// Returns [`CodeHashError`] if it is none, or asks for more than a device has.
    pub fn parse(text: &str) -> Result<Self, CodeHashError> {
        let hash = PasswordHash::new(text).map_err(|_| CodeHashError::Format)?;
        let is_argon =
            Algorithm::try_from(hash.algorithm).is_ok_and(|name| name == Algorithm::Argon2id);
        if !is_argon || hash.version != Some(19) || hash.hash.is_none() || hash.salt.is_none() {
            return Err(CodeHashError::Algorithm);
        }
        let params = Params::try_from(&hash).map_err(|_| CodeHashError::Format)?;
        let (memory, rounds) = (params.m_cost(), params.t_cost());
        if !MEMORY.contains(&memory) || rounds > MOST_ROUNDS || params.p_cost() != 1 {
            return Err(CodeHashError::Cost { memory, rounds });
        }
        Ok(Self(hash.serialize()))
    }

    fn fits(&self, code: &str) -> bool {
        self.compare(code).unwrap_or_else(|error| {
            tracing::warn!("the hash of the sign-in code cannot be checked: {error}");
            false
        })
    }

    fn compare(&self, code: &str) -> Result<bool, Error> {
        let known = self.0.password_hash();
        let (Some(salt), Some(expected)) = (known.salt, known.hash) else { return Ok(false) };
        let params = Params::try_from(&known)?;
        let mut memory = Vec::with_capacity(RESERVED / size_of::<Block>());
        memory.resize(params.block_count(), Block::default());
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut bytes = [0; 64];
        let salt = salt.decode_b64(&mut bytes)?;
        let found = Output::init_with(expected.len(), |found| {
            Ok(argon2.hash_password_into_with_memory(code.as_bytes(), salt, found, &mut memory)?)
        })?;
        // In a time that does not depend on where they differ.
        Ok(found == expected)
    }
}

/// A code in the form that is hashed: eight characters of Crockford's base 32. Case, spaces, hyphens
/// and the letters that look like digits are forgiven. `None` if it cannot be one.
#[must_use]
pub fn normalize_code(typed: &str) -> Option<String> {
    let mut code = String::with_capacity(8);
    for typed in typed.chars().take(64) {
        let upper = match typed.to_ascii_uppercase() {
            ' ' | '-' | '\u{2010}'..='\u{2015}' | '\u{a0}' | '\t' => continue,
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        if !(upper.is_ascii_digit() || (upper.is_ascii_uppercase() && upper != 'U')) {
            return None;
        }
        code.push(upper);
    }
    (code.len() == 8).then_some(code)
}

/// What a tried code led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// It is right.
    Right,
    /// It is wrong; the next can be tried after that wait.
    Wrong {
        /// Zero while wrong codes are free.
        wait: Duration,
    },
    /// It was not looked at: the wait is not over.
    TooEarly {
        /// How long it still takes.
        wait: Duration,
    },
}

/// Checks codes, one at a time, and makes who guesses wait.
#[derive(Debug)]
pub struct CodeCheck {
    guesses: Arc<Mutex<Guesses>>,
}

#[derive(Debug, Default)]
struct Guesses {
    wrong: u32,
    last: Duration,
    open_at: Duration,
}

impl Default for CodeCheck {
    fn default() -> Self {
        Self::new()
    }
}

impl CodeCheck {
    /// No wrong codes yet.
    #[must_use]
    pub fn new() -> Self {
        Self { guesses: Arc::default() }
    }

    /// Checks a code that was typed at `now` (since the machine's start). It is counted as wrong before
    /// it is checked, so that a caller who hangs up gains nothing.
    pub async fn verify(&self, hash: &CodeHash, typed: &str, now: impl Fn() -> Duration) -> Tried {
        let mut guesses = Arc::clone(&self.guesses).lock_owned().await;
        let at = now();
        if at < guesses.open_at {
            return Tried::TooEarly { wait: guesses.open_at - at };
        }
        let Some(code) = normalize_code(typed) else {
            // It cannot be a code, so nothing is guessed.
            return Tried::Wrong { wait: Duration::ZERO };
        };
        if at.saturating_sub(guesses.last) > FORGET {
            guesses.wrong = 0;
        }
        guesses.wrong = guesses.wrong.saturating_add(1);
        guesses.last = at;
        let wait =
            if Defence::GuessWait.is_on() { wait_after(guesses.wrong) } else { Duration::ZERO };
        guesses.open_at = at + wait;
        let hash = hash.clone();
        // The lock goes along: if this request is dropped, the next still waits for its end.
        let checked = tokio::task::spawn_blocking(move || {
            let fits = hash.fits(&code);
            if fits {
                *guesses = Guesses::default();
            }
            fits
        });
        match checked.await {
            Ok(true) => Tried::Right,
            Ok(false) | Err(_) => Tried::Wrong { wait },
        }
    }
}

fn wait_after(wrong: u32) -> Duration {
    let Some(beyond) = wrong.checked_sub(FREE) else { return Duration::ZERO };
    let doubled = 1_u32.checked_shl(beyond).and_then(|times| FIRST_WAIT.checked_mul(times));
    doubled.map_or(LONGEST_WAIT, |wait| wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use argon2::password_hash::{PasswordHasher, SaltString};

    use super::*;

    fn hash_with(memory: u32, rounds: u32) -> String {
        let params = Params::new(memory, rounds, 1, None).unwrap();
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let salt = SaltString::encode_b64(b"sixteen bytes ok").unwrap();
        argon.hash_password(b"K7QM2XTD", &salt).unwrap().to_string()
    }

    #[test]
    fn codes_are_forgiven_their_form() {
        for typed in ["K7QM-2XTD", "k7qm2xtd", " K7 QM-2x td ", "K7QM\u{2013}2XTD"] {
            assert_eq!(normalize_code(typed).as_deref(), Some("K7QM2XTD"), "{typed}");
        }
        assert_eq!(normalize_code("ooIl-0011").as_deref(), Some("00110011"));
        for typed in ["", "K7QM-2XT", "K7QM-2XTDA", "K7QM-2XTU", "K7QM-2XT\0", &"A".repeat(65)] {
            assert_eq!(normalize_code(typed), None, "{typed}");
        }
    }

    #[test]
    fn costs_beyond_a_device_are_refused() {
        assert!(CodeHash::parse(&hash_with(4096, 3)).is_ok());
        let cost = |memory, rounds| CodeHash::parse(&hash_with(memory, rounds)).unwrap_err();
        assert_eq!(cost(19 * 1024, 2), CodeHashError::Cost { memory: 19 * 1024, rounds: 2 });
        assert_eq!(cost(4095, 3), CodeHashError::Cost { memory: 4095, rounds: 3 });
        assert_eq!(cost(4096, 17), CodeHashError::Cost { memory: 4096, rounds: 17 });
        for text in ["", "x", "$argon2i$v=19$m=4096,t=3,p=1$c2l4dGVlbiBieXRlcw$aGFzaGhhc2hoYXNo"] {
            assert!(CodeHash::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour() {
        let seconds: Vec<_> = (0..18).map(|wrong| wait_after(wrong).as_secs()).collect();
        let expected = [0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900];
        assert_eq!(seconds, expected);
        assert_eq!(wait_after(u32::MAX), LONGEST_WAIT);
    }

    #[tokio::test]
    async fn guessing_takes_ever_longer_and_the_right_code_ends_it() {
        let hash = CodeHash::parse(&hash_with(4096, 1)).unwrap();
        let check = CodeCheck::new();
        let time = AtomicU64::new(0);
        let now = || Duration::from_secs(time.load(Ordering::Relaxed));
        for _ in 0..4 {
            let wait = Duration::ZERO;
            assert_eq!(check.verify(&hash, "AAAA-AAAA", now).await, Tried::Wrong { wait });
        }
        let wait = Duration::from_secs(2);
        assert_eq!(check.verify(&hash, "AAAA-AAAA", now).await, Tried::Wrong { wait });
        time.store(1, Ordering::Relaxed);
        let wait = Duration::from_secs(1);
        assert_eq!(check.verify(&hash, "K7QM-2XTD", now).await, Tried::TooEarly { wait });
        time.store(2, Ordering::Relaxed);
        assert_eq!(check.verify(&hash, "K7QM-2XTD", now).await, Tried::Right);
        assert_eq!(
            check.verify(&hash, "AAAA-AAAA", now).await,
            Tried::Wrong { wait: Duration::ZERO },
            "the right code forgives the wrong ones"
        );
    }

    /// A thousand guesses at once: at most five are looked at.
    #[tokio::test]
    async fn guesses_at_once_are_checked_one_after_the_other() {
        let hash = CodeHash::parse(&hash_with(4096, 1)).unwrap();
        let check = CodeCheck::new();
        let guess = || check.verify(&hash, "AAAA-AAAA", || Duration::ZERO);
        let all = futures_util::future::join_all((0..1000).map(|_| guess())).await;
        let wrong = all.iter().filter(|tried| matches!(tried, Tried::Wrong { .. })).count();
        assert_eq!(wrong, 5);
        let typo = check.verify(&hash, "AAAA", || Duration::from_secs(2)).await;
        assert_eq!(typo, Tried::Wrong { wait: Duration::ZERO }, "what is no code is not counted");
    }
}
