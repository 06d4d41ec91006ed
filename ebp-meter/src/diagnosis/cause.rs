//! The causes that bytes can show, and their texts.

use std::fmt;

/// What the bytes show.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// Nothing but what was sent: a request, perhaps an acknowledgement.
    OwnEcho,
    /// A web server: the bytes begin with `HTTP/`, `<!DOCTYPE html`, `<html` or an alert of TLS.
    WebServer,
    /// Somebody else's words: printable text without registers, such as `Port already in
    /// use`. Their last line, at most 120 letters, digits and printable characters of ASCII.
    Words(String),
    /// Undamaged frames of a protocol that is not read here.
    OtherProtocol(OtherProtocol),
    /// Text with values that were decoded already: JSON, or lines of names and numbers.
    DecodedText,
    /// Text that stands for bytes, in which there is no telegram: its form may be one that is not read
    /// here.
    UnknownByteText,
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
    /// Bytes from 80 on were changed as if they were text: what came is UTF-8, or has `?` in their
    /// place.
    TextConverted,
    /// No byte of that value comes, though every telegram has some.
    ByteLeftOut {
        /// The value: 00 or ff.
        byte: u8,
    },
    /// A telegram began, and what came has ended before it.
    CutShort,
    /// Telegrams break after the same number of bytes, again and again.
    BufferTooSmall {
        /// After how many, about.
        bytes: usize,
    },
    /// Telegrams lack bytes at the same place, again and again, which is not known.
    BytesLostAtOnePlace,
    /// Each byte 09 became spaces: with it a checksum is right that is wrong without it.
    TabsExpanded,
    /// A terminal took control characters for keys, and dropped them.
    TerminalEdits,
    /// Bytes were inserted: without a few of them a checksum is right that is wrong with them.
    BytesInserted,
    /// Telegrams have holes at changing places.
    BytesLost,
    /// Telegrams have their full length, or damaged marks of their beginning and end, and wrong
    /// checksums.
    BitsLost,
}

/// A protocol of meters that is not read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OtherProtocol {
    /// HDLC, in which customer interfaces send DLMS (IEC 62056-46).
    Hdlc,
    /// M-Bus by wire (EN 13757-2), in which others send it.
    MBus,
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
            Self::CrToCrNul => "inserts NUL after CR",
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
            Self::OtherProtocol(protocol) => {
                let name = match protocol {
                    OtherProtocol::Hdlc => "HDLC",
                    OtherProtocol::MBus => "M-Bus",
                };
                write!(
                    f,
                    "it sends undamaged {name} frames, as customer interfaces with DLMS do, which \
                     this program does not read"
                )
            }
            Self::DecodedText => f.write_str("it sends text with values that were decoded already"),
            Self::UnknownByteText => f.write_str(
                "it is text of bytes, and no telegram is in it: its form may be one that is not known \
                 here",
            ),
            Self::Telnet => f.write_str("the bridge speaks Telnet"),
            Self::Named { manufacturer } => {
                write!(f, "the meter gave its name ({manufacturer}) and then no registers")
            }
            Self::SevenBits => f.write_str("only 7 of 8 bits arrive"),
            Self::LineEnds(change) => {
                write!(f, "the line changes CR/LF: it {}", change.phrase())
            }
            Self::TextConverted => f.write_str(
                "the bytes were changed on the way as if they were text (into UTF-8 or ASCII)",
            ),
            Self::ByteLeftOut { byte } => {
                write!(f, "each byte {byte:02x} is left out on the way")
            }
            Self::CutShort => f.write_str("it ends within the only telegram"),
            Self::BufferTooSmall { bytes } => write!(
                f,
                "telegrams break after about {bytes} bytes each time: a buffer of that size on the \
                 way is too small"
            ),
            Self::BytesLostAtOnePlace => f.write_str(
                "bytes are lost at the same place in each telegram: a buffer on the way is too small",
            ),
            Self::TabsExpanded => f.write_str("each byte 09 becomes spaces on the way, as a tab"),
            Self::TerminalEdits => f.write_str(
                "a terminal edits the bytes: it drops those that it takes for keys (03, 11, 13, 1a)",
            ),
            Self::BytesInserted => {
                f.write_str("bytes are inserted on the way that no meter has sent")
            }
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
            Some(Self::BitsLost | Self::BytesLost | Self::CutShort) => 1,
            Some(_) => 2,
        };
        if rank(&second) > rank(&first) { second } else { first }
    }
}
