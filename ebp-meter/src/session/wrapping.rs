//! Encodings around a meter's bytes: the commands of a Telnet bridge, text that stands for bytes.

use crate::{
    byte_text::{ByteText, Form},
    hex_text::HexText,
    port::telnet::Telnet,
};

/// What the bytes are wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wrapping {
    /// A bridge's Telnet: commands between the bytes, each `ff` twice.
    Telnet,
    /// Hexadecimal digits.
    HexText,
    /// Lines of a program that writes bytes as text.
    ByteText,
}

/// A way in which bytes come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Bare,
    Telnet,
    HexText,
    ByteText(Form),
}

impl Way {
    /// All of them, the usual one first.
    pub fn all() -> impl Iterator<Item = Self> {
        let usual = [Self::Bare, Self::Telnet, Self::HexText];
        usual.into_iter().chain(Form::ALL.map(Self::ByteText))
    }
}

/// Takes the wrapping off.
pub(super) enum Unwrap {
    /// There is none.
    Bare,
    Telnet(Telnet, Vec<u8>),
    HexText(HexText, Vec<u8>),
    ByteText(Box<ByteText>, Vec<u8>),
}

impl Unwrap {
    pub fn new(way: Way) -> Self {
        match way {
            Way::Bare => Self::Bare,
            Way::Telnet => Self::Telnet(Telnet::default(), Vec::new()),
            Way::HexText => Self::HexText(HexText::default(), Vec::new()),
            Way::ByteText(form) => Self::ByteText(Box::new(ByteText::new(form)), Vec::new()),
        }
    }

    pub const fn wrapping(&self) -> Option<Wrapping> {
        match self {
            Self::Bare => None,
            Self::Telnet(..) => Some(Wrapping::Telnet),
            Self::HexText(..) => Some(Wrapping::HexText),
            Self::ByteText(..) => Some(Wrapping::ByteText),
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
            Self::ByteText(text, out) => {
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
            Self::ByteText(text, out) => {
                out.clear();
                text.finish(out);
                out
            }
        }
    }
}
