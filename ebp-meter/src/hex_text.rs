//! Telegrams written as hexadecimal digits, as people post and save them.
//!
//! Enters: text with digits such as `1b1b1b1b`, `1B 1B`, `0x1b, 0x1b`, `\x1b\x1b` or `1b:1b`, in lines
//! of any length. Leaves: the bytes that they stand for. Absent: telegrams, which decoders find in
//! them.

mod digit;
mod log;
mod stamp;

use digit::digit;
use log::Log;
use stamp::Stamp;

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
/// A line that begins with the number of the bytes before it is one of a dump (`xxd`, `hexdump -C`,
/// `od -t x1`): its number is left out, and so are the characters behind its bytes. Words of two bytes
/// behind a number of seven digits have their bytes swapped, as `hexdump` and `od -x` write them. From
/// the first line with `<<<` on the text is a log of ESPHome, and what counts is behind that mark; from
/// the first line that begins as Tasmota's console does, what counts is behind such beginnings. NUL is
/// passed over: every second byte is one where an editor or PowerShell has saved UTF-16.
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
    stamp: Stamp,
    log: Option<Log>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Line {
    /// At its beginning, as long as it may be a number.
    #[default]
    Number,
    /// Nothing but bytes.
    Bytes,
    /// Behind a dump's number: so many bytes came, and so many spaces behind them. Whether the bytes
    /// of words are swapped.
    Dump { bytes: usize, spaces: usize, swaps: bool },
    /// A dump's characters.
    Characters,
}

impl HexText {
    /// Appends to `out` the bytes that `text` stands for.
    pub fn undo(&mut self, text: &[u8], out: &mut Vec<u8>) {
        for &character in text.iter().filter(|character| **character != 0) {
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
    fn is_mark(&mut self, character: u8) -> bool {
        if self.stamp.take(character) {
            return true;
        }
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
                    self.line = Line::Dump { bytes: 0, spaces: 0, swaps: number.len() == 7 };
                    return;
                }
                self.line = Line::Bytes;
                number.into_iter().for_each(|digit| self.take_byte(digit, out));
            }
            Line::Dump { bytes, spaces, swaps } if !is_end => {
                let spaces = if character == b' ' { spaces + 1 } else { 0 };
                // `hexdump -C` has a second space in the middle of its bytes and before them.
                let is_middle = matches!(bytes, 0 | 8) && spaces == 2;
                if bytes == DUMPED || character == b'|' || (spaces >= 2 && !is_middle) {
                    self.clear();
                    self.line = Line::Characters;
                    return;
                }
                let before = out.len();
                self.swap_word(swaps && digit(character).is_none(), out);
                self.take_byte(character, out);
                self.line = Line::Dump { bytes: bytes + out.len() - before, spaces, swaps };
                return;
            }
            Line::Characters if !is_end => return,
            Line::Dump { swaps, .. } => self.swap_word(swaps, out),
            Line::Bytes | Line::Characters => {}
        }
        self.take_byte(character, out);
        if is_end {
            self.line = Line::Number;
        }
    }

    /// Swaps the bytes of the word of four digits that has just ended, if words are swapped here.
    fn swap_word(&self, swaps: bool, out: &mut [u8]) {
        if swaps
            && self.digits == 4
            && let [.., low, high] = out
        {
            std::mem::swap(low, high);
        }
    }

    /// Whether these digits are the number of the bytes so far, and of a dump's form. `od` writes it
    /// in octal.
    fn is_count(&self, digits: &[u8]) -> bool {
        let number = |radix| {
            let text = str::from_utf8(digits).ok()?;
            usize::from_str_radix(text, radix).ok()
        };
        let is = |radix| number(radix) == Some(self.count);
        digits.len() >= 4 && (is(16) || (digits.len() == 7 && is(8)))
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
    let has_stamp = || {
        let mut stamp = Stamp::default();
        text.iter().any(|byte| stamp.take(*byte))
    };
    (text.windows(log::MARK.len()).any(|part| part == log::MARK) || has_stamp())
        && text.iter().all(is_text)
}

/// What a whole text stands for, if it is hexadecimal: nine tenths of its characters are digits and
/// what separates them, or each of its lines begins with a dump's number, or it is a log of ESPHome or
/// Tasmota.
#[must_use]
pub fn undo(text: &[u8]) -> Option<Vec<u8>> {
    let fits = |&&character: &&u8| {
        digit(character).is_some()
            || is_separator(character)
            || matches!(character, b'\r' | b'\n' | b'x' | b'X' | 0)
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
mod tests;
