//! Characters and escapes, as Python and other languages write bytes.
//!
//! Enters: lines. Leaves: the bytes of literals: `b'\x1b\x1bv\x05'`, `"\x1b\x1b"`, or a line of escapes
//! without quotation marks. Absent: other quoted text.

/// Appends the bytes of the line's literals.
pub(super) fn take(line: &str, out: &mut Vec<u8>) {
    let mut rest = line;
    while let Some(at) = rest.find(['\'', '"']) {
        let is_bytes = rest[..at].ends_with(['b', 'B']);
        let quote = if rest[at..].starts_with('"') { '"' } else { '\'' };
        let (bytes, has_escapes, behind) = literal(&rest[at + 1..], Some(quote));
        if is_bytes || has_escapes {
            out.extend(bytes);
        }
        rest = behind;
    }
    if !line.contains(['\'', '"']) && line.trim_start().starts_with('\\') {
        out.extend(literal(line.trim(), None).0);
    }
}

/// The bytes up to the closing mark, whether some were escaped by digits, and what follows.
fn literal(text: &str, quote: Option<char>) -> (Vec<u8>, bool, &str) {
    let (mut bytes, mut has_escapes) = (Vec::new(), false);
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        if Some(character) == quote {
            return (bytes, has_escapes, &text[at + 1..]);
        }
        if character != '\\' {
            let mut buffer = [0; 4];
            bytes.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
            continue;
        }
        let Some((at, kind)) = characters.next() else { break };
        let digits = |from: usize, length: usize, radix: u32| {
            let digits = text.get(from..from + length)?;
            u8::from_str_radix(digits, radix).ok()
        };
        let (byte, length) = match kind {
            'x' => (digits(at + 1, 2, 16), 2),
            'u' => (digits(at + 1, 4, 16), 4),
            '0'..='3' if digits(at, 3, 8).is_some() => (digits(at, 3, 8), 2),
            '0' => (Some(0), 0),
            'a' => (Some(7), 0),
            'b' => (Some(8), 0),
            't' => (Some(b'\t'), 0),
            'n' => (Some(b'\n'), 0),
            'v' => (Some(11), 0),
            'f' => (Some(12), 0),
            'r' => (Some(b'\r'), 0),
            'e' => (Some(27), 0),
            other => (u8::try_from(other).ok(), 0),
        };
        has_escapes |= matches!(kind, 'x' | 'u' | '0'..='3');
        bytes.extend(byte);
        for _ in 0..length {
            characters.next();
        }
    }
    (bytes, has_escapes, "")
}
