//! Bytes written as text in the many forms that programs have for it.
//!
//! Enters: lines of text, with timestamps, labels, offsets and columns of characters around the bytes.
//! Leaves: the bytes, as each [`Form`] reads them. Absent: which form is right, which a telegram with a
//! right checksum proves; plain hexadecimal text, dumps of the usual kind and logs of ESPHome and
//! Tasmota, which [`crate::hex_text`] reads as they come.

mod columns;
mod digits;
mod escapes;
mod numbers;
mod prefix;

use columns::Columns;
use numbers::Numbers;

/// A line that is longer is none.
const LONGEST_LINE: usize = 64 * 1024;
/// Fewer digits in a row may be anything.
const LONG_WORD: usize = 16;
/// So many bytes in a line are no accident.
const FEW: usize = 8;

/// How bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Hexadecimal words, behind timestamps, labels or an offset, before a column of characters:
    /// `xxd -c 32`, `od -A d -t x1`, `socat -x`, jpnevator, a stream that Wireshark follows, the
    /// Arduino IDE's serial monitor.
    Hexadecimal,
    /// The same, whose words have their bytes in reverse (`xxd -e`, `od -t x4`).
    Reversed,
    /// Decimal numbers: `<<< 27:27:27` of ESPHome, `{"type":"Buffer","data":[27,27]}` of Node-RED.
    Decimal,
    /// Characters and escapes between quotation marks, `b'\x1b\x1bv\x05'` of Python.
    Escaped,
    /// Rows of digits among anything else: `{"SerialReceived":"1B1B1B1B01010101"}` of Tasmota.
    LongWords,
}

impl Form {
    /// Each of them.
    pub const ALL: [Self; 5] =
        [Self::Hexadecimal, Self::Reversed, Self::Decimal, Self::Escaped, Self::LongWords];
}

/// Decodes text of one form that comes in pieces of any size.
#[derive(Debug, Clone)]
pub struct ByteText {
    reader: Reader,
    line: Vec<u8>,
    /// The rest of the line is passed over: it is no text.
    is_other: bool,
}

#[derive(Debug, Clone)]
enum Reader {
    Columns(Columns),
    Numbers(Numbers),
    Escapes,
    LongWords,
}

impl ByteText {
    /// Reads text of this form.
    #[must_use]
    pub fn new(form: Form) -> Self {
        let reader = match form {
            Form::Hexadecimal => Reader::Columns(Columns::default()),
            Form::Reversed => Reader::Columns(Columns::reversed()),
            Form::Decimal => Reader::Numbers(Numbers::default()),
            Form::Escaped => Reader::Escapes,
            Form::LongWords => Reader::LongWords,
        };
        Self { reader, line: Vec::new(), is_other: false }
    }

    /// Appends to `out` the bytes that `text` stands for, as far as its lines have ended.
    pub fn undo(&mut self, text: &[u8], out: &mut Vec<u8>) {
        // Every second byte is NUL where an editor has saved UTF-16.
        for &byte in text.iter().filter(|byte| **byte != 0) {
            match byte {
                b'\r' | b'\n' => self.end_line(out),
                _ if self.is_other => {}
                b'\t' | 0x1b | b' '..=b'~' | 0x80.. if self.line.len() < LONGEST_LINE => {
                    self.line.push(byte);
                }
                _ => {
                    self.line.clear();
                    self.is_other = true;
                }
            }
        }
    }

    /// The text has ended.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.end_line(out);
        if let Reader::Columns(columns) = &mut self.reader {
            columns.finish(out);
        }
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        let line = std::mem::take(&mut self.line);
        self.is_other = false;
        if let Ok(line) = str::from_utf8(&line)
            && !line.is_empty()
        {
            match &mut self.reader {
                Reader::Columns(columns) => columns.take(line, out),
                Reader::Numbers(numbers) => numbers.take(line, out),
                Reader::Escapes => escapes::take(line, out),
                Reader::LongWords => take_long_words(line, out),
            }
        }
        // The room is kept for the next line.
        self.line = line;
        self.line.clear();
    }
}

/// What a whole text stands for if it has this form.
#[must_use]
pub fn undo(form: Form, text: &[u8]) -> Vec<u8> {
    let (mut decoder, mut out) = (ByteText::new(form), Vec::new());
    decoder.undo(text, &mut out);
    decoder.finish(&mut out);
    out
}

/// Whether there are characters alone, of UTF-8 or UTF-16.
#[must_use]
pub fn is_text(bytes: &[u8]) -> bool {
    let is_usual =
        |byte: &u8| matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t' | 0x1b | 0 | 0x80..);
    bytes.iter().all(is_usual)
}

/// Whether a printable text is one of bytes, in whatever form: a quarter of its lines has many of them.
#[must_use]
pub fn is_byte_text(text: &[u8]) -> bool {
    if !is_text(text) {
        return false;
    }
    let (mut lines, mut with_bytes) = (0, 0);
    for line in text.split(|byte| matches!(byte, b'\r' | b'\n')) {
        let line: Vec<u8> = line.iter().copied().filter(|byte| *byte != 0).collect();
        let Ok(line) = str::from_utf8(&line) else { continue };
        if line.contains(char::is_alphanumeric) {
            lines += 1;
            with_bytes += usize::from(longest_row(line) >= FEW);
        }
    }
    with_bytes > 0 && with_bytes * 4 >= lines
}

/// How many bytes stand one behind the other in the line.
fn longest_row(line: &str) -> usize {
    let is_between = |c: char| c.is_whitespace() || ",;:-_\"'\\$[]{}|x".contains(c);
    let (mut row, mut longest, mut has_letters) = (0, 0, false);
    let words = prefix::behind_prefix(line).split(is_between);
    for word in words.filter(|word| !word.is_empty()) {
        let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_decimal = word.len() <= 3 && word.parse::<u8>().is_ok();
        // A longer word without letters is as likely a number, unless others have some.
        has_letters |= is_hex && word.contains(char::is_alphabetic);
        row = match word.len() {
            _ if is_decimal => row + 1,
            1 | 2 if is_hex => row + 1,
            length if is_hex && has_letters && length.is_multiple_of(2) => row + length / 2,
            _ => 0,
        };
        has_letters &= row > 0;
        longest = longest.max(row);
    }
    // Escapes among printable characters.
    longest.max(line.matches("\\x").count())
}

/// The bytes of each row of many digits.
fn take_long_words(line: &str, out: &mut Vec<u8>) {
    for word in line.split(|c: char| !c.is_ascii_alphanumeric()) {
        let word = word.strip_prefix("0x").unwrap_or(word);
        if word.len() >= LONG_WORD
            && word.len().is_multiple_of(2)
            && let Some(bytes) = digits::bytes_of(word)
        {
            out.extend(bytes);
        }
    }
}

#[cfg(test)]
mod tests;
