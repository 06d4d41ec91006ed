//! Long data made short without a change of their remainder.
//!
//! Enters: data in whole chunks of 128 bytes. Leaves: 32 bytes with the same remainder. Absent: the
//! remainder, for which `crc` has tables.
//!
//! Both checksums divide by x^16 + x^12 + x^5 + 1. Hence x^16 and x^12 + x^5 + 1 leave the same
//! remainder, and since squaring over bits squares each term, so do x^16n and x^12n + x^5n + 1 where n
//! is a power of two. Data are a polynomial whose first bit has the highest power: a word of n bits may
//! be left out if it is added to the words 4, 11 and 16 places behind it. That takes three additions
//! for a word of eight bytes; tables take eight look-ups.

use std::{array::from_fn, ops::BitXor};

/// Words that are held at a time: as many as the farthest one that a word is added to.
const WORDS: usize = 16;
/// The same in bytes, of words of eight.
pub(super) const CHUNK: usize = 8 * WORDS;

/// Words with the remainder of those chunks, `crc` being the remainder of what is before them.
/// Nothing of no chunk.
pub(super) fn shortened(crc: u16, chunks: &[[u8; CHUNK]]) -> Option<[u16; WORDS]> {
    let (last, others) = chunks.split_last()?;
    let mut crc = u64::from(crc);
    let mut words_of = |chunk: &[u8; CHUNK]| -> [u64; WORDS] {
        let (bytes, _) = chunk.as_chunks();
        let mut words = from_fn(|at| u64::from_le_bytes(bytes[at]));
        // Only the very first bytes meet it.
        words[0] ^= std::mem::take(&mut crc);
        words
    };
    let mut before = [0; WORDS];
    for chunk in others {
        before = carry::<false, _>(before, words_of(chunk));
    }
    let words = carry::<true, _>(before, words_of(last));
    // A chunk is two of half as long words, and so on.
    let half = |at: usize| (words[at / 2] >> (32 * (at % 2))) as u32;
    let words = halve(from_fn(half), from_fn(|at| half(at + WORDS)));
    let half = |at: usize| (words[at / 2] >> (16 * (at % 2))) as u16;
    Some(halve(from_fn(half), from_fn(|at| half(at + WORDS))))
}

/// The remainder of both in the length of one.
fn halve<W: Copy + Default + BitXor<Output = W>>(
    first: [W; WORDS],
    last: [W; WORDS],
) -> [W; WORDS] {
    carry::<true, _>(carry::<false, _>([W::default(); WORDS], first), last)
}

/// Adds the words `before` to those behind them, and these to one another unless they are the `LAST`.
#[inline(always)]
fn carry<const LAST: bool, W: Copy + BitXor<Output = W>>(
    before: [W; WORDS],
    mut words: [W; WORDS],
) -> [W; WORDS] {
    for at in 0..WORDS {
        words[at] = words[at] ^ before[at];
        for distance in [4, 11] {
            if at < distance {
                words[at] = words[at] ^ before[at + WORDS - distance];
            } else if !LAST {
                words[at] = words[at] ^ words[at - distance];
            }
        }
    }
    words
}
