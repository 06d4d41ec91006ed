//! Encodings around a meter's bytes: the commands of a Telnet bridge, hexadecimal text.

use crate::{hex_text::HexText, port::telnet::Telnet};

/// What the bytes are wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wrapping {
    /// A bridge's Telnet: commands between the bytes, each `ff` twice.
    Telnet,
    /// Hexadecimal digits.
    HexText,
}

impl Wrapping {
    /// Every way in which bytes come, the usual one first.
    pub(super) const WAYS: [Option<Self>; 3] = [None, Some(Self::Telnet), Some(Self::HexText)];
}

/// Takes the wrapping off.
pub(super) enum Unwrap {
    /// There is none.
    Bare,
    Telnet(Telnet, Vec<u8>),
    HexText(HexText, Vec<u8>),
}

impl Unwrap {
    pub fn new(wrapping: Option<Wrapping>) -> Self {
        match wrapping {
            None => Self::Bare,
            Some(Wrapping::Telnet) => Self::Telnet(Telnet::default(), Vec::new()),
            Some(Wrapping::HexText) => Self::HexText(HexText::default(), Vec::new()),
        }
    }

    pub const fn wrapping(&self) -> Option<Wrapping> {
        match self {
            Self::Bare => None,
            Self::Telnet(..) => Some(Wrapping::Telnet),
            Self::HexText(..) => Some(Wrapping::HexText),
        }
    }

    /// What is in the next bytes of the stream.
    pub fn undo<'a>(&'a mut self, bytes: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Bare => bytes,
            Self::Telnet(telnet, out) => {
                out.clear();
                telnet.undo(bytes, out);
                out
            }
            Self::HexText(text, out) => {
                out.clear();
                text.undo(bytes, out);
                out
            }
        }
    }

    /// What is left when the stream has ended.
    pub fn finish(&mut self) -> &[u8] {
        match self {
            Self::Bare | Self::Telnet(..) => &[],
            Self::HexText(text, out) => {
                out.clear();
                text.finish(out);
                out
            }
        }
    }
}
