//! Finds the beginning and end of a telegram in the stream, and checks that it is complete.
//!
//! Enters: single bytes, with or without their parity bit. Leaves: [`Piece`]s. Absent: what the
//! registers say.
//!
//! Because it goes byte by byte, pieces of any size give the same result. A `/` stands only at
//! a telegram's beginning (IEC 62056-21, 6.5: values hold neither `(`, `)`, `*`, `/` nor `!`), so
//! each one is a new chance.

use std::fmt;

use super::{
    crc,
    identification::{Identification, may_stand_at},
};

/// The longest telegram accepted, bytes. Readouts with their history reach some kilobytes.
pub(super) const LONGEST: usize = 64 * 1024;

const STX: u8 = 0x02;
const ETX: u8 = 0x03;

/// One part of the stream.
pub(super) enum Piece {
    /// A whole telegram.
    Frame(Frame),
    /// A telegram whose block check character, or checksum behind `!`, is wrong.
    WrongChecksum {
        /// Its length on the wire.
        bytes: usize,
    },
    /// A telegram that did not come through whole.
    Damaged {
        /// Its length on the wire.
        bytes: usize,
        /// What shows it.
        reason: &'static str,
    },
    /// Bytes outside of telegrams.
    Garbage {
        /// How many.
        bytes: usize,
    },
}

/// A whole telegram, its parity bits cut off.
pub(super) struct Frame {
    /// Its first line.
    pub identification: Identification,
    /// Its registers, lines of printable ASCII.
    pub registers: Vec<u8>,
    /// Whether a block check character or a checksum was there and right.
    pub checked: bool,
    /// Its length on the wire.
    pub bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before any `/`.
    Hunting,
    /// In the line that a `/` began.
    Identifying,
    /// In the registers.
    Reading,
    /// Behind `!`, up to the line's end: a checksum may stand there.
    Ending,
    /// After ETX: the next byte is the block check character, whatever its value.
    Checking,
}

/// The state machine.
pub(super) struct Framer {
    state: State,
    /// The present telegram as it came, parity bits included.
    raw: Vec<u8>,
    /// What its first line says, once that is whole.
    identification: Option<Identification>,
    /// Where its registers begin and end in `raw`.
    registers: (usize, usize),
    /// Whether STX came.
    framed: bool,
    garbage: usize,
}

/// Shows no bytes: they identify the meter.
impl fmt::Debug for Framer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Framer({:?}, {} bytes)", self.state, self.raw.len())
    }
}

impl Default for Framer {
    fn default() -> Self {
        Self {
            state: State::Hunting,
            raw: Vec::new(),
            identification: None,
            registers: (0, 0),
            framed: false,
            garbage: 0,
        }
    }
}

impl Framer {
    /// Takes the next byte.
    pub fn push(&mut self, byte: u8, out: &mut impl FnMut(Piece)) {
        let character = byte & 0x7f;
        match self.state {
            State::Hunting => self.hunt(byte),
            State::Checking => {
                self.raw.push(byte);
                self.complete(out);
            }
            State::Ending => self.end(byte, out),
            State::Identifying if character == b'/' => {
                self.reject();
                self.hunt(byte);
            }
            State::Identifying => self.identify(byte, out),
            State::Reading if character == b'/' => {
                self.damaged("the next one began inside of it", out);
                self.hunt(byte);
            }
            State::Reading => self.read(byte, out),
        }
    }

    /// The stream has ended.
    pub fn finish(&mut self, out: &mut impl FnMut(Piece)) {
        match self.state {
            State::Hunting => {}
            State::Identifying => self.reject(),
            State::Reading | State::Checking => self.damaged("it has no end", out),
            State::Ending => self.complete(out),
        }
        self.report_garbage(out);
    }

    fn hunt(&mut self, byte: u8) {
        match byte & 0x7f {
            b'/' => {
                self.raw.push(byte);
                self.state = State::Identifying;
            }
            // Empty lines between telegrams.
            b'\r' | b'\n' => {}
            _ => self.garbage += 1,
        }
    }

    fn identify(&mut self, byte: u8, out: &mut impl FnMut(Piece)) {
        let place = self.raw.len() - 1;
        self.raw.push(byte);
        match byte & 0x7f {
            b'\n' => {
                let line: Vec<u8> = self.raw[1..].iter().map(|b| b & 0x7f).collect();
                self.identification = Identification::parse(line.trim_ascii_end());
                if self.identification.is_none() {
                    return self.reject();
                }
                self.report_garbage(out);
                self.registers = (self.raw.len(), self.raw.len());
                self.state = State::Reading;
            }
            b'\r' => {}
            character if may_stand_at(place, character) => {}
            _ => self.reject(),
        }
    }

