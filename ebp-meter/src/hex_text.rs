//! Telegrams written as hexadecimal digits, as people post and save them.
//!
//! Enters: text with digits such as `1b1b1b1b`, `1B 1B`, `0x1b, 0x1b`, `\x1b\x1b` or `1b:1b`, in lines
//! of any length. Leaves: the bytes that they stand for. Absent: telegrams, which decoders find in
//! them.

/// Fewer digits are no telegram.
const LEAST_DIGITS: usize = 12;

/// Bytes in a line of a dump.
const DUMPED: usize = 16;

/// Decodes hexadecimal text that comes in pieces of any size.
///
/// Digits go in pairs. A digit between two separators is a byte by itself (`1B 1B 1 1`), but a pair
/// may be broken by the end of a line. Whatever is neither a digit nor a separator ends a pair that
/// was begun, and has no further effect: what it was part of makes no telegram.
///
/// A line that begins with the number of the bytes before it is one of a dump (`xxd`, `hexdump -C`):
/// its number is left out, and so are the characters behind its bytes.
#[derive(Debug, Clone, Default)]
pub struct HexText {
    /// A pair's first digit.
    high: Option<u8>,
    /// How many digits there were since the last separator.
    digits: usize,
    /// How many bytes there were in all.
    count: usize,
    line: Line,
    /// The digits at the beginning of a line, which may be its number.
    number: Vec<u8>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Line {
    /// At its beginning, as long as it may be a number.
    #[default]
    Number,
    /// Nothing but bytes.
    Bytes,
    /// Behind a dump's number: so many bytes came, and so many spaces behind them.
    Dump { bytes: usize, spaces: usize },
    /// A dump's characters.
    Characters,
}

impl HexText {
    /// Appends to `out` the bytes that `text` stands for.
    pub fn undo(&mut self, text: &[u8], out: &mut Vec<u8>) {
        for &character in text {
            let before = out.len();
            self.take(character, out);
            self.count += out.len() - before;
        }
    }

    fn take(&mut self, character: u8, out: &mut Vec<u8>) {
        let is_end = matches!(character, b'\r' | b'\n');
        match self.line {
            Line::Number if digit(character).is_some() && self.number.len() < 8 => {
                self.number.push(character);
                return;
            }
            Line::Number => {
                let number = std::mem::take(&mut self.number);
                if matches!(character, b':' | b' ') && self.is_count(&number) {
                    self.clear();
                    self.line = Line::Dump { bytes: 0, spaces: 0 };
                    return;
                }
                self.line = Line::Bytes;
                number.into_iter().for_each(|digit| self.take_byte(digit, out));
            }
            Line::Dump { bytes, spaces } if !is_end => {
                let spaces = if character == b' ' { spaces + 1 } else { 0 };
                // `hexdump -C` has a second space in the middle of its bytes and before them.
                let is_middle = matches!(bytes, 0 | 8) && spaces == 2;
                if bytes == DUMPED || character == b'|' || (spaces >= 2 && !is_middle) {
                    self.clear();
                    self.line = Line::Characters;
                    return;
                }
                let before = out.len();
                self.take_byte(character, out);
                self.line = Line::Dump { bytes: bytes + out.len() - before, spaces };
                return;
            }
            Line::Characters if !is_end => return,
            Line::Bytes | Line::Dump { .. } | Line::Characters => {}
        }
        self.take_byte(character, out);
        if is_end {
            self.line = Line::Number;
        }
    }

    /// Whether these digits are the number of the bytes so far, and of a dump's form.
    fn is_count(&self, digits: &[u8]) -> bool {
        let number =
            str::from_utf8(digits).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
        digits.len() >= 4 && number == Some(self.count)
    }

    fn take_byte(&mut self, character: u8, out: &mut Vec<u8>) {
        match (character, digit(character)) {
            (_, Some(low)) => {
                self.digits = self.digits.saturating_add(1);
                match self.high.take() {
                    Some(high) => out.push(high << 4 | low),
                    None => self.high = Some(low),
                }
            }
            // The zero of `0x1b` is no digit of the byte.
            (b'x' | b'X', None) if self.high == Some(0) && self.digits == 1 => self.clear(),
            (b'\r' | b'\n', None) if self.digits != 1 => self.digits = 0,
            (separator, None) if is_separator(separator) => {
                if self.digits == 1 {
                    out.extend(self.high);
                }
                self.clear();
            }
            _ => self.clear(),
        }
    }

    fn clear(&mut self) {
        (self.high, self.digits) = (None, 0);
    }

    /// The text has ended.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.undo(b"\n", out);
    }
}

