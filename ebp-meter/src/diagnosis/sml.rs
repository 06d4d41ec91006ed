//! Diagnoses damaged SML telegrams: a missing eighth bit, changed line ends, gaps at one place or
//! at many, lost bits.
//!
//! A telegram's length is a multiple of four, and its list contains its number of entries: that
//! shows a hole from flipped bits. Where the hole is, is known as exactly as entries are long: it
//! lies between the last entry that is well formed and the next one.

use memchr::memmem;

use super::{Cause, line_ends, structure, terminal};
use crate::sml::frame::{ESCAPE, Frame, START, State, frames};

/// What ends a frame, as far as it is always the same.
const END: [u8; 5] = [0x1b, 0x1b, 0x1b, 0x1b, 0x1a];
/// A mark with so many wrong bits is still that mark: by chance none is, in any recording.
const WRONG_BITS: u32 = 6;
/// As many may be wrong in the shorter mark of an end.
const WRONG_BITS_AT_END: u32 = 4;
/// So many telegrams that break at one place are no accident.
const MANY: usize = 3;
/// Pieces of one length may differ by a stray byte.
const STRAY: usize = 2;
/// The number of bytes after a gap that may look like the end of what is before it.
const SWALLOWED: usize = 12;
/// Frames that lack bytes at one place break within so many bytes of each other: what is taken for
/// the length of an element there is mostly a value, which changes.
const SPREAD: usize = 24;
/// The last message and the end of a frame.
const TAIL: usize = 64;
/// Of so many frames it is looked at closely where they break.
const CLOSELY: usize = 32;
/// Longer frames are not looked at closely.
const LONGEST: usize = 2048;
/// The shortest buffer that can be distinguished from a telegram's own structure.
const SHORTEST_BUFFER: usize = 16;

pub(super) fn diagnose(bytes: &[u8]) -> Option<Cause> {
    let found: Vec<Frame<'_>> = frames(bytes).collect();
    if found.iter().any(Frame::is_whole) && !found.iter().any(|f| f.state == State::WrongChecksum) {
        return None;
    }
    let ended: Vec<&[u8]> =
        found.iter().filter(|frame| frame.state == State::WrongChecksum).map(|f| f.raw).collect();
    if is_seven_bit(bytes) {
        return Some(Cause::SevenBits);
    }
    if is_converted_text(bytes) {
        return Some(Cause::TextConverted);
    }
    if let Some(byte) = left_out(&ended) {
        return Some(Cause::ByteLeftOut { byte });
    }
    if let Some(change) = line_ends::of_frames(&ended, bytes) {
        return Some(Cause::LineEnds(change));
    }
    if ended.iter().any(|raw| has_expanded_tabs(raw)) {
        return Some(Cause::TabsExpanded);
    }
    if terminal::has_edited(bytes, &ended) {
        return Some(Cause::TerminalEdits);
    }
    let inserted = ended.iter().filter(|raw| has_insertion(raw)).count();
    if inserted > 0 && inserted * 3 >= ended.len() * 2 {
        return Some(Cause::BytesInserted);
    }
    // The last one may have been cut by the recording's end.
    let cut: Vec<&[u8]> = found
        .iter()
        .take(found.len().saturating_sub(1))
        .filter(|frame| frame.state == State::Truncated && !has_end(frame.raw))
        .map(|frame| frame.raw)
        .collect();
    if let Some(bytes) = same_length(&cut).or_else(|| headless(bytes)) {
        return Some(Cause::BufferTooSmall { bytes });
    }
    let with_holes: Vec<&[u8]> = ended.iter().copied().filter(|raw| has_hole(raw)).collect();
    if let Some(bytes) = same_place(&with_holes) {
        return Some(Cause::BufferTooSmall { bytes });
    }
    if let Some(cause) = constant_place(&ended) {
        return Some(cause);
    }
    let holes = with_holes.len() + cut.len();
    let damaged = ended.len() + cut.len();
    if holes > 0 && holes * 2 > damaged {
        // One that was cut may be the first of a stream that ended.
        return (damaged > 1 || !with_holes.is_empty()).then_some(Cause::BytesLost);
    }
    // Before the first beginning lies the rest of a telegram of which that was not recorded.
    let has_end = |start: usize| has_near(&bytes[start + START.len()..], &END, WRONG_BITS_AT_END);
    if !ended.is_empty() || find_near(bytes, &START, WRONG_BITS).is_some_and(has_end) {
        return Some(Cause::BitsLost);
    }
    let mut truncated = found.iter().filter(|frame| frame.state == State::Truncated);
    (truncated.next().is_some() && truncated.next().is_none()).then_some(Cause::CutShort)
}