    fn read(&mut self, byte: u8, out: &mut impl FnMut(Piece)) {
        self.raw.push(byte);
        self.registers.1 = self.raw.len();
        match byte & 0x7f {
            // What came between the first line and STX is the echo of the acknowledgement. Behind a
            // register it is a line end with a flipped bit.
            STX if !self.framed
                && !self.raw[self.registers.0..].iter().any(|b| b & 0x7f == b'(') =>
            {
                self.registers.0 = self.raw.len();
                self.framed = true;
            }
            ETX if self.framed => self.state = State::Checking,
            b'!' if !self.framed => {
                self.registers.1 -= 1;
                self.state = State::Ending;
            }
            _ if self.raw.len() >= LONGEST => self.damaged("it has no end", out),
            _ => {}
        }
    }

    fn end(&mut self, byte: u8, out: &mut impl FnMut(Piece)) {
        let character = byte & 0x7f;
        let digits = self.checksum().len();
        match character {
            b'\n' => {
                self.raw.push(byte);
                self.complete(out);
            }
            b'\r' => self.raw.push(byte),
            _ if character.is_ascii_hexdigit()
                && digits < crc::DIGITS
                && self.raw.last().is_some_and(|last| last & 0x7f != b'\r') =>
            {
                self.raw.push(byte);
            }
            _ => {
                self.complete(out);
                self.hunt(byte);
            }
        }
        if self.raw.len() > LONGEST {
            self.complete(out);
        }
    }

    /// What stands behind the `!` of a telegram without a block check character.
    fn checksum(&self) -> &[u8] {
        self.raw.get(self.registers.1 + 1..).unwrap_or_default().trim_ascii_end()
    }

    fn complete(&mut self, out: &mut impl FnMut(Piece)) {
        let framed = std::mem::take(&mut self.framed);
        // Whether the checksum behind `!` is right; nothing where there is none.
        let summed = (!framed && self.checksum().len() == crc::DIGITS)
            .then(|| crc::fits(self.checksum(), &self.raw[..=self.registers.1]));
        let raw = std::mem::take(&mut self.raw);
        let identification = self.identification.take();
        self.state = State::Hunting;
        let bytes = raw.len();
        let Some(identification) = identification else { return };
        let (start, end) = self.registers;
        let mut registers: Vec<u8> = raw[start..end].iter().map(|b| b & 0x7f).collect();
        if framed {
            let check = registers.iter().fold(0, |check, byte| check ^ byte);
            if raw.last().map(|b| b & 0x7f) != Some(check) {
                return out(Piece::WrongChecksum { bytes });
            }
            registers.pop();
        } else if summed == Some(false) {
            return out(Piece::WrongChecksum { bytes });
        } else if let Some(reason) = damage(&raw, &registers) {
            return out(Piece::Damaged { bytes, reason });
        }
        out(Piece::Frame(Frame {
            identification,
            registers,
            checked: framed || summed.is_some(),
            bytes,
        }));
    }

    fn damaged(&mut self, reason: &'static str, out: &mut impl FnMut(Piece)) {
        out(Piece::Damaged { bytes: self.raw.len(), reason });
        self.clear();
    }

    /// It was no telegram after all.
    fn reject(&mut self) {
        self.garbage += self.raw.len();
        self.clear();
    }

    fn clear(&mut self) {
        self.raw.clear();
        self.identification = None;
        self.framed = false;
        self.state = State::Hunting;
    }

    fn report_garbage(&mut self, out: &mut impl FnMut(Piece)) {
        match std::mem::take(&mut self.garbage) {
            0 => {}
            bytes => out(Piece::Garbage { bytes }),
        }
    }
}

/// What shows that a telegram without a block check character did not come through whole.
fn damage(raw: &[u8], registers: &[u8]) -> Option<&'static str> {
    // Read at 8 data bits, the eighth is the parity, even as the standard says, or odd on a line that
    // was set so: every byte of the telegram has the same, and if any has not, its seven others
    // cannot be trusted.
    let is_odd = |byte: &u8| !byte.count_ones().is_multiple_of(2);
    if raw.iter().any(|byte| byte & 0x80 != 0) && raw.iter().any(is_odd) && !raw.iter().all(is_odd)
    {
        return Some("its parity is wrong");
    }
    // At 7 data bits the driver checks the parity and puts NUL in place of a wrong character.
    let readable = |&byte: &u8| matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t');
    (!registers.iter().all(readable)).then_some("it contains an unprintable character")
}