/// What a whole text stands for, if it is hexadecimal: nine tenths of its characters are digits and
/// what separates them, or each of its lines begins with a dump's number.
#[must_use]
pub fn undo(text: &[u8]) -> Option<Vec<u8>> {
    let fits = |&&character: &&u8| {
        digit(character).is_some()
            || is_separator(character)
            || matches!(character, b'\r' | b'\n' | b'x' | b'X')
    };
    let digits = text.iter().filter(|character| digit(**character).is_some()).count();
    let is_dump = text.starts_with(b"0000") && text.is_ascii();
    let is_hexadecimal = text.iter().filter(fits).count() * 10 >= text.len() * 9;
    if digits < LEAST_DIGITS || !(is_hexadecimal || is_dump) {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() / 2);
    let mut decoder = HexText::default();
    decoder.undo(text, &mut out);
    decoder.finish(&mut out);
    Some(out)
}

fn digit(character: u8) -> Option<u8> {
    char::from(character).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

const fn is_separator(character: u8) -> bool {
    matches!(
        character,
        b' ' | b'\t'
            | b'\r'
            | b'\n'
            | b','
            | b';'
            | b':'
            | b'-'
            | b'_'
            | b'"'
            | b'\''
            | b'\\'
            | b'$'
            | b'['
            | b']'
            | b'{'
            | b'}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    const START: [u8; 8] = [0x1b, 0x1b, 0x1b, 0x1b, 1, 1, 1, 1];

    #[test]
    fn every_way_of_writing_it() {
        for text in [
            "1b1b1b1b01010101",
            "1B 1B 1B 1B 01 01 01 01\r\n",
            "1B 1B 1B 1B 1 1 1 1 ",
            "0x1b,0x1b,0x1b,0x1b,0x01,0x01,0x01,0x01",
            "{0x1B, 0x1B, 0x1B, 0x1B, 0x1, 0x1, 0x1, 0x1};",
            "\\x1b\\x1b\\x1b\\x1b\\x01\\x01\\x01\\x01",
            "1b:1b:1b:1b:01:01:01:01",
            "1b1b1b1\nb0101\r\n0101",
            "1b1b1b1b-01010101",
            "['1b', '1b', '1b', '1b', '01', '01', '01', '01']",
        ] {
            assert_eq!(undo(text.as_bytes()).as_deref(), Some(&START[..]), "{text}");
        }
    }

    #[test]
    fn dumps() {
        let bytes: Vec<u8> = START.iter().copied().chain(0x61..0x75).collect();
        for dump in [
            "00000000: 1b1b 1b1b 0101 0101 6162 6364 6566 6768  ........abcdefgh\n\
             00000010: 696a 6b6c 6d6e 6f70 7172 7374            ijklmnopqrst\n",
            "00000000  1b 1b 1b 1b 01 01 01 01  61 62 63 64 65 66 67 68  |........abcdefgh|\r\n\
             00000010  69 6a 6b 6c 6d 6e 6f 70  71 72 73 74              |ijklmnopqrst|\r\n\
             0000001c\r\n",
            "0000: 1B 1B 1B 1B 01 01 01 01 61 62 63 64 65 66 67 68\n\
             0010: 69 6A 6B 6C 6D 6E 6F 70 71 72 73 74\n",
        ] {
            let decoded = undo(dump.as_bytes()).unwrap();
            assert!(decoded.starts_with(&bytes), "{dump}: {decoded:02x?}");
        }
        // A line of eight bytes, whose characters are digits.
        let short = "00000000: 1b1b 1b1b 0101 0101                      abcdef00\n";
        assert_eq!(undo(short.as_bytes()).unwrap(), START);
    }

    #[test]
    fn other_text_and_bytes_are_none() {
        for other in [
            "Dear Sir or Madam, the meter said 1b1b1b1b01010101 to me",
            "1b1b",
            "",
            "\u{1b}\u{1b}\u{1b}\u{1b}\u{1}\u{1}",
        ] {
            assert_eq!(undo(other.as_bytes()), None, "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_give_the_same(text in "[0-9a-fA-FxX ,:|\r\ng]{0,200}", size in 1_usize..9) {
            let (mut at_once, mut pieces) = (Vec::new(), Vec::new());
            let text = format!("0000: 12\n0001: {text}");
            HexText::default().undo(text.as_bytes(), &mut at_once);
            let mut decoder = HexText::default();
            text.as_bytes().chunks(size).for_each(|piece| decoder.undo(piece, &mut pieces));
            prop_assert_eq!(at_once, pieces);
        }

        #[test]
        fn digits_come_back(bytes in vec(any::<u8>(), 8..200), width in 1_usize..40) {
            let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let lines: Vec<u8> = text.as_bytes().chunks(2 * width).collect::<Vec<_>>().join(&b'\n');
            prop_assert_eq!(undo(&lines), Some(bytes));
        }
    }
}
