//! The identification line, `/XXXZident`: the meter's maker and model, and the speed that it
//! offers.
//!
//! Enters: the line without its `/` and its end. Leaves: [`Identification`]. Absent: framing.

use std::time::Duration;

use crate::flag_id::FlagId;

/// The longest identification accepted, bytes without `/` and line end. The standard allows 20;
/// some meters say more.
pub(super) const LONGEST: usize = 64;

/// How the baud rate changes after the identification (IEC 62056-21, 6.3.2 and 6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It does not: the registers follow at once.
    A,
    /// It does, unasked.
    B {
        /// Bits per second.
        baud: u32,
    },
    /// It does once the reader has acknowledged with the same character.
    C {
        /// Bits per second.
        baud: u32,
        /// The character that stands for them.
        character: u8,
    },
}

/// What the identification line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identification {
    /// The maker's FLAG id, three capital letters.
    pub manufacturer: FlagId,
    /// The character behind it.
    pub mode: Mode,
    /// How long the reader has to wait before it answers: the third letter in lower case stands
    /// for a quick meter (6.3.2, item 12).
    pub reaction: Duration,
}

/// Whether a byte may stand at this place of the line (counted from behind the `/`).
pub(super) fn may_stand_at(place: usize, byte: u8) -> bool {
    match place {
        0..3 => byte.is_ascii_alphabetic(),
        3..LONGEST => (b' '..=b'~').contains(&byte) && byte != b'/' && byte != b'!',
        _ => false,
    }
}

impl Identification {
    /// Parses the line; `None` if it is not an identification.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let valid = line.iter().enumerate().all(|(place, &byte)| may_stand_at(place, byte));
        let &[a, b, c, character, ..] = line else { return None };
        if !valid {
            return None;
        }
        let manufacturer = FlagId::new([a, b, c].map(|letter| letter.to_ascii_uppercase()))?;
        let reaction = Duration::from_millis(if c.is_ascii_lowercase() { 20 } else { 200 });
        Some(Self { manufacturer, mode: mode(character), reaction })
    }
}

fn mode(character: u8) -> Mode {
    match character {
        b'0'..=b'6' => Mode::C { baud: 300 << (character - b'0'), character },
        b'A'..=b'F' => Mode::B { baud: 600 << (character - b'A') },
        _ => Mode::A,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makers_and_modes() {
        let line = Identification::parse(b"ISk5MT174-0001").unwrap();
        assert_eq!(&*line.manufacturer, "ISK");
        assert_eq!(line.mode, Mode::C { baud: 9600, character: b'5' });
        assert_eq!(line.reaction, Duration::from_millis(20));
        let line = Identification::parse(b"EBZ5DD3BZ06ETA_107").unwrap();
        assert_eq!(line.reaction, Duration::from_millis(200));
        assert_eq!(Identification::parse(b"ABCF").unwrap().mode, Mode::B { baud: 19_200 });
        assert_eq!(
            Identification::parse(b"ABC0x").unwrap().mode,
            Mode::C { baud: 300, character: b'0' }
        );
        for fixed in [b"ABC9x", b"ABCGx", b"ABC x"] {
            assert_eq!(Identification::parse(fixed).unwrap().mode, Mode::A);
        }
    }

    #[test]
    fn other_lines_are_none() {
        let long = [b"ABC5".as_slice(), &[b'x'; LONGEST]].concat();
        for other in [b"?!".as_slice(), b"", b"ABC", b"A1C5x", b"ABC5\x02", &long] {
            assert_eq!(Identification::parse(other), None, "{other:?}");
        }
    }
}
