//! Recordings of real meters, played again.
//!
//! Enters: a file's bytes. Leaves: them again, unchanged, in bursts that begin where telegrams do.
//! Absent: decoding; a recording that is no meter's is played just as well.

use std::{io, path::Path, path::PathBuf, time::Duration};

use crate::file::{open_regular, read_regular};

/// The longest recording that is held in memory, bytes: a day of telegrams is some 40 MB.
const LONGEST: u64 = 1 << 28;

/// The beginning of an SML telegram.
const SML_START: [u8; 8] = [0x1b, 0x1b, 0x1b, 0x1b, 1, 1, 1, 1];

/// When a recording's telegrams are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rhythm {
    /// Byte after byte at the line's speed, without gaps.
    Continuous,
    /// The time from the start of one telegram to the next.
    Every(Duration),
}

/// A recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    bytes: Vec<u8>,
    /// Bits per second of the line; ten bits make a byte.
    pub baud: u32,
    /// When its telegrams are sent.
    pub rhythm: Rhythm,
    /// Whether it starts again at its end.
    pub looped: bool,
}

/// Why a recording cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is nothing in it.
    #[error("{} is empty: there is nothing to play", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// It is longer than any recording should be.
    #[error("{} has {bytes} bytes; at most {LONGEST} are played", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
    },
}

impl Replay {
    /// A file's bytes at 9600 baud, without gaps, once.
    ///
    /// # Errors
    /// Returns [`ReplayError`], which names the file.
    pub fn open(path: &Path) -> Result<Self, ReplayError> {
        let unreadable = |source| ReplayError::Unreadable { path: path.to_owned(), source };
        let bytes = open_regular(path).and_then(|file| file.metadata()).map_err(unreadable)?.len();
        if bytes > LONGEST {
            return Err(ReplayError::TooLong { path: path.to_owned(), bytes });
        }
        let bytes = read_regular(path, LONGEST).map_err(unreadable)?;
        if bytes.is_empty() {
            return Err(ReplayError::Empty { path: path.to_owned() });
        }
        Ok(Self::from_bytes(bytes))
    }

    /// The same of bytes in memory.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { bytes, baud: 9600, rhythm: Rhythm::Continuous, looped: false }
    }

    /// Its bytes in bursts: each begins where an SML or ASCII telegram seems to, and nothing is left
    /// out, so that all bursts together are the recording.
    pub fn bursts(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let length = next_start(rest).unwrap_or(rest.len());
            let (burst, after) = rest.split_at(length);
            rest = after;
            Some(burst)
        })
    }
}

/// Where the second telegram starts, or the first if garbage comes before it.
fn next_start(bytes: &[u8]) -> Option<usize> {
    let after = bytes.get(1..)?;
    let sml = memchr::memmem::find(after, &SML_START);
    // An identification line: a slash at a line's start and three letters.
    let ascii = memchr::memchr_iter(b'/', after).find(|&at| {
        let letters = after.get(at + 1..at + 4);
        matches!(bytes[at], b'\n' | 0x03 | 0)
            && letters.is_some_and(|letters| letters.iter().all(u8::is_ascii_alphabetic))
    });
    sml.into_iter().chain(ascii).min().map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bursts_begin_where_telegrams_do() {
        let sml = [&SML_START[..], b"one"].concat();
        let bytes =
            [b"garbage", &sml[..], &sml[..], b"!\r\n/ESY5Q3D\r\n!\r\n/ESY5Q3D\r\n"].concat();
        let replay = Replay::from_bytes(bytes);
        let bursts: Vec<_> = replay.bursts().collect();
        assert_eq!(bursts.len(), 5);
        assert_eq!(bursts[0], b"garbage");
        assert_eq!(bursts[1], sml);
        assert_eq!(bursts[2], [&sml[..], b"!\r\n"].concat());
        assert_eq!(bursts[3], b"/ESY5Q3D\r\n!\r\n");
    }

    proptest! {
        #[test]
        fn all_bursts_are_the_recording(
            pieces in proptest::collection::vec(
                prop_oneof![
                    Just(SML_START.to_vec()),
                    Just(b"\n/EBZ".to_vec()),
                    proptest::collection::vec(any::<u8>(), 0..20),
                ],
                0..20,
            ),
        ) {
            let bytes = pieces.concat();
            let replay = Replay::from_bytes(bytes.clone());
            prop_assert_eq!(replay.bursts().flatten().copied().collect::<Vec<_>>(), bytes);
            prop_assert!(replay.bursts().all(|burst| !burst.is_empty()));
        }
    }

    #[test]
    fn files_that_cannot_be_played_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none.bin");
        let error = Replay::open(&missing).unwrap_err();
        assert!(error.to_string().starts_with(&format!("cannot read {}", missing.display())));
        let empty = folder.path().join("empty.bin");
        fs::write(&empty, b"").unwrap();
        assert!(matches!(Replay::open(&empty), Err(ReplayError::Empty { .. })));
        assert!(matches!(Replay::open(folder.path()), Err(ReplayError::Unreadable { .. })));
    }
}
