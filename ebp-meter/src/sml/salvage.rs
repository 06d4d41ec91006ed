//! What can be had from a damaged frame.
//!
//! Enters: the data of a frame whose checksum is wrong or lost. Leaves: the list responses in it
//! that are whole by their own checksum. Absent: guesses; a message without a right checksum stays
//! lost.

use memchr::memchr;

use super::{
    crc::Checksum,
    message::{Message, intact_list},
};

/// How a message begins: a list of six.
const MESSAGE: u8 = 0x76;
/// Places that look like a list response and are walked through. A frame has one; hostile data may
/// have one every ten bytes.
const MOST_LOOKS: usize = 64;

/// The intact list responses in `data`, wherever they begin.
pub(super) fn salvage(data: &[u8], first: Checksum) -> Salvage<'_> {
    Salvage { rest: data, checksum: first, looked: 0 }
}

/// Iterates over intact list responses.
pub(super) struct Salvage<'a> {
    rest: &'a [u8],
    checksum: Checksum,
    looked: usize,
}

impl<'a> Iterator for Salvage<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        while self.looked < MOST_LOOKS {
            self.rest = &self.rest[memchr(MESSAGE, self.rest)?..];
            if let Some((message, checksum, behind)) =
                intact_list(self.rest, self.checksum, &mut self.looked)
            {
                self.checksum = checksum;
                self.rest = behind;
                return Some(message);
            }
            self.rest = &self.rest[1..];
        }
        None
    }
}

/// Whether a damaged frame is a good one with the eighth bit of each byte cut off, as a line at 7
/// data bits does it: start and end survive that, but the `ff` at the end of OBIS codes becomes `7f`.
pub(super) fn is_seven_bit(raw: &[u8]) -> bool {
    raw.is_ascii()
        && raw.windows(7).any(|w| matches!(w, [0x07, 0x01, 0x00, 0..=0x63, 0..=0x63, _, 0x7f]))
}
