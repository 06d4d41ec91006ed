//! Text and bytes that do not identify a meter, recognised by their format.
//!
//! The code says what should be there; only the format shows that it is nothing else.

use std::sync::LazyLock;

use ebp_core::obis::ObisCode;

use super::code::is_maker;
use crate::profile::Profiles;

/// Units of measured values.
const UNITS: [&[u8]; 28] = [
    b"Wh", b"kWh", b"MWh", b"W", b"kW", b"MW", b"VA", b"kVA", b"VAh", b"kVAh", b"var", b"kvar",
    b"varh", b"kvarh", b"V", b"kV", b"A", b"mA", b"Hz", b"%", b"deg", b"s", b"min", b"h", b"d",
    b"m3", b"C", b"K",
];

/// What the program's own models write behind the speed.
static NAMES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let known = Profiles::embedded();
    let lines = known.iter().filter_map(|profile| profile.telegram.identification.as_deref());
    lines.filter_map(|line| line.as_bytes().get(4..)).map(<[u8]>::to_vec).collect()
});

/// Whether text or bytes under that code are known to be harmless: the maker's letters, a program's
/// version (0.2.x), words of status and error (96.5.x, 97.97.x).
pub(super) fn is_harmless(obis: ObisCode, value: &[u8]) -> bool {
    value.is_empty()
        || match obis.0 {
            _ if is_maker(obis) => value.len() == 3 && value.iter().all(u8::is_ascii_alphabetic),
            [_, _, 0, 2, _, _] => is_version(value) || (is_word(value) && !is_text(value)),
            [_, _, 96, 5, _, _] | [_, _, 97, 97, _, _] => is_word(value),
            _ => false,
        }
}

/// A few digits and letters: `1.03`, `V3.04`, `02.01.05`.
fn is_version(value: &[u8]) -> bool {
    let count = |kind: fn(&u8) -> bool| value.iter().filter(|byte| kind(byte)).count();
    value.len() <= 12
        && count(u8::is_ascii_digit) <= 6
        && count(u8::is_ascii_alphabetic) <= 2
        && value.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(byte))
}

/// A word of status: up to eight bytes that are no text, or up to eight hexadecimal digits.
pub(super) fn is_word(value: &[u8]) -> bool {
    value.len() <= 8 && (!is_text(value) || value.iter().all(u8::is_ascii_hexdigit))
}

fn is_text(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

/// A decimal number. Digits in groups are a number of the meter or its owner, and no measured one.
pub(super) fn is_number(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let marks = digits.iter().filter(|b| matches!(b, b'.' | b',')).count();
    digits.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b','))
        && marks <= 1
        && digits.len() > marks
}

/// The unit of a measured value, or none.
pub(super) fn is_unit(text: &[u8]) -> bool {
    text.is_empty() || UNITS.contains(&text)
}

/// What stands in an identification line behind the speed. A known model's name stays; of one that
/// differs from it in digits alone the letters do; zeros take the place of any other.
pub(super) fn name(text: &mut [u8]) {
    let end = text.iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |at| at + 1);
    let text = &mut text[..end];
    let shape = |text: &[u8]| -> Vec<u8> {
        text.iter().map(|byte| if byte.is_ascii_digit() { b'0' } else { *byte }).collect()
    };
    if NAMES.iter().any(|name| name == text) {
        return;
    }
    let own = shape(text);
    if NAMES.iter().any(|name| shape(name) == own) {
        text.copy_from_slice(&own);
    } else {
        text.iter_mut().filter(|byte| byte.is_ascii_graphic()).for_each(|byte| *byte = b'0');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_sign_one_mark_and_no_gaps() {
        for number in ["0", "000123.45", "-1,5", "+7.", " 232.4 "] {
            assert!(is_number(number.as_bytes()), "{number}");
        }
        for other in ["", ".", "-", "54 800 102", "12-34", "1.2.3", "1,234.5", "1e5", "--1"] {
            assert!(!is_number(other.as_bytes()), "{other}");
        }
    }
}
