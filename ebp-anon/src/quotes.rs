//! Tables (CSV) whose quotation marks leave no doubt where a cell ends.
//!
//! Enters: the bytes of a table. Leaves: the same bytes, or the line where a quotation mark is
//! missing. Absent: cells, and memory that grows with the table.
//!
//! Readers of CSV are lenient: they end an open cell with the file, and take text behind a closing
//! mark as part of the cell. So one missing mark swallows whole rows into a cell, which is then
//! copied as it is.

use std::io::{self, Read};

/// A quotation mark is missing, or is there once too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnsoundQuotes {
    /// A quoted cell does not end.
    #[error("the quotation mark that begins a cell in line {0} is never closed")]
    Open(u64),
    /// A quoted cell has ended, and neither a separator nor the line's end follows.
    #[error(
        "the quotation mark that begins a cell in line {began} is closed within the text of line \
         {closed}"
    )]
    Followed {
        /// Where the cell begins.
        began: u64,
        /// Where it is closed.
        closed: u64,
    },
}

/// Where the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// So many bytes of a byte order mark were passed.
    Mark(usize),
    CellStart,
    Plain,
    Quoted,
    /// Behind a mark that closes the cell, or is the first of two that stand for one.
    Closed,
}

const MARK: &[u8] = b"\xef\xbb\xbf";

/// A table that is read through this ends with an error ([`io::ErrorKind::InvalidData`], of
/// [`UnsoundQuotes`]) where its quotation marks are unsound.
#[derive(Debug)]
pub struct SoundQuotes<R> {
    inner: R,
    separator: u8,
    at: At,
    line: u64,
    began: u64,
    is_after_return: bool,
}

impl<R: Read> SoundQuotes<R> {
    /// Reads a table whose cells that byte separates.
    pub const fn new(inner: R, separator: u8) -> Self {
        let at = At::Mark(0);
        Self { inner, separator, at, line: 1, began: 1, is_after_return: false }
    }
}

impl<R> SoundQuotes<R> {
    fn pass(&mut self, byte: u8) -> Result<(), UnsoundQuotes> {
        if let At::Mark(passed) = self.at {
            if MARK.get(passed) == Some(&byte) {
                self.at = At::Mark(passed + 1);
                return Ok(());
            }
            let is_start = passed == 0 || passed == MARK.len();
            self.at = if is_start { At::CellStart } else { At::Plain };
        }
        let ends = byte == self.separator || matches!(byte, b'\r' | b'\n');
        self.at = match (self.at, byte) {
            (At::CellStart, b'"') => {
                self.began = self.line;
                At::Quoted
            }
            (At::Quoted, b'"') => At::Closed,
            (At::Quoted, _) | (At::Closed, b'"') => At::Quoted,
            (_, _) if ends => At::CellStart,
            (At::Closed, _) => {
                return Err(UnsoundQuotes::Followed { began: self.began, closed: self.line });
            }
            _ => At::Plain,
        };
        // `\r\n` is one line's end.
        let is_line_end = byte == b'\r' || (byte == b'\n' && !self.is_after_return);
        self.is_after_return = byte == b'\r';
        self.line += u64::from(is_line_end);
        Ok(())
    }

    fn end(&self) -> Result<(), UnsoundQuotes> {
        if self.at == At::Quoted { Err(UnsoundQuotes::Open(self.began)) } else { Ok(()) }
    }
}

impl<R: Read> Read for SoundQuotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let passed = buffer.iter().take(read).try_for_each(|byte| self.pass(*byte));
        let passed = passed.and_then(|()| match read {
            0 if !buffer.is_empty() => self.end(),
            _ => Ok(()),
        });
        passed.map_err(|fault| io::Error::new(io::ErrorKind::InvalidData, fault))?;
        Ok(read)
    }
}

/// Why a row with such a cell is refused.
pub const LINE_BREAK: &str = "a cell has a line break: a quotation mark may be missing";

/// Whether the cell is of several lines: nobody can tell it from a row that was swallowed.
#[must_use]
pub fn has_line_break(cell: &[u8]) -> bool {
    cell.iter().any(|byte| matches!(byte, b'\r' | b'\n'))
}

/// Whether a whole table's quotation marks are sound.
///
/// # Errors
/// Returns [`UnsoundQuotes`] if a mark is missing or there once too often.
pub fn check_quotes(table: &[u8], separator: u8) -> Result<(), UnsoundQuotes> {
    let mut quotes = SoundQuotes::new(table, separator);
    table.iter().try_for_each(|byte| quotes.pass(*byte))?;
    quotes.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_tables_are_read_as_they_are() {
        for table in [
            "",
            "a,b\n1,\"x, \"\"y\"\"\"\n",
            "\u{feff}\"a\",b\r\n\"\",\"two\r\nlines\"",
            "a\n5\" pipe\n \"x\n",
            "a\n\"x\"\r",
        ] {
            let mut read = String::new();
            SoundQuotes::new(table.as_bytes(), b',').read_to_string(&mut read).unwrap();
            assert_eq!(read, table);
            assert_eq!(check_quotes(table.as_bytes(), b','), Ok(()));
        }
    }

    #[test]
    fn a_missing_mark_is_told_with_its_line() {
        let followed = |began, closed| UnsoundQuotes::Followed { began, closed };
        for (table, separator, fault) in [
            ("a,b\n1,\"x\n2,y\n", b',', UnsoundQuotes::Open(2)),
            ("a,b\r\n1,\"x\r\n2,\"y\r\n", b',', followed(2, 3)),
            ("\u{feff}\"a\" ,b\n", b',', followed(1, 1)),
            ("a;b\n1;\"x\",2\n", b';', followed(2, 2)),
            ("a\n\n\n\"\"\"", b',', UnsoundQuotes::Open(4)),
        ] {
            assert_eq!(check_quotes(table.as_bytes(), separator), Err(fault), "{table}");
            let mut reader = SoundQuotes::new(table.as_bytes(), separator);
            let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
            let told = error.get_ref().and_then(|error| error.downcast_ref::<UnsoundQuotes>());
            assert_eq!(told, Some(&fault), "{table}");
        }
    }
}
