//! Why nothing could be read, where the bytes themselves show it.
//!
//! Enters: a bounded recording of what came. Leaves: a [`Cause`], or nothing where the bytes fit none.
//! Absent: ports, time, remedies; and readouts, since a cause is asked for where there is none.
//!
//! Each cause is recognised by what it does to the bytes, and checked against what else could have
//! done it: a changed line end by the checksum that is right again without the change, a buffer that
//! is too small by several telegrams that break at one place, an echo by there being nothing else.
//! "Bits were lost" is what remains of telegrams whose length is right and whose checksum is wrong.

mod ascii;
mod line_ends;
mod sml;
mod text;

use std::fmt;

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

    /// Begins anew.
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

/// What the bytes show.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// Nothing but what was sent: a request, perhaps an acknowledgement.
    OwnEcho,
    /// A web server: the bytes begin with `HTTP/`, `<!DOCTYPE html`, `<html` or an alert of TLS.
    WebServer,
    /// Somebody else's words: a little printable text without registers, such as `Port already in
    /// use`. Their last line, at most 120 letters, digits and printable characters of ASCII.
    Words(String),
    /// A Telnet bridge, which begins with a negotiation (`ff fb`, `ff fd`), and nothing behind it that
    /// shows another cause.
    Telnet,
    /// A meter's name in answer to a request, and no register.
    Named {
        /// The maker's FLAG id, three capital letters.
        manufacturer: String,
    },
    /// The eighth bit is cut off: no byte has one, and OBIS codes end in `7f`.
    SevenBits,
    /// Line ends were changed on the way: without the change a checksum is right that is wrong with
    /// it.
    LineEnds(LineEnds),
    /// Telegrams break after the same number of bytes, again and again.
    BufferTooSmall {
        /// After how many, about.
        bytes: usize,
    },
    /// Telegrams have holes at changing places.
    BytesLost,
    /// Telegrams have their full length, or damaged marks of their beginning and end, and wrong
    /// checksums.
    BitsLost,
}

/// How line ends were changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineEnds {
    /// Each CR became LF (a terminal's `icrnl`).
    CrToLf,
    /// Each LF became CR (`inlcr`).
    LfToCr,
    /// Each LF became CR and LF.
    LfToCrLf,
    /// Each CR became CR and LF.
    CrToCrLf,
    /// Each CR became CR and NUL (Telnet's text mode).
    CrToCrNul,
    /// CR was left out (`igncr`).
    CrLost,
    /// LF was left out.
    LfLost,
}

impl LineEnds {
    const fn phrase(self) -> &'static str {
        match self {
            Self::CrToLf => "turns CR into LF",
            Self::LfToCr => "turns LF into CR",
            Self::LfToCrLf => "turns LF into CR and LF",
            Self::CrToCrLf => "turns CR into CR and LF",
            Self::CrToCrNul => "puts NUL behind CR",
            Self::CrLost => "leaves CR out",
            Self::LfLost => "leaves LF out",
        }
    }
}

/// As the second half of a sentence about the port: `/dev/ttyUSB0: …`.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnEcho => f.write_str("only the echo of what was sent came back"),
            Self::WebServer => f.write_str("a web server answered"),
            Self::Words(words) => write!(f, "it says \"{words}\""),
            Self::Telnet => f.write_str("the bridge speaks Telnet"),
            Self::Named { manufacturer } => {
                write!(f, "the meter gave its name ({manufacturer}) and then no registers")
            }
            Self::SevenBits => f.write_str("only 7 of 8 bits arrive"),
            Self::LineEnds(change) => {
                write!(f, "the line changes CR/LF: it {}", change.phrase())
            }
            Self::BufferTooSmall { bytes } => write!(
                f,
                "telegrams break after about {bytes} bytes each time: a buffer of that size on the \
                 way is too small"
            ),
            Self::BytesLost => f.write_str("bytes are lost at changing places in the telegrams"),
            Self::BitsLost => f.write_str("bits are lost in the telegrams"),
        }
    }
}

impl Cause {
    /// Of two causes the one that says more; of equals the first.
    #[must_use]
    pub fn more_telling(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        let rank = |cause: &Option<Self>| match cause {
            None => 0,
            Some(Self::BitsLost | Self::BytesLost) => 1,
            Some(_) => 2,
        };
        if rank(&second) > rank(&first) { second } else { first }
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
        return within(&telnet::undo(bytes)).or(Some(Cause::Telnet));
    }
    let unwrapped = || within(&hex_text::undo(bytes)?);
    // Who logs says a lot beside.
    if hex_text::is_log(bytes) { unwrapped() } else { within(bytes).or_else(unwrapped) }
}

fn within(bytes: &[u8]) -> Option<Cause> {
    text::diagnose(bytes).or_else(|| sml::diagnose(bytes)).or_else(|| ascii::diagnose(bytes))
}

#[cfg(test)]
mod tests;
