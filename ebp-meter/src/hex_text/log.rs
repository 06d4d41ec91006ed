//! A log of ESPHome, whose `debug:` option of a UART writes down what came over it, or of Tasmota.
//!
//! Enters: the log's characters. Leaves: the received bytes. Absent: what else is logged, and what was
//! sent.
//!
//! `[12:34:56][D][uart_debug:114]: <<< 1B:1B:1B:1B:01:01:01:01` is a line of `UARTDebug::log_hex`
//! (`esphome/components/uart/uart_debugger.cpp`): `<<<` before received bytes and `>>>` before sent
//! ones, two digits a byte, between them whatever separator was asked for. `UARTDebug::log_string`
//! writes the bytes between quotation marks, with C's escapes in place of what cannot be printed. A
//! telegram takes several lines, between which others may stand
//! (community.home-assistant.io/t/940998, github.com/esphome/issues/issues/2621).

use super::{digit::digit, stamp::Stamp};

/// What stands before received bytes.
pub(super) const MARK: [u8; 3] = *b"<<<";

/// A log behind its first [`MARK`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Log {
    place: Place,
    /// How many characters of the mark were just there.
    marked: usize,
    stamp: Stamp,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    /// Before the mark, or behind the bytes.
    #[default]
    Outside,
    /// Behind the mark, where nothing but spaces came.
    Marked,
    /// Between digits; a byte's first may have come.
    Digits(Option<u8>),
    /// Between quotation marks.
    Text,
    /// Behind a backslash there.
    Escape,
    /// Behind `\x`; the first digit may have come.
    EscapedDigits(Option<u8>),
}

impl Log {
    /// Begins behind a mark.
    pub const fn marked() -> Self {
        Self { place: Place::Marked, marked: 0, stamp: Stamp::Other }
    }

    /// Appends to `out` the byte that the character completes.
    pub fn take(&mut self, character: u8, out: &mut Vec<u8>) {
        if matches!(character, b'\r' | b'\n') {
            *self = Self::default();
            return;
        }
        self.place = match self.place {
            Place::Outside if self.stamp.take(character) => Place::Marked,
            Place::Outside => {
                self.marked = if character == MARK[self.marked] { self.marked + 1 } else { 0 };
                if self.marked < MARK.len() {
                    return;
                }
                self.marked = 0;
                Place::Marked
            }
            Place::Marked if matches!(character, b' ' | b'>') => Place::Marked,
            Place::Marked if character == b'"' => Place::Text,
            Place::Marked | Place::Digits(None) => match digit(character) {
                Some(high) => Place::Digits(Some(high)),
                None if is_separator(character) => Place::Digits(None),
                None => Place::Outside,
            },
            Place::Digits(Some(high)) => match digit(character) {
                Some(low) => {
                    out.push(high << 4 | low);
                    Place::Digits(None)
                }
                None => Place::Outside,
            },
            Place::Text if character == b'"' => Place::Outside,
            Place::Text if character == b'\\' => Place::Escape,
            Place::Text => {
                out.push(character);
                Place::Text
            }
            Place::Escape if character == b'x' => Place::EscapedDigits(None),
            Place::Escape => {
                out.push(escaped(character));
                Place::Text
            }
            Place::EscapedDigits(high) => match (high, digit(character)) {
                (None, Some(high)) => Place::EscapedDigits(Some(high)),
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    Place::Text
                }
                (_, None) => Place::Outside,
            },
        };
    }
}

/// The byte that C writes so behind a backslash.
const fn escaped(character: u8) -> u8 {
    match character {
        b'a' => 7,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        b'e' => 27,
        other => other,
    }
}

/// What may stand between two bytes. A bracket begins what a terminal's colours leave behind.
const fn is_separator(character: u8) -> bool {
    matches!(character, b' ' | b'\t') || (character.is_ascii_punctuation() && character != b'[')
}
