//! The language of an imaginary meter: lines of text with a checksum, asked and answered.
//!
//! `:READ*52` asks for the registers and is answered by `:DATA 00712345 e 123456789 p 417*…` (energy in
//! tenths of a watt hour, power in watts), or while the meter is locked by `:DATA 00712345 k 12345*…`
//! (whole kilowatt hours). `:PIN 090715*…` is answered by `:OK*…` or `:WRONG*…`.

/// Longer lines are noise.
const LONGEST: usize = 200;

/// What a reader asks for.
pub const READ: &str = "READ";
/// What goes before a PIN.
pub const PIN: &str = "PIN ";
/// The answer to the right PIN.
pub const OK: &str = "OK";
/// The answer to a wrong one.
pub const WRONG: &str = "WRONG";

/// A line with its checksum.
pub fn line(body: &str) -> Vec<u8> {
    format!(":{body}*{:02X}\n", checksum(body)).into_bytes()
}

fn checksum(body: &str) -> u8 {
    body.bytes().fold(0, |sum, byte| sum ^ byte)
}

/// Lines out of a stream of bytes.
#[derive(Default)]
pub struct Lines {
    bytes: Vec<u8>,
}

/// What a line is.
pub enum Line {
    /// Its checksum is right.
    Good(String),
    /// It is not; so many bytes.
    Damaged(usize),
}

impl Lines {
    /// Takes bytes; the lines that are complete with them.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        for &byte in bytes {
            match byte {
                b'\n' => lines.push(understand(&std::mem::take(&mut self.bytes))),
                _ if self.bytes.len() < LONGEST => self.bytes.push(byte),
                _ => self.bytes.clear(),
            }
        }
        lines
    }
}

fn understand(line: &[u8]) -> Line {
    let body = || {
        let (body, sum) = std::str::from_utf8(line).ok()?.strip_prefix(':')?.rsplit_once('*')?;
        (u8::from_str_radix(sum, 16) == Ok(checksum(body))).then(|| body.to_owned())
    };
    body().map_or(Line::Damaged(line.len()), Line::Good)
}
