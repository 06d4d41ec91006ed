//! Octets as lower-case hexadecimal digits. Upper case is refused, so that a value has one form.

use std::fmt::Write;

/// The digits of those octets.
pub fn encode(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// So many octets; `None` where the text has another length or other characters.
pub fn decode<const LENGTH: usize>(text: &str) -> Option<[u8; LENGTH]> {
    let digits = text.as_bytes();
    if digits.len() != LENGTH * 2 {
        return None;
    }
    let mut octets = [0; LENGTH];
    for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
        *octet = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(octets)
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_only() {
        assert_eq!(encode(&[0, 0x9f, 0xff]), "009fff");
        assert_eq!(decode::<3>("009fff"), Some([0, 0x9f, 0xff]));
        for wrong in ["009FFF", "009ff", "009fff0", "009fg0", "0x9fff", "é9fff"] {
            assert_eq!(decode::<3>(wrong), None, "{wrong}");
        }
    }
}
