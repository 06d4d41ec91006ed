//! Diagnoses damaged telegrams of ASCII registers (IEC 62056-21).

use memchr::memmem;

use super::{Cause, LineEnds, terminal};
use crate::d0::crc;

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
/// So many registers are no accident.
const FEW: usize = 3;
/// So many telegrams that break at one place are no accident either.
const MANY: usize = 3;
/// Pieces of one length may differ by a stray byte.
const STRAY: usize = 2;

pub(super) fn diagnose(bytes: &[u8]) -> Option<Cause> {
    let text: Vec<u8> = bytes.iter().map(|byte| byte & 0x7f).collect();
    if registers(&text) < FEW {
        return None;
    }
    if let Some(change) = line_ends(&text).or_else(|| without_lf(&text)) {
        return Some(Cause::LineEnds(change));
    }
    if terminal::has_edited_text(&text) {
        return Some(Cause::TerminalEdits);
    }
    if let Some(bytes) = same_length(&text) {
        return Some(Cause::BufferTooSmall { bytes });
    }
    if telegrams(bytes).any(is_damaged) {
        return Some(Cause::BitsLost);
    }
    let mut telegrams = telegrams(&text);
    let is_only = |telegram: &[u8]| telegram.starts_with(b"/") && !telegram.contains(&b'!');
    let is_cut = telegrams.next().is_some_and(is_only) && telegrams.next().is_none();
    is_cut.then_some(Cause::CutShort)
}

/// How line ends were changed of telegrams without a check character: each line of theirs ends with
/// CR and LF (IEC 62056-21, 6.5), and no LF came.
fn without_lf(text: &[u8]) -> Option<LineEnds> {
    let cr = text.iter().filter(|byte| **byte == b'\r').count();
    if text.contains(&b'\n') || text.contains(&STX) || cr < FEW {
        return None;
    }
    let pairs = memmem::find_iter(text, b"\r\r").count();
    Some(if pairs * 5 >= cr / 2 * 4 { LineEnds::LfToCr } else { LineEnds::LfLost })
}

/// What was sent as telegrams: from a `/` to the line of the next `!`, or, where that is missing, to
/// the next `/`. What a meter sends between them (EasyMeter Q3D: a number and `ff`) is not looked at.
/// Without any `/` it is all.
fn telegrams(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_start = |at: usize| {
        bytes[at] & 0x7f == b'/'
            && bytes.get(at + 1).is_some_and(|b| (b & 0x7f).is_ascii_alphabetic())
    };
    let mut starts: Vec<usize> = (0..bytes.len()).filter(|at| is_start(*at)).collect();
    if starts.is_empty() {
        starts.push(0);
    }
    let ends = starts.clone().into_iter().skip(1).chain([bytes.len()]);
    starts.into_iter().zip(ends).map(|(from, to)| {
        let piece = &bytes[from..to];
        let find = |from: usize, byte: u8| {
            piece[from..].iter().position(|b| b & 0x7f == byte).map(|at| from + at)
        };
        let Some(line) = find(0, b'!').and_then(|mark| find(mark, b'\n')) else { return piece };
        // ETX and a block check character, which may have any value.
        match piece.get(line + 1) {
            Some(etx) if etx & 0x7f == ETX => &piece[..piece.len().min(line + 3)],
            _ => &piece[..=line],
        }
    })
}

/// How many values in brackets there are.
fn registers(text: &[u8]) -> usize {
    let (mut count, mut open) = (0, false);
    for byte in text {
        match byte {
            b'(' => open = true,
            b')' if open => {
                count += 1;
                open = false;
            }
            b' '..=b'~' => {}
            _ => open = false,
        }
    }
    count
}

