//! The code by which somebody signs in to a device's page.
//!
//! Enters: 40 random bits, or what somebody typed. Leaves: 8 characters of Crockford's base 32.
//! Absent: its hash, and who may sign in.

use std::{fmt, str::FromStr};

/// Crockford's alphabet: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The characters of a code.
const LENGTH: usize = 8;

/// Memory for hashing a code with argon2id, KiB: a device verifies it with less than 10 MB. At a few
/// tries an hour, 40 random bits need no more.
pub const HASH_MEMORY: u32 = 6 * 1024;

/// Iterations of argon2id over a code.
pub const HASH_ITERATIONS: u32 = 3;

/// A sign-in code. `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SignInCode([u8; LENGTH]);

/// What was typed is no sign-in code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sign-in code has 8 letters and digits, such as K7QM-2XTD")]
pub struct InvalidSignInCode;

impl SignInCode {
    /// The code of these random bits.
    #[must_use]
    pub fn from_random(bits: [u8; 5]) -> Self {
        let mut number = bits.into_iter().fold(0_u64, |number, byte| number << 8 | u64::from(byte));
        let mut code = [0; LENGTH];
        for place in code.iter_mut().rev() {
            *place = ALPHABET[(number % 32) as usize];
            number /= 32;
        }
        Self(code)
    }

    /// The characters without the hyphen, which are what is hashed.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Letters may be small, O stands for 0, I and L for 1; hyphens and blanks are left out.
impl FromStr for SignInCode {
    type Err = InvalidSignInCode;

    fn from_str(text: &str) -> Result<Self, InvalidSignInCode> {
        let mut code = [0; LENGTH];
        let mut places = code.iter_mut();
        for letter in text.chars().filter(|letter| *letter != '-' && !letter.is_whitespace()) {
            let letter = match letter.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let known = u8::try_from(letter).ok().filter(|byte| ALPHABET.contains(byte));
            *places.next().ok_or(InvalidSignInCode)? = known.ok_or(InvalidSignInCode)?;
        }
        if places.next().is_some() { Err(InvalidSignInCode) } else { Ok(Self(code)) }
    }
}

/// In two groups: `K7QM-2XTD`.
impl fmt::Display for SignInCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            if place == LENGTH / 2 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(*byte))?;
        }
        Ok(())
    }
}

impl fmt::Debug for SignInCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignInCode(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_the_code() {
        let code = SignInCode::from_random([0x9a, 0x2f, 0x01, 0x00, 0x20]);
        let text = code.to_string();
        assert_eq!(text, "K8QG-2010");
        for typed in [&*text, "k8qg2010", " k8qg-2oio ", "K8 QG 2O L0", "K8QG--2O10"] {
            assert_eq!(typed.parse(), Ok(code), "{typed}");
        }
        for typed in ["", "K8QG-201", "K8QG-20100", "K8QU-2010", "K8QÖ-2010", "K8QG_2010"] {
            assert_eq!(typed.parse::<SignInCode>(), Err(InvalidSignInCode), "{typed}");
        }
        assert!(!format!("{code:?}").contains("K8QG"));
    }

    #[test]
    fn every_bit_counts() {
        let codes: std::collections::BTreeSet<String> = (0..40)
            .map(|bit| {
                SignInCode::from_random((1_u64 << bit).to_be_bytes()[3..].try_into().unwrap())
                    .to_string()
            })
            .collect();
        assert_eq!(codes.len(), 40);
        assert_eq!(SignInCode::from_random([0; 5]).to_string(), "0000-0000");
        assert_eq!(SignInCode::from_random([255; 5]).to_string(), "ZZZZ-ZZZZ");
    }
}
