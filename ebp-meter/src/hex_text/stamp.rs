//! How a line of Tasmota's console begins behind which a meter's bytes stand.
//!
//! `sensor53 d1` writes down what comes in, `11:55:48.711 : 77 07 01 00 01 08 00 ff 65 …`, a list's
//! entry to a line, among lines of other parts such as `11:55:49.020 MQT: …` (github.com/arendst/Tasmota,
//! issues 24472, 9644 and 8790; the last has `:>` in place of `: `).

/// The hour, minute and second; `0` stands for any digit.
const TIME: [u8; 8] = *b"00:00:00";

/// How far a line has come that begins so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Stamp {
    /// At the beginning.
    #[default]
    Begin,
    /// So many characters of the time were there.
    Time(u8),
    /// Behind the time's full stop.
    Fraction,
    /// Behind the space that follows the time.
    Space,
    /// The line begins otherwise.
    Other,
}

impl Stamp {
    /// Takes the line's next character. Returns whether the beginning is complete with it.
    pub fn take(&mut self, character: u8) -> bool {
        if matches!(character, b'\r' | b'\n') {
            *self = Self::Begin;
            return false;
        }
        let digit = character.is_ascii_digit();
        let time = |at: u8| match TIME.get(usize::from(at)) {
            Some(b'0') if digit => Self::Time(at + 1),
            Some(b':') if character == b':' => Self::Time(at + 1),
            None if character == b'.' => Self::Fraction,
            None if character == b' ' => Self::Space,
            _ => Self::Other,
        };
        let is_complete = *self == Self::Space && character == b':';
        *self = match self {
            Self::Begin => time(0),
            Self::Time(at) => time(*at),
            Self::Fraction if digit => Self::Fraction,
            Self::Fraction if character == b' ' => Self::Space,
            Self::Fraction | Self::Space | Self::Other => Self::Other,
        };
        is_complete
    }
}
