//! Telegrams written as hexadecimal digits, as people post and save them.
//!
//! Enters: text with digits such as `1b1b1b1b`, `1B 1B`, `0x1b, 0x1b`, `\x1b\x1b` or `1b:1b`, in lines
//! of any length. Leaves: the bytes that they stand for. Absent: telegrams, which decoders find in
//! them.

mod digit;
mod log;

use digit::digit;
use log::Log;

/// Fewer digits are no telegram.
const LEAST_DIGITS: usize = 12;

/// So many bytes of a line are held back: they may have been made of what a log's line begins with.
const HELD: usize = 32;

/// Bytes in a line of a dump.
const DUMPED: usize = 16;

/// Decodes hexadecimal text that comes in pieces of any size.
///
/// Digits go in pairs. A single digit between two separators is a byte (`1B 1B 1 1`), but a pair
/// may be broken by the end of a line. Whatever is neither a digit nor a separator ends a pair that
/// was begun, and has no further effect: what it was part of makes no telegram.
///
/// A line that begins with the number of the bytes before it is one of a dump (`xxd`, `hexdump -C`):
/// its number is left out, and so are the characters behind its bytes. From the first line with `<<<` on
/// the text is a log of ESPHome, and what counts is behind that mark.
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
    /// The line's first bytes, as long as they are held back.
    held: Vec<u8>,
    /// Whether the line has given them.
    given: bool,
    /// How many characters of a log's mark were just there.
    marked: usize,
    log: Option<Log>,
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
            if let Some(log) = &mut self.log {
                log.take(character, out);
            } else if self.is_mark(character) {
                *self = Self { log: Some(Log::marked()), ..Self::default() };
            } else {
                self.hold(character, out);
            }
        }
    }

    /// Whether a log's mark is complete with that character. Among a dump's characters it is none.
    const fn is_mark(&mut self, character: u8) -> bool {
        let is_dump = matches!(self.line, Line::Dump { .. } | Line::Characters);
        let is_next = character == log::MARK[self.marked] && !is_dump;
        self.marked = if is_next { self.marked + 1 } else { 0 };
        if self.marked < log::MARK.len() {
            return false;
        }
        self.marked = 0;
        true
    }

    /// Takes a character, and gives a line's bytes when it has ended or has many.
    fn hold(&mut self, character: u8, out: &mut Vec<u8>) {
        let mut held = std::mem::take(&mut self.held);
        let before = held.len();
        self.take(character, &mut held);
        self.count += held.len() - before;
        let is_end = matches!(character, b'\r' | b'\n');
        if self.given || is_end || held.len() >= HELD {
            out.append(&mut held);
            self.given = !is_end;
        }
        self.held = held;
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

/// Whether that is text in which a log's mark stands.
#[must_use]
pub fn is_log(text: &[u8]) -> bool {
    let is_text = |byte: &u8| matches!(byte, b' '..|b'\r'| b'\n' | b'\t' | 0x1b);
    text.windows(log::MARK.len()).any(|part| part == log::MARK) && text.iter().all(is_text)
}

/// What a whole text stands for, if it is hexadecimal: nine tenths of its characters are digits and
/// what separates them, or each of its lines begins with a dump's number, or it is a log of ESPHome.
#[must_use]
pub fn undo(text: &[u8]) -> Option<Vec<u8>> {
    let fits = |&&character: &&u8| {
        digit(character).is_some()
            || is_separator(character)
            || matches!(character, b'\r' | b'\n' | b'x' | b'X')
    };
    let digits = text.iter().filter(|character| digit(**character).is_some()).count();
    let is_dump = text.starts_with(b"0000") && text.is_ascii();
    let is_log = !is_dump && is_log(text);
    let is_hexadecimal = text.iter().filter(fits).count() * 10 >= text.len() * 9;
    if digits < LEAST_DIGITS || !(is_hexadecimal || is_dump || is_log) {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() / 2);
    let mut decoder = HexText { log: is_log.then(Log::default), ..HexText::default() };
    decoder.undo(text, &mut out);
    decoder.finish(&mut out);
    Some(out)
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
    fn logs_of_esphome() {
        let bytes = [&START[..], b"\"va\\\r\n\xc8"].concat();
        for log in [
            "[12:34:55][C][uart.arduino_esp8266:102]:   Baud Rate: 9600 baud\n\
             [12:34:56][D][uart_debug:114]: <<< 1B:1B:1B:1B:01:01\n\
             [12:34:56][D][sensor:094]: 'Power': Sending state 1234.00000 W\n\
             [12:34:56][D][uart_debug:114]: >>> 2F:3F:21:0D:0A\n\
             [12:34:57.113][D][uart_debug:114]: <<< 01:01:22:76:61:5C:0D:0A:C8\n",
            "\u{1b}[0;36m[D][uart_debug:158]: <<< 1B 1B 1B 1B 01 01\u{1b}[0m\r\n\
             [0;36m[D][uart_debug:158]: <<< 01 01 22 76 61 5C 0D 0A C8[0m\r\n",
            "10:00:24 [0] [uart_debug:158] <<< \"\\x1B\\x1B\\e\\e\\x01\\x01\"\n\
             10:00:25 [0] [uart_debug:158] <<< \"\\x01\\x01\\\"va\\\\\\r\\n\\xC8\"\n",
            "<<< 1B,1B,1B,1B,01,01,01,01,22,76,61,5C,0D,0A,C8",
        ] {
            assert_eq!(undo(log.as_bytes()).as_deref(), Some(&bytes[..]), "{log}");
        }
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
        fn pieces_of_any_size_give_the_same(text in "[0-9a-fA-FxX ,:|\r\ng<\\\"]{0,200}", size in 1_usize..9) {
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
