//! Determines from the bytes why nothing could be read.
//!
//! Enters: a bounded recording of what came. Leaves: a [`Cause`], or nothing where the bytes fit
//! none. Absent: ports, time, remedies; and readouts, since a cause is needed only without one.
//!
//! Each cause is recognised by what it does to the bytes, and checked against what else could have
//! done it: a changed line end by the checksum that is right again without the change, a buffer
//! that is too small by several telegrams that break at one place, an echo by the absence of other
//! data. "Bits were lost" is what remains of telegrams whose length is right and whose checksum is
//! wrong.

mod ascii;
mod byte_text;
mod cause;
mod foreign;
mod line_ends;
mod raw;
mod sml;
mod structure;
mod terminal;
mod text;

use std::fmt;

pub use cause::{Cause, LineEnds, OtherProtocol};

use crate::{hex_text, port::telnet};

/// So many bytes are looked at, some 30 s of a line at 9600 baud.
const ROOM: usize = 32 * 1024;

/// The beginning of what came.
#[derive(Default)]
pub struct Recording {
    bytes: Vec<u8>,
    ended: bool,
}

/// Shows no bytes: they identify the meter.
impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recording({} bytes)", self.bytes.len())
    }
}

impl Recording {
    /// Bytes came. No more than 32 KiB are kept.
    pub fn note(&mut self, bytes: &[u8]) {
        if !self.ended {
            let room = ROOM - self.bytes.len();
            self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    /// What came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Starts again.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Keeps of it how it began, and takes no more.
    pub fn end(&mut self) {
        self.bytes.truncate(16);
        self.bytes.shrink_to_fit();
        self.ended = true;
    }
}

/// What `bytes`, in which no telegram could be read, show.
///
/// ```
/// use ebp_meter::diagnosis::{Cause, diagnose};
/// assert_eq!(diagnose(b"/?!\r\n/?!\r\n"), Some(Cause::OwnEcho));
/// assert_eq!(diagnose(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Some(Cause::WebServer));
/// assert_eq!(diagnose(b"\xf3\xf3\xf3\xf3"), None);
/// ```
#[must_use]
pub fn diagnose(bytes: &[u8]) -> Option<Cause> {
    let bytes = &bytes[..bytes.len().min(ROOM)];
    if telnet::begins(bytes) {
        return raw::diagnose(&telnet::undo(bytes)).or(Some(Cause::Telnet));
    }
    if let Some(found) = byte_text::diagnose(bytes) {
        return found;
    }
    raw::diagnose(bytes).or_else(|| raw::diagnose(&hex_text::undo(bytes)?))
}

#[cfg(test)]
mod tests;
