//! The text of a table's file, in the encodings in which spreadsheets write.

/// The text of a file: UTF-8, UTF-16 with its mark (Excel's "Unicode text"), or else Windows-1252,
/// in which older spreadsheets write umlauts.
#[must_use]
pub fn text_of(bytes: &[u8]) -> String {
    match bytes {
        [0xff, 0xfe, rest @ ..] => return wide_text(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return wide_text(rest, u16::from_be_bytes),
        _ => {}
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
        Err(_) => bytes.iter().map(|byte| letter(*byte)).collect(),
    }
}

fn wide_text(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, _) = bytes.as_chunks();
    let units = pairs.iter().map(|pair| unit(*pair));
    let letters = char::decode_utf16(units).map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER));
    letters.collect()
}

/// A byte of Windows-1252; the five that it leaves open are the control characters that they are in
/// ISO 8859-1.
fn letter(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        byte => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn umlauts_of_all_encodings_are_read() {
        assert_eq!(text_of("\u{feff}Köln €".as_bytes()), "Köln €");
        assert_eq!(text_of(b"K\xf6ln \x80 \x84Stra\xdfe\x93"), "Köln € „Straße“");
        assert_eq!(text_of(b""), "");
        let wide = "\u{feff}Köln €\t𝄞";
        let little: Vec<u8> = wide.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = wide.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!((text_of(&little), text_of(&big)), (wide[3..].into(), wide[3..].into()));
        assert_eq!(text_of(&[0xff, 0xfe, 0x41, 0x00, 0x00, 0xd8, 0x42]), "A\u{fffd}");
    }
}
