//! Finding frames in a stream of bytes.
//!
//! Enters: bytes with noise before, between and within. Leaves: [`Frame`]s, borrowed, which
//! together are all the bytes, and how far each can be trusted. Absent: what the messages inside
//! mean.
//!
//! A frame is `1b1b1b1b 01010101`, data, zero to three (DZG: four) bytes of padding,
//! `1b1b1b1b 1a`, the number of padding bytes, and two bytes of checksum over all before them.
//! Four `1b` in the data are sent twice. Heads lose bytes and bridges add some, so nothing is
//! believed but the sequences themselves: a start counts at every alignment, also inside a frame.

use memchr::memmem::{self, Finder};

use super::crc::Checksum;

/// Four of these say that something other than data follows.
pub const ESCAPE: [u8; 4] = [0x1b; 4];
/// How a frame of version 1 begins.
pub const START: [u8; 8] = [0x1b, 0x1b, 0x1b, 0x1b, 0x01, 0x01, 0x01, 0x01];
/// Follows the escape at a frame's end.
pub const END: u8 = 0x1a;
/// Padding bytes that an end may declare: the standard has at most 3; DZG DVS74 with serial number
/// 42123440 declares 4 where none would do.
pub const MOST_PADDING: u8 = 4;
/// A frame without an end is abandoned after this many bytes. Meters' frames have 200 to 1,000.
pub const LONGEST: usize = 64 * 1024;

/// Bytes outside of frames are passed on in portions of this size, so that a line with another
/// protocol is reported before it ends. A telegram that lost its start fits in.
pub const PORTION: usize = 4096;

/// Escape, end marker, padding count, checksum.
const END_LENGTH: usize = 8;
/// Starts that are looked at inside a damaged frame: real streams have one, hostile ones thousands.
const MOST_HIDDEN: usize = 8;

/// The frames in `bytes`: whole ones, damaged ones, and what lies between.
///
/// ```
/// # use ebp_meter::sml::{encode::wrap, frame};
/// let noisy = [b"noise".to_vec(), wrap(b"data"), wrap(b"more")].concat();
/// let mut scratch = Vec::new();
/// let mut found = frame::frames(&noisy).filter(frame::Frame::is_whole);
/// assert_eq!(found.next().unwrap().payload(&mut scratch), b"data");
/// assert_eq!(found.next().unwrap().payload(&mut scratch), b"more");
/// ```
#[must_use]
pub fn frames(bytes: &[u8]) -> Frames<'_> {
    Frames { bytes, scanner: Scanner::new(), checksum: Checksum::default() }
}

/// Iterates over the frames of a slice; see [`frames`].
#[derive(Debug, Clone)]
pub struct Frames<'a> {
    bytes: &'a [u8],
    scanner: Scanner,
    checksum: Checksum,
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        let frame = self.scanner.next(self.bytes, true, &mut self.checksum)?;
        self.bytes = &self.bytes[frame.raw.len()..];
        Some(frame)
    }
}

/// How far a frame can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is whole by this checksum.
    Whole(Checksum),
    /// It has an end, but the checksum is wrong.
    WrongChecksum,
    /// Another start, the stream's end or [`LONGEST`] came before its end.
    Truncated,
    /// No frame: bytes without a start, at most [`PORTION`].
    Outside,
}

/// One frame as it lies in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// All its bytes, from the first of the start to the last of the checksum; at least one.
    pub raw: &'a [u8],
    /// How far it can be trusted.
    pub state: State,
    /// Whether something in it is escaped.
    escaped: bool,
}

impl<'a> Frame<'a> {
    /// Whether its checksum is right.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self.state, State::Whole(_))
    }

    /// The data between start and end, without padding: borrowed from the stream, or from
    /// `scratch` where an escape had to be taken out. Of a damaged frame everything after the start.
    #[must_use]
    pub fn payload<'b>(&self, scratch: &'b mut Vec<u8>) -> &'b [u8]
    where
        'a: 'b,
    {
        let data = match self.state {
            State::Whole(_) => {
                let padding = self.raw.len().checked_sub(3).map_or(0, |at| self.raw[at]);
                let end = self.raw.len().saturating_sub(END_LENGTH + usize::from(padding));
                self.raw.get(START.len()..end).unwrap_or_default()
            }
            State::WrongChecksum | State::Truncated => {
                self.raw.get(START.len()..).unwrap_or_default()
            }
            State::Outside => self.raw,
        };
        if !self.escaped {
            return data;
        }
        unescape(data, scratch);
        scratch
    }
}

/// Takes the second of each two escapes out.
fn unescape(data: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut rest = data;
    while let Some(at) = memmem::find(rest, &ESCAPE) {
        let (before, after) = rest.split_at(at + ESCAPE.len());
        out.extend_from_slice(before);
        rest = after.strip_prefix(&ESCAPE).unwrap_or(after);
    }
    out.extend_from_slice(rest);
}