/// Whether the bytes from 80 on, of which each telegram has some, were changed as if they were text:
/// what came is UTF-8, or OBIS codes end in `?`.
fn is_converted_text(bytes: &[u8]) -> bool {
    if memmem::find(bytes, &START).is_none() {
        return false;
    }
    if bytes.is_ascii() {
        let is_code = |w: &[u8]| matches!(w, [0x07, 0x01, 0x00, 0..=0x63, 0..=0x63, _, b'?']);
        return bytes.windows(7).any(is_code);
    }
    // A recording may end within a character.
    str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// The value that no byte of the damaged telegrams has. Every telegram has the bytes 00 and ff: OBIS
/// codes begin with `01 00` and end in `ff`.
fn left_out(damaged: &[&[u8]]) -> Option<u8> {
    /// Shorter ones may have no list.
    const LEAST: usize = 100;
    let is_long = damaged.iter().map(|raw| raw.len()).sum::<usize>() >= LEAST;
    let is_missing = |byte: &u8| damaged.iter().all(|raw| memchr::memchr(*byte, raw).is_none());
    is_long.then(|| [0x00, 0xff].into_iter().find(is_missing)).flatten()
}

/// Whether the eighth bit of each byte is missing: beginnings and ends survive that, but the `ff` at
/// the end of OBIS codes becomes `7f`.
fn is_seven_bit(bytes: &[u8]) -> bool {
    let is_code = |w: &[u8]| matches!(w, [0x07, 0x01, 0x00, 0..=0x63, 0..=0x63, _, 0x7f]);
    bytes.is_ascii() && memmem::find(bytes, &START).is_some() && bytes.windows(7).any(is_code)
}

/// Whether the mark, with some wrong bits, stands anywhere.
fn has_near(bytes: &[u8], mark: &[u8], wrong: u32) -> bool {
    find_near(bytes, mark, wrong).is_some()
}

/// Where the mark, with some wrong bits, stands first.
fn find_near(bytes: &[u8], mark: &[u8], wrong: u32) -> Option<usize> {
    // An end looks like a damaged beginning, and a beginning like a damaged end.
    let is_other = |at: usize| match mark == START {
        true => bytes[at..].starts_with(&END),
        false => bytes[at..].starts_with(&START),
    };
    let mut windows = bytes.windows(mark.len()).enumerate();
    let is_near = |(at, window): &(usize, &[u8])| distance(window, mark) <= wrong && !is_other(*at);
    windows.find(is_near).map(|(at, _)| at)
}

fn distance(a: &[u8], b: &[u8]) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

/// Whether a frame without an end has a damaged one where it stops.
fn has_end(raw: &[u8]) -> bool {
    let tail = &raw[raw.len().saturating_sub(12)..];
    has_near(tail, &END, WRONG_BITS_AT_END)
}

/// The length that telegrams have which all lost their end.
fn same_length(cut: &[&[u8]]) -> Option<usize> {
    let lengths: Vec<usize> = cut.iter().map(|raw| raw.len()).collect();
    let (shortest, longest) = (*lengths.iter().min()?, *lengths.iter().max()?);
    let is_same = lengths.len() >= MANY && longest - shortest <= STRAY;
    (is_same && shortest >= SHORTEST_BUFFER).then_some(longest)
}

/// How long telegrams are of which only the end came: their ends are equally far apart, and none has
/// a beginning.
fn headless(bytes: &[u8]) -> Option<usize> {
    if has_near(bytes, &START, WRONG_BITS) {
        return None;
    }
    let ends: Vec<usize> = memmem::find_iter(bytes, &END).collect();
    let distances: Vec<usize> = ends.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let (shortest, longest) = (*distances.iter().min()?, *distances.iter().max()?);
    let is_same = distances.len() >= MANY - 1 && longest - shortest <= STRAY;
    (is_same && shortest >= SHORTEST_BUFFER).then_some(longest)
}

/// Whether bytes are missing in a frame that has an end: its length says so, or entries are missing
/// for which there is no room. Entries that were damaged are no longer well formed, but have their
/// room.
fn has_hole(raw: &[u8]) -> bool {
    if !raw.len().is_multiple_of(4) {
        return true;
    }
    let entries = entries(raw);
    let Some(declared) = declared(raw, &entries) else { return false };
    let shortest = entries.iter().map(|(from, to)| to - from).min().unwrap_or_default();
    let between: usize = entries.windows(2).map(|pair| pair[1].0 - pair[0].1).sum();
    let behind = entries.last().map_or(0, |(_, to)| raw.len() - to);
    (declared - entries.len()) * shortest > between + behind
}

/// After how many bytes nearly all of them break.
fn same_place(with_holes: &[&[u8]]) -> Option<usize> {
    // The entry before a hole may have swallowed some of what follows it.
    let early = |(from, to): (usize, usize)| (from.saturating_sub(SWALLOWED), to);
    let places: Vec<_> = with_holes.iter().filter_map(|raw| hole(raw)).map(early).collect();
    let around = |at: usize| places.iter().filter(move |(from, to)| (*from..=*to).contains(&at));
    let (most, _) = places.iter().copied().max_by_key(|(from, _)| around(*from).count())?;
    let count = around(most).count();
    let from = around(most).map(|(from, _)| *from).max()?;
    let to = around(most).map(|(_, to)| *to).min()?;
    // Buffers have round lengths.
    let round = [256, 128, 512, 64, 1024, 192, 384, 96, 32, 2048]
        .into_iter()
        .find(|size| (from..=to).contains(size));
    let is_sure = count >= MANY || (count == 2 && round.is_some());
    let bytes = round.unwrap_or(usize::midpoint(from, to));
    let is_usual = count * 5 >= places.len() * 4 && places.len() * 2 >= with_holes.len();
    (is_sure && is_usual && bytes >= SHORTEST_BUFFER).then_some(bytes)
}

/// Where nearly all frames break at one place, and no single bit explains it: that of a buffer's end.
/// A gap whose length is a multiple of four, or that lies beside the list, shows in no other way.
fn constant_place(ended: &[&[u8]]) -> Option<Cause> {
    let closely = &ended[..ended.len().min(CLOSELY)];
    let broken = closely.iter().filter(|raw| raw.len() <= LONGEST).filter_map(|raw| {
        let Some(at) = structure::break_of(raw) else {
            // Its length shows a gap that its structure survived.
            return (!raw.len().is_multiple_of(4)).then_some(raw.len());
        };
        (!structure::is_a_bits_work(raw)).then(|| before_list(raw, at))
    });
    let mut places: Vec<usize> = broken.collect();
    places.sort_unstable();
    let around = |from: usize| places.iter().filter(move |at| (from..=from + SPREAD).contains(at));
    // Of equals the first.
    let bytes = places.iter().copied().rev().max_by_key(|from| around(*from).count())?;
    let count = around(bytes).count();
    if count < MANY || count * 5 < closely.len() * 4 || bytes < SHORTEST_BUFFER {
        return None;
    }
    // Near its end each frame breaks whose list lacks entries or has swallowed something.
    let is_known = closely.iter().all(|raw| bytes + TAIL < raw.len());
    Some(if is_known { Cause::BufferTooSmall { bytes } } else { Cause::BytesLostAtOnePlace })
}

/// The beginning of a list that is whole though the frame breaks within it: the gap is before it.
fn before_list(raw: &[u8], broken_at: usize) -> usize {
    let entries = entries(raw);
    let is_whole = declared(raw, &entries) == Some(entries.len())
        && entries.windows(2).all(|pair| pair[0].1 == pair[1].0);
    match (entries.first(), entries.last()) {
        (Some((first, _)), Some((_, end))) if is_whole && broken_at < *end => broken_at.min(*first),
        _ => broken_at,
    }
}

/// Whether the checksum is right without a few bytes before the place where the frame breaks.
fn has_insertion(raw: &[u8]) -> bool {
    raw.len() <= LONGEST
        && structure::break_of(raw).is_some_and(|at| structure::is_an_insertion(raw, at))
}

/// Whether the checksum is right once each row of so many spaces is a tab again, or, where tabs reach
/// to a column, each row of spaces.
fn has_expanded_tabs(raw: &[u8]) -> bool {
    let widths = [8, 4, 2, 1].into_iter().map(|width| with_tabs(raw, width, width));
    let rows = [1, 2].into_iter().map(|least| with_tabs(raw, least, usize::MAX));
    widths.chain(rows).any(|tabs| tabs != raw && frames(&tabs).any(|frame| frame.is_whole()))
}

/// A tab in place of each row of spaces, of at least and at most so many.
fn with_tabs(raw: &[u8], least: usize, most: usize) -> Vec<u8> {
    let (mut tabs, mut left) = (Vec::with_capacity(raw.len()), raw);
    while let Some((&first, behind)) = left.split_first() {
        let row = left.iter().take(most).take_while(|byte| **byte == b' ').count();
        if row >= least {
            tabs.push(b'\t');
            left = &left[row..];
        } else {
            tabs.push(first);
            left = behind;
        }
    }
    tabs
}

/// How many entries the list has, by the length that stands before the first of them; none where
/// that is no length.
fn declared(raw: &[u8], entries: &[(usize, usize)]) -> Option<usize> {
    let (first, _) = *entries.first()?;
    let declared = match *raw.get(..first)? {
        [.., high @ 0xf0..=0xff, low @ 0x00..=0x0f] => {
            usize::from(high & 0x0f) << 4 | usize::from(low)
        }
        [.., short @ 0x71..=0x7f] => usize::from(short & 0x0f),
        _ => return None,
    };
    (declared >= entries.len()).then_some(declared)
}

/// From the end of the last entry that is well formed to the beginning of the next one; none where
/// the hole took whole entries and so left no trace, or lies beside the list.
fn hole(raw: &[u8]) -> Option<(usize, usize)> {
    let entries = entries(raw);
    let (first, _) = *entries.first()?;
    let Some(declared) = declared(raw, &entries) else { return Some((START.len(), first)) };
    let between = entries.windows(2).find(|pair| pair[0].1 != pair[1].0);
    if let Some(pair) = between {
        return Some((pair[0].1, pair[1].0));
    }
    let (_, end) = *entries.last()?;
    // A list that goes on as it should has lost whole entries, and one that has all is whole itself.
    let goes_on = raw.get(end) == Some(&0x01) || declared == entries.len();
    (!goes_on).then_some((end, raw.len().checked_sub(END.len() + 3)?.max(end)))
}

/// The well-formed entries of lists: where each begins and ends.
fn entries(raw: &[u8]) -> Vec<(usize, usize)> {
    let (mut found, mut at) = (Vec::new(), START.len());
    while at < raw.len() {
        let is_entry = raw[at..].starts_with(&[0x77, 0x07]) && !raw[at..].starts_with(&ESCAPE);
        match is_entry.then(|| skip(raw, at, 0)).flatten() {
            Some(end) => {
                found.push((at, end));
                at = end;
            }
            None => at += 1,
        }
    }
    found
}

/// Where the element ends that begins there, if it is well formed.
fn skip(raw: &[u8], at: usize, depth: u8) -> Option<usize> {
    /// Of a signature; other octets are shorter.
    const LONGEST_OCTETS: usize = 128;
    const DEEPEST: u8 = 3;
    let first = *raw.get(at)?;
    let kind = first >> 4 & 0x07;
    let (mut length, mut header) = (usize::from(first & 0x0f), 1);
    if first & 0x80 != 0 {
        length = length << 4 | usize::from(raw.get(at + 1)? & 0x0f);
        header = 2;
    }
    if kind == 7 {
        if depth == DEEPEST {
            return None;
        }
        return (0..length).try_fold(at + header, |at, _| skip(raw, at, depth + 1));
    }
    let data = length.checked_sub(header)?;
    let is_usual = match kind {
        0 => data <= LONGEST_OCTETS,
        4 => data == 1,
        5 | 6 => (1..=9).contains(&data),
        _ => false,
    };
    let end = at + header + data;
    (is_usual && end <= raw.len()).then_some(end)
}
