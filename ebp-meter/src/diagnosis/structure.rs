//! Where the structure of a damaged SML frame breaks, and whether a single change explains it.
//!
//! Enters: a frame that has an end. Leaves: the first byte that fits no element there; whether the
//! checksum is right with one bit turned back, or without a few bytes before that place. Absent: what
//! the elements mean.

use crate::sml::{
    crc::Checksum,
    frame::{ESCAPE, START},
};

/// What was inserted shows within so many bytes: the longest element before it, and its own.
const BEFORE: usize = 40;
/// As many bytes may have been inserted at one place.
const MOST_INSERTED: usize = 8;
/// Octets of a key; other elements are shorter.
const LONGEST_OCTETS: usize = 128;
/// How many lists are open in a list of values: the message, its body, the response, itself.
const VALUES: usize = 4;
/// How many elements an entry has.
const ENTRY: usize = 7;
/// How many elements the list of a time has at most.
const LONGEST_TIME: usize = 3;
/// How many lists are open within the time of an entry.
const DEEPEST: usize = 8;

/// The first place where no element of a message can be; nothing where all fit.
pub(super) fn break_of(raw: &[u8]) -> Option<usize> {
    // Of each list that is open, how many of its elements are to come, and how many it has.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut at = START.len();
    loop {
        while open.last().is_some_and(|(left, _)| *left == 0) {
            open.pop();
        }
        let &first = raw.get(at)?;
        if open.is_empty() {
            match first {
                0x76 => open.push((6, 6)),
                0x00 => {}
                _ => return (!raw[at..].starts_with(&ESCAPE)).then_some(at),
            }
            at += 1;
            continue;
        }
        let depth = open.len();
        let (left, all) = open.last_mut()?;
        *left -= 1;
        // The list of values has entries, and an entry has no list but a time's.
        let is_entry = depth == VALUES && *all > LONGEST_TIME;
        // The end of a message.
        if depth == 1 && *left == 0 {
            if first != 0 {
                return Some(at);
            }
            at += 1;
            continue;
        }
        let (mut length, mut header) = (usize::from(first & 0x0f), 1);
        if first & 0x80 != 0 {
            length = length << 4 | usize::from(raw.get(at + 1)? & 0x0f);
            header = 2;
        }
        let is_list = first >> 4 & 0x07 == 7;
        if is_entry && !(is_list && length == ENTRY) {
            return Some(at);
        }
        if is_list {
            if depth == DEEPEST || (depth > VALUES && length > LONGEST_TIME) {
                return Some(at);
            }
            open.push((length, length));
            at += header;
            continue;
        }
        let is_usual = match (first >> 4 & 0x07, length.checked_sub(header)) {
            (0, Some(data)) => data <= LONGEST_OCTETS,
            (4, Some(data)) => data == 1,
            (5 | 6, Some(data)) => (1..=8).contains(&data),
            _ => false,
        };
        if !is_usual {
            return Some(at);
        }
        at += length;
    }
}

/// Whether the frame's checksum is right once a single bit is turned back.
pub(super) fn is_a_bits_work(raw: &[u8]) -> bool {
    let Some((covered, wire)) = raw.split_last_chunk::<2>() else { return false };
    let mended = Checksum::ALL.into_iter().find_map(|checksum| {
        let number = u16::from_le_bytes;
        let difference = number(checksum.on_wire(covered)) ^ number(*wire);
        // What a bit of each byte, from the last one on, does to the checksum: the remainder of that bit
        // and of the zero bits behind it.
        let mut effects: [u16; 8] = std::array::from_fn(|bit| after_zeros(1 << bit));
        (0..covered.len()).rev().find_map(|at| {
            let bit = effects.iter().position(|effect| *effect == difference);
            effects = effects.map(after_zeros);
            bit.map(|bit| (at, bit))
        })
    });
    let Some((at, bit)) = mended else { return false };
    let mut mended = raw.to_vec();
    mended[at] ^= 1 << bit;
    break_of(&mended).is_none()
}

/// The remainder of both checksums' polynomial, eight zero bits later.
fn after_zeros(remainder: u16) -> u16 {
    (0..8).fold(remainder, |rest, _| if rest & 1 == 1 { rest >> 1 ^ 0x8408 } else { rest >> 1 })
}

/// Whether the frame's checksum is right without a few bytes before the place where it breaks.
pub(super) fn is_an_insertion(raw: &[u8], broken_at: usize) -> bool {
    let from = broken_at.saturating_sub(BEFORE).max(START.len());
    (from..=broken_at).any(|at| {
        (1..=MOST_INSERTED).any(|length| {
            let (Some(before), Some(behind)) = (raw.get(..at), raw.get(at + length..)) else {
                return false;
            };
            let without = [before, behind].concat();
            without.len().is_multiple_of(4)
                && without
                    .split_last_chunk::<2>()
                    .is_some_and(|(covered, wire)| Checksum::X25.or_other(covered, *wire).is_some())
        })
    })
}
