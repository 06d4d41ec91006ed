//! The end of a message.
//!
//! Enters: what follows a message's content. Leaves: [`End`], which shows whether the message is
//! whole. Absent: what the message says.

use super::{crc::Checksum, cursor::Cursor};

/// The end of a message: its checksum, and what that covers.
#[derive(Debug, Clone, Copy)]
pub struct End<'a> {
    covered: &'a [u8],
    checksum: Option<u16>,
    /// What follows.
    pub(super) behind: Cursor<'a>,
}

impl<'a> End<'a> {
    /// Reads what follows the content of the message that begins at `from`.
    #[inline]
    pub(super) fn read(from: &'a [u8], mut cursor: Cursor<'a>) -> Option<Self> {
        let covered = &from[..from.len() - cursor.rest().len()];
        if let [0x63, high, low, rest @ ..] = cursor.rest() {
            let checksum = Some(u16::from_be_bytes([*high, *low]));
            return Some(Self { covered, checksum, behind: Cursor::new(rest) });
        }
        let checksum = unusual_checksum(&mut cursor)?;
        Some(Self { covered, checksum, behind: cursor })
    }

    /// The checksum by which the message is whole, `first` being tried first; nothing where it
    /// has none or a wrong one (eBZ DD3 sends wrong ones in good frames).
    #[must_use]
    pub fn checked(&self, first: Checksum) -> Option<Checksum> {
        first.or_other(self.covered, self.checksum?.to_be_bytes())
    }
}

/// A checksum that is absent, no checksum, or (Iskra MT691) without its high byte, which then is 0:
/// as a number it is the same.
#[inline(never)]
fn unusual_checksum(cursor: &mut Cursor<'_>) -> Option<Option<u16>> {
    Some(cursor.optional_int().ok()?.and_then(|sum| u16::try_from(sum.bits).ok()))
}
