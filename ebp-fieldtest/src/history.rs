//! A device's history, to read where something went wrong: a year of it takes a few hundred kilobytes.
//!
//! Enters: what happened when. Leaves: the lines of a stretch of time. Absent: what they mean.

use std::{
    fmt::Write as _,
    io::{self, Read, Write as _},
};

use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use jiff::Timestamp;

/// So many bytes of text are compressed at once.
const BLOCK: usize = 64 << 10;

/// Lines with their instants, in order.
#[derive(Default)]
pub struct History {
    /// Compressed lines, each with the instants of its first line and its last.
    blocks: Vec<Block>,
    text: String,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

struct Block {
    first: Timestamp,
    last: Timestamp,
    bytes: Vec<u8>,
}

impl History {
    /// Something happened.
    pub fn add(&mut self, at: Timestamp, what: &str) {
        self.first.get_or_insert(at);
        self.last = Some(at);
        let _ = writeln!(self.text, "{at:.9}\t{}", what.replace('\n', " "));
        if self.text.len() >= BLOCK
            && let Ok(bytes) = compress(&self.text)
            && let (Some(first), Some(last)) = (self.first.take(), self.last.take())
        {
            self.blocks.push(Block { first, last, bytes });
            self.text.clear();
        }
    }

    /// What happened from one instant to another.
    #[must_use]
    pub fn between(&self, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, String)> {
        let near = self.blocks.iter().filter(|block| from <= block.last && block.first < to);
        let texts = near.filter_map(|block| decompress(&block.bytes).ok());
        let mut lines = Vec::new();
        for text in texts.chain([self.text.clone()]) {
            let all = text.lines().filter_map(|line| line.split_once('\t'));
            let all = all.filter_map(|(at, what)| Some((at.parse().ok()?, what.to_owned())));
            lines.extend(all.filter(|(at, _): &(Timestamp, _)| from <= *at && *at < to));
        }
        lines
    }
}

fn compress(text: &str) -> io::Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes())?;
    let mut bytes = encoder.finish()?;
    bytes.shrink_to_fit();
    Ok(bytes)
}

fn decompress(bytes: &[u8]) -> io::Result<String> {
    let mut text = String::new();
    DeflateDecoder::new(bytes).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_again_in_blocks_and_behind_them() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut history = History::default();
        for second in 0..10_000 {
            history.add(at(second), &format!("measured {second}\nand more"));
        }
        assert!(history.blocks.len() > 3);
        let bytes: usize = history.blocks.iter().map(|block| block.bytes.len()).sum();
        assert!(bytes < 10_000 * 15, "{bytes}");
        for begin in [0, 777, 5000, 9990] {
            let lines = history.between(at(begin), at(begin + 3));
            let expected: Vec<_> =
                (begin..begin + 3).map(|s| (at(s), format!("measured {s} and more"))).collect();
            assert_eq!(lines, expected);
        }
        assert_eq!(history.between(at(0), at(20_000)).len(), 10_000);
    }
}
