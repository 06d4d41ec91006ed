//! Columns of hexadecimal words, behind an offset and before characters.
//!
//! Enters: lines. Leaves: their bytes. Absent: the order of the bytes of words, which is given.
//!
//! A line with an offset has as many bytes as the next one's offset says: then no character is taken for
//! a byte. A line without must have nothing but bytes, up to a gap.

use super::{digits::bytes_of, prefix::behind_prefix};

/// From so many bytes on a line may go on with anything.
const FULL: usize = 16;

/// What was read of the lines so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    reverses: bool,
    /// How many bytes there were.
    count: usize,
    /// How many bytes a line with an offset had.
    width: Option<usize>,
    held: Option<Held>,
}

/// A line whose length the next one tells.
#[derive(Debug, Clone)]
struct Held {
    offset: String,
    words: Vec<Word>,
}

/// A word of bytes.
#[derive(Debug, Clone)]
struct Word {
    /// How many spaces stand before it.
    gap: usize,
    bytes: Vec<u8>,
}

impl Columns {
    pub fn reversed() -> Self {
        Self { reverses: true, ..Self::default() }
    }

    pub fn take(&mut self, line: &str, out: &mut Vec<u8>) {
        let rest = behind_prefix(line);
        let (offset, columns) = self.split_offset(rest);
        let (words, is_all) = words(columns);
        self.give(offset.as_deref(), out);
        match offset {
            Some(offset) => self.held = Some(Held { offset, words }),
            None => {
                let row = row(&words, None);
                let length: usize = row.iter().map(|word| word.bytes.len()).sum();
                let is_cut = row.len() < words.len();
                if is_all || is_cut || length >= FULL {
                    self.push(row, None, out);
                }
            }
        }
    }

    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.give(None, out);
    }

    /// Gives the line that was held back, before a line with that offset.
    fn give(&mut self, next: Option<&str>, out: &mut Vec<u8>) {
        let Some(Held { offset, words }) = self.held.take() else { return };
        let all: usize = words.iter().map(|word| word.bytes.len()).sum();
        let length = next.and_then(|next| {
            [16, 10, 8].into_iter().find_map(|radix| {
                let number = |digits| usize::from_str_radix(digits, radix).ok();
                let length = number(next)?.checked_sub(number(&offset)?)?;
                (1..=all).contains(&length).then_some(length)
            })
        });
        match length {
            Some(length) => {
                self.width = Some(length);
                self.push(&words, Some(length), out);
            }
            None => self.push(row(&words, self.width), self.width, out),
        }
    }

    fn push(&mut self, words: &[Word], most: Option<usize>, out: &mut Vec<u8>) {
        let mut left = most.unwrap_or(usize::MAX);
        for word in words {
            let mut bytes = word.bytes.clone();
            if self.reverses {
                bytes.reverse();
            }
            bytes.truncate(left);
            left -= bytes.len();
            self.count += bytes.len();
            out.extend(bytes);
        }
    }

    /// The offset at the line's beginning, and what is behind it: it has a colon or a gap behind it, or
    /// is the number of the bytes before.
    fn split_offset<'a>(&self, rest: &'a str) -> (Option<String>, &'a str) {
        let end = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
        let (digits, behind) = rest.split_at(end);
        let is_marked = behind.starts_with(": ") || behind.starts_with("  ");
        let is_count = || {
            behind.starts_with([' ', '\t'])
                && [16, 10, 8].into_iter().any(|radix| {
                    let held = self.held.iter().flat_map(|held| &held.words);
                    let count = self.count + held.map(|word| word.bytes.len()).sum::<usize>();
                    usize::from_str_radix(digits, radix) == Ok(count)
                })
        };
        // The last line of `od` is an offset alone.
        let is_alone = self.held.is_some() && behind.trim().is_empty();
        if (4..=16).contains(&digits.len()) && (is_marked || is_alone || is_count()) {
            (Some(digits.to_owned()), behind.trim_start_matches(':'))
        } else {
            (None, rest)
        }
    }
}

/// The words at the beginning that are bytes, and whether they are all of the line.
fn words(columns: &str) -> (Vec<Word>, bool) {
    let (mut words, mut rest) = (Vec::new(), columns);
    loop {
        let start = rest.find(|c| !is_between(c)).unwrap_or(rest.len());
        let (between, behind) = rest.split_at(start);
        if behind.is_empty() {
            return (words, true);
        }
        let is_gap = between.chars().all(|c| matches!(c, ' ' | '\t'));
        let end = behind.find(is_between).unwrap_or(behind.len());
        let (word, behind) = behind.split_at(end);
        let Some(bytes) = bytes_of(word.strip_prefix("0x").unwrap_or(word)) else {
            return (words, false);
        };
        words.push(Word { gap: if is_gap { between.len() } else { 1 }, bytes });
        rest = behind;
    }
}

/// Those up to the gap before the characters. In the middle of 16 bytes there may be one, too.
fn row(words: &[Word], width: Option<usize>) -> &[Word] {
    let mut count = 0;
    for (at, word) in words.iter().enumerate() {
        let is_middle =
            count == FULL / 2 && word.gap <= 3 && width.is_none_or(|width| width > count);
        if at > 0 && word.gap > 1 && !is_middle {
            return &words[..at];
        }
        count += word.bytes.len();
    }
    words
}

const fn is_between(c: char) -> bool {
    matches!(c, ' ' | '\t' | ',' | ';' | ':' | '-' | '"' | '\'' | '[' | ']' | '{' | '}' | '(' | ')')
}
