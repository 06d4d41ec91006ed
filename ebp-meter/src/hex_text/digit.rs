//! A hexadecimal digit.

/// What the character stands for, 0 to 15.
pub(super) fn digit(character: u8) -> Option<u8> {
    char::from(character).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
