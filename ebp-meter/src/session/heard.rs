//! Statistics of the bytes within one step of the search: enough to distinguish a parity bit from
//! data, text from noise, and how far an answer has come.

use std::time::Duration;

/// How many bytes are evidence enough of a parity bit, or of text.
pub(super) const EVIDENCE: u32 = 48;
/// So few bytes are no telegram: a head that is switched on may send some.
const FEW: u32 = 16;
/// The longest value of a register, bytes.
const LONGEST_VALUE: u8 = 80;

/// What was received.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// When the first and the last byte came.
    pub times: Option<(Duration, Duration)>,
    /// Whether a meter gave its name in answer to a request.
    pub identified: bool,
    /// How many bytes came.
    pub received: u64,
    /// How many registers of ASCII came, and when the last one did.
    pub registers: u32,
    pub register_at: Option<Duration>,
    /// How many names of meters began.
    pub names: u32,
    /// Bytes of late.
    bytes: u32,
    /// Of these, bytes whose seven lower bits are text.
    text: u32,
    /// Of these, bytes whose eighth bit makes the parity even.
    text_with_parity: u32,
    eighth_bits: u32,
    /// How many escape bytes of SML stand at the end.
    escapes: u8,
    /// Whether four of them stood in a row.
    pub sml: bool,
    /// Behind a `/`.
    slash: bool,
    /// How long a register's value is so far.
    value: Option<u8>,
}

impl Heard {
    /// Bytes came.
    pub fn hear(&mut self, bytes: &[u8], now: Duration) {
        if bytes.is_empty() {
            return;
        }
        self.times = Some((self.times.map_or(now, |(first, _)| first), now));
        self.received = self.received.saturating_add(bytes.len() as u64);
        for &byte in bytes {
            let character = byte & 0x7f;
            let text = matches!(character, b' '..=b'~' | b'\r' | b'\n' | 0x02 | 0x03);
            self.bytes = self.bytes.saturating_add(1);
            self.text += u32::from(text);
            self.text_with_parity += u32::from(text && byte.count_ones() % 2 == 0);
            self.eighth_bits += u32::from(byte & 0x80 != 0);
            self.escapes = if byte == 0x1b { self.escapes.saturating_add(1) } else { 0 };
            self.sml |= self.escapes >= 4;
            if self.bytes >= 4 * EVIDENCE {
                // The beginning may be noise of a line just switched: let it fade.
                self.bytes /= 2;
                self.text /= 2;
                self.text_with_parity /= 2;
                self.eighth_bits /= 2;
            }
            if self.slash && character.is_ascii_alphabetic() {
                self.names = self.names.saturating_add(1);
            }
            self.slash = character == b'/';
            self.read_register(character, now);
        }
    }

    fn read_register(&mut self, character: u8, now: Duration) {
        self.value = match (character, self.value) {
            (b'(', _) => Some(0),
            (b')', Some(_)) => {
                self.registers = self.registers.saturating_add(1);
                self.register_at = Some(now);
                None
            }
            (b' '..=b'~', Some(length)) if length < LONGEST_VALUE => Some(length + 1),
            _ => None,
        };
    }

    /// Whether nothing was received, or so little that no meter is sending.
    pub const fn is_quiet(&self) -> bool {
        self.bytes < FEW
    }

    /// Whether the bytes are ASCII registers, and not noise that resembles them.
    pub const fn is_registers(&self) -> bool {
        self.registers >= 2 && self.bytes >= EVIDENCE && self.text * 10 >= self.bytes * 9
    }

    /// Whether what comes is text at 7 data bits with even parity, read at 8.
    pub const fn is_text_with_parity(&self) -> bool {
        self.bytes >= EVIDENCE
            && self.eighth_bits >= EVIDENCE / 4
            && self.text_with_parity * 20 >= self.bytes * 19
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(bytes: &[u8]) -> Heard {
        let mut heard = Heard::default();
        heard.hear(bytes, Duration::from_secs(1));
        heard
    }

    #[test]
    fn registers_and_names_are_counted() {
        let registers = b"/ESY5Q3DA1004\r\n\r\n1-0:0.0.0(12345678)\r\n1-0:1.8.0(1.5*kWh)(2)\r\n\
                          1-0:1.8.1(1.5*kWh)\r\n!\r\n";
        let with_parity: Vec<u8> = registers
            .iter()
            .map(|byte| byte | if byte.count_ones() % 2 == 1 { 0x80 } else { 0 })
            .collect();
        for bytes in [&registers[..], &with_parity] {
            let heard = heard(bytes);
            assert_eq!((heard.registers, heard.names), (4, 1));
            assert!(heard.is_registers());
        }
        assert_eq!(heard(b"/?!\r\n/?!\r\n").names, 0, "one's own echo");
    }

    #[test]
    fn noise_is_no_register() {
        let noise: Vec<u8> = (0..=255).cycle().take(4000).collect();
        assert!(!heard(&noise).is_registers());
        assert!(!heard(&[b'('; 500]).is_registers());
        assert!(heard(&[0, 0xff, 0x80]).is_quiet());
    }
}
