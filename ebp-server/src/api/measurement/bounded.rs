//! Bounds what a stream gives while it is read: in all, and for each piece of it.

use std::{
    cell::Cell,
    io::{self, Read},
};

/// Octets that are read ahead of what is asked for.
pub const AHEAD: usize = 8 << 10;

/// Why a stream ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// It gives more than it may in all.
    Whole,
    /// A piece of it is too large.
    Piece,
    /// It cannot be unpacked.
    Broken,
}

/// The bounds, and what was read so far.
#[derive(Debug)]
pub struct Bounds {
    whole: usize,
    piece: usize,
    read: Cell<usize>,
    of_piece: Cell<usize>,
    cut: Cell<Option<Cut>>,
}

impl Bounds {
    /// So many octets in all, and so many (or little more) for each piece.
    pub fn new(whole: usize, piece: usize) -> Self {
        // What is read ahead belongs to the next piece.
        let piece = piece + 2 * AHEAD;
        Self { whole, piece, read: Cell::new(0), of_piece: Cell::new(0), cut: Cell::new(None) }
    }

    /// The next piece begins.
    pub fn next_piece(&self) {
        self.of_piece.set(0);
    }

    /// Octets read so far.
    pub fn read(&self) -> usize {
        self.read.get()
    }

    /// Why reading failed, if it was for a bound or the stream itself.
    pub fn cut(&self) -> Option<Cut> {
        self.cut.get()
    }

    fn count(&self, octets: usize) -> io::Result<()> {
        self.read.set(self.read.get() + octets);
        self.of_piece.set(self.of_piece.get() + octets);
        let cut = if self.read.get() > self.whole {
            Cut::Whole
        } else if self.of_piece.get() > self.piece {
            Cut::Piece
        } else {
            return Ok(());
        };
        self.cut.set(Some(cut));
        Err(io::Error::other("beyond a bound"))
    }
}

/// A stream within its bounds.
pub struct Bounded<'b, R> {
    inner: R,
    bounds: &'b Bounds,
}

impl<'b, R> Bounded<'b, R> {
    /// Within those.
    pub fn new(inner: R, bounds: &'b Bounds) -> Self {
        Self { inner, bounds }
    }
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                self.bounds.cut.set(Some(Cut::Broken));
            }
        })?;
        self.bounds.count(read)?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_cut_at_its_bounds() {
        let bounds = Bounds::new(100_000, 1000);
        let mut stream = Bounded::new(io::repeat(b' '), &bounds);
        let mut buffer = [0; 1000];
        for _ in 0..100 {
            stream.read_exact(&mut buffer).unwrap();
            bounds.next_piece();
        }
        assert_eq!((bounds.read(), bounds.cut()), (100_000, None));
        assert!(stream.read_exact(&mut buffer).is_err());
        assert_eq!(bounds.cut(), Some(Cut::Whole));
        let bounds = Bounds::new(usize::MAX, 1000);
        let mut stream = Bounded::new(io::repeat(b' '), &bounds);
        let all = io::copy(&mut stream, &mut io::sink());
        assert!(all.is_err() && bounds.cut() == Some(Cut::Piece));
    }
}