/// The change of line ends without which a block check character is right.
fn line_ends(text: &[u8]) -> Option<LineEnds> {
    let count = |part: &[u8]| memmem::find_iter(text, part).count();
    let (cr, lf) = (count(b"\r"), count(b"\n"));
    // A changed end shows at nearly each line; a damaged one at few.
    let nearly_all = |part: &[u8], ends: usize| ends > 0 && count(part) * 5 >= ends * 4;
    let (change, from, to): (_, &[u8], &[u8]) = match (cr, lf) {
        (0, lf) if nearly_all(b"\n\n", lf / 2) => (LineEnds::CrToLf, b"\n\n", b"\r\n"),
        (0, 1..) => (LineEnds::CrLost, b"\n", b"\r\n"),
        (cr, 0) if nearly_all(b"\r\r", cr / 2) => (LineEnds::LfToCr, b"\r\r", b"\r\n"),
        (1.., 0) => (LineEnds::LfLost, b"\r", b"\r\n"),
        (_, lf) if nearly_all(b"\r\r\n", lf) => (LineEnds::LfToCrLf, b"\r\r\n", b"\r\n"),
        (cr, _) if nearly_all(b"\r\n\n", cr) => (LineEnds::CrToCrLf, b"\r\n\n", b"\r\n"),
        _ => return None,
    };
    blocks(text)
        .any(|(block, check)| {
            let right = |check: u8| {
                replace(block, from, to).iter().fold(0, |sum, byte| sum ^ byte) == check
            };
            let was = match (change, check) {
                (LineEnds::CrToLf, b'\n') => b'\r',
                (LineEnds::LfToCr, b'\r') => b'\n',
                _ => check,
            };
            right(check) || right(was)
        })
        .then_some(change)
        .or_else(|| {
            summed(text)
                .any(|(telegram, digits)| crc::fits(digits, &replace(telegram, from, to)))
                .then_some(change)
        })
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut out, mut left) = (Vec::with_capacity(text.len()), text);
    while let Some((first, behind)) = left.split_first() {
        match left.strip_prefix(from) {
            Some(behind) => {
                out.extend_from_slice(to);
                left = behind;
            }
            None => {
                out.push(*first);
                left = behind;
            }
        }
    }
    out
}

/// What stands behind STX up to ETX, inclusive, each with its block check character.
fn blocks(text: &[u8]) -> impl Iterator<Item = (&[u8], u8)> {
    text.split(|byte| *byte == STX).skip(1).filter_map(|block| {
        let end = block.iter().position(|byte| *byte == ETX)?;
        Some((&block[..=end], *block.get(end + 1)?))
    })
}

/// Customer interfaces' telegrams from `/` to `!`, each with the checksum behind it.
fn summed(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    telegrams(text).filter(|telegram| !telegram.contains(&STX)).filter_map(|telegram| {
        let end = telegram.iter().position(|byte| *byte == b'!')? + 1;
        let digits = telegram.get(end..end + crc::DIGITS)?;
        let is_checksum = digits.iter().all(u8::is_ascii_hexdigit);
        is_checksum.then_some((&telegram[..end], digits))
    })
}

/// The length that telegrams have which all lost their end.
fn same_length(text: &[u8]) -> Option<usize> {
    let starts: Vec<usize> = text
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair[0] == b'/' && pair[1].is_ascii_alphabetic())
        .map(|(at, _)| at)
        .collect();
    let pieces: Vec<&[u8]> = starts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
    if pieces.len() < MANY || pieces.iter().any(|piece| piece.contains(&b'!')) {
        return None;
    }
    let lengths = || pieces.iter().map(|piece| piece.len());
    let (shortest, longest) = (lengths().min()?, lengths().max()?);
    (longest - shortest <= STRAY).then_some(longest)
}

/// Whether characters of a telegram were damaged: they are unprintable, or some have a wrong parity
/// where others have one, or its check character or checksum is wrong.
fn is_damaged(bytes: &[u8]) -> bool {
    let text: Vec<u8> = bytes.iter().map(|byte| byte & 0x7f).collect();
    let text = &text[..];
    let readable =
        |byte: &u8| matches!(*byte, b' '..=b'~' | b'\r' | b'\n' | b'\t' | STX | ETX | 0x06);
    let has_parity = bytes.iter().any(|byte| byte & 0x80 != 0);
    let is_wrong = |block: &[u8], check: u8| block.iter().fold(0, |sum, byte| sum ^ byte) != check;
    (has_parity && bytes.iter().any(|byte| byte.count_ones() % 2 != 0))
        || blocks(text).any(|(block, check)| is_wrong(block, check))
        || summed(text).any(|(telegram, digits)| !crc::fits(digits, telegram))
        || (blocks(text).next().is_none() && !text.iter().all(readable))
}
