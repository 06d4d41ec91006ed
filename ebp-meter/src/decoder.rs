//! From a stream of bytes to readouts, without any input or output.
//!
//! Enters: bytes in pieces of any size, with noise between. Leaves: [`Readout`]s and what was
//! passed over ([`Noise`]). Absent: ports, time-outs, line settings.

use crate::readout::Readout;

/// What the decoder passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noise {
    /// A frame whose checksum is wrong or missing and from which nothing could be salvaged.
    WrongChecksum {
        /// Its length on the wire.
        bytes: usize,
    },
    /// A frame that is whole by its checksum but says nothing that can be read.
    Unreadable {
        /// Its length on the wire.
        bytes: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Bytes that belong to no frame.
    Garbage {
        /// How many.
        bytes: usize,
    },
    /// SML bytes with their eighth bit cut off: the line stands at 7 data bits and must be set to 8N1.
    SevenBitLine,
}

/// One thing that a decoder found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A telegram.
    Readout(Readout),
    /// Something passed over.
    Noise(Noise),
}

/// A protocol's decoder.
///
/// Promises of every implementation: what is pushed in pieces gives the same events as pushed at
/// once; memory stays bounded whatever comes; the next good telegram after any noise is found.
pub trait Decode: Send {
    /// Takes bytes from the stream.
    fn push(&mut self, bytes: &[u8]);

    /// The next event, or nothing until more bytes come.
    fn next_event(&mut self) -> Option<Event>;

    /// Says that the stream has ended: what is left is reported as noise or salvaged.
    fn finish(&mut self);
}