/// Looks for frames in bytes that come bit by bit.
///
/// The caller takes what was found off the front, keeps the rest, and comes again with the rest
/// and more behind it. What is found does not depend on where the pieces were cut.
#[derive(Debug, Clone)]
pub(super) struct Scanner {
    inside: bool,
    /// Bytes that need not be looked at again.
    seen: usize,
    escaped: bool,
    escape: Finder<'static>,
    start: Finder<'static>,
}

impl Scanner {
    pub(super) fn new() -> Self {
        Self {
            inside: false,
            seen: 0,
            escaped: false,
            escape: Finder::new(&ESCAPE),
            start: Finder::new(&START),
        }
    }

    /// The frame at the front of `bytes`, or nothing before more bytes come; `last` says that none
    /// will. `checksum` is the one to try first, and then the one that was right.
    pub(super) fn next<'a>(
        &mut self,
        bytes: &'a [u8],
        last: bool,
        checksum: &mut Checksum,
    ) -> Option<Frame<'a>> {
        if !self.inside {
            let outside = self.find_start(bytes, last)?;
            self.seen = 0;
            if outside > 0 {
                let raw = &bytes[..outside];
                let escaped = memmem::find(raw, &ESCAPE).is_some();
                return Some(Frame { raw, state: State::Outside, escaped });
            }
            self.inside = true;
            self.seen = START.len();
            self.escaped = false;
        }
        let (length, ended) = self.find_end(bytes, last)?;
        self.inside = false;
        self.seen = 0;
        let raw = &bytes[..length];
        let frame = |raw, state| Some(Frame { raw, state, escaped: self.escaped });
        if !ended {
            return frame(raw, State::Truncated);
        }
        if let Some(right) = check(raw, *checksum) {
            *checksum = right;
            return frame(raw, State::Whole(right));
        }
        if let Some(hidden) = hidden_start(raw, *checksum) {
            return frame(&raw[..hidden], State::Truncated);
        }
        // The checksum's bytes may be the next start's first ones.
        let next = raw[length - 2..].iter().rev().take_while(|byte| **byte == ESCAPE[0]).count();
        frame(&raw[..length - next], State::WrongChecksum)
    }

    /// How many bytes belong to no frame.
    fn find_start(&mut self, bytes: &[u8], last: bool) -> Option<usize> {
        let overlap = START.len() - 1;
        let window = &bytes[..bytes.len().min(PORTION + overlap)];
        if self.seen == 0 && window.starts_with(&START) {
            return Some(0); // as in a healthy stream
        }
        if let Some(at) = self.start.find(&window[self.seen..]) {
            return Some(self.seen + at);
        }
        self.seen = window.len().saturating_sub(overlap);
        if self.seen == PORTION {
            return Some(PORTION);
        }
        (last && !bytes.is_empty()).then_some(bytes.len())
    }

    /// Where the frame that begins at 0 ends, and whether it ends as it should.
    fn find_end(&mut self, bytes: &[u8], last: bool) -> Option<(usize, bool)> {
        let window = &bytes[..bytes.len().min(LONGEST)];
        // From here on an escape may begin of which not enough is there.
        let mut open = window.len().saturating_sub(ESCAPE.len() - 1).max(self.seen);
        while let Some(found) = self.escape.find(&window[self.seen..]) {
            let at = self.seen + found;
            let Some(after) = window[at..].get(ESCAPE.len()..END_LENGTH) else {
                open = at;
                break;
            };
            match *after {
                [0x01, 0x01, 0x01, 0x01] => return Some((at, false)),
                [0x1b, 0x1b, 0x1b, 0x1b] => {
                    self.escaped = true;
                    self.seen = at + END_LENGTH;
                }
                [END, 0..=MOST_PADDING, _, _] => return Some((at + END_LENGTH, true)),
                // One `1b` too many before the sequence that is meant, or damaged data.
                _ => self.seen = at + 1,
            }
            open = open.max(self.seen);
        }
        self.seen = open;
        if window.len() == LONGEST {
            // Whatever may be a start is left, whether it looks like escaped data or is cut.
            let hidden = memmem::rfind(&window[1..], &START).map(|at| at + 1);
            return Some((hidden.unwrap_or(LONGEST - beginning_of_start(window)), false));
        }
        last.then_some((bytes.len(), false))
    }
}

/// The checksum by which an ended frame is whole.
fn check(raw: &[u8], first: Checksum) -> Option<Checksum> {
    let (covered, wire) = raw.split_last_chunk::<2>()?;
    first.or_other(covered, *wire)
}

/// Where a whole frame begins inside a damaged one: a frame that broke off in the midst of an
/// escape makes the next start look like escaped data.
fn hidden_start(raw: &[u8], first: Checksum) -> Option<usize> {
    memmem::rfind_iter(&raw[1..], &START)
        .map(|at| at + 1)
        .take(MOST_HIDDEN)
        .find(|at| check(&raw[*at..], first).is_some())
}

/// How many of the last bytes may be the first ones of a start.
fn beginning_of_start(bytes: &[u8]) -> usize {
    (1..START.len()).rev().find(|n| bytes.ends_with(&START[..*n])).unwrap_or(0)
}

#[cfg(test)]
mod tests;
