//! ASCII telegrams (IEC 62056-21) without identities.
//!
//! Enters: recorded bytes, with or without parity bits. Leaves: telegrams with zeros in place of all
//! values but measured ones and those that are known to be harmless, and their block check character
//! computed anew. Absent: what lies between telegrams.

use ebp_core::obis::ObisCode;

use super::{Piece, identifies, is_harmless};

const STX: u8 = 0x02;
const ETX: u8 = 0x03;

pub(super) fn pieces(bytes: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while let Some(start) = rest.iter().position(|b| b & 0x7f == b'/') {
        rest = &rest[start..];
        let Some(length) = length(rest) else {
            rest = &rest[1..];
            continue;
        };
        pieces.push(piece(&rest[..length]));
        rest = &rest[length..];
    }
    pieces
}

/// How long the telegram is that begins at the first of `bytes`: to the line's end behind `!`, or to
/// the block check character behind ETX. Another `/` or the stream's end before that: none.
fn length(bytes: &[u8]) -> Option<usize> {
    let bang = bytes.iter().skip(1).position(|b| matches!(b & 0x7f, b'!' | b'/'))? + 1;
    if bytes[bang] & 0x7f == b'/' {
        return None;
    }
    let line = bytes[bang..].iter().position(|b| b & 0x7f == b'\n')? + bang + 1;
    let etx = bytes.get(line).is_some_and(|b| b & 0x7f == ETX);
    let framed = bytes[..bang].iter().any(|b| b & 0x7f == STX);
    if framed && etx { (bytes.len() >= line + 2).then_some(line + 2) } else { Some(line) }
}

fn piece(original: &[u8]) -> Piece {
    // Heads at 8 data bits hand the parity bit on.
    let parity = original.iter().any(|b| b & 0x80 != 0);
    let mut text: Vec<u8> = original.iter().map(|b| b & 0x7f).collect();
    let mut removed = Vec::new();
    let mut at = text.iter().position(|&b| b == b'\n').map_or(text.len(), |end| end + 1);
    let mut address = at..at;
    while at < text.len() {
        match text[at] {
            b'\n' | b'\r' | STX => address = at + 1..at + 1,
            b'(' => {
                let end = text[at..].iter().position(|&b| b == b')').map_or(text.len(), |n| at + n);
                let value = at + 1..end;
                if !may_stay(&text[address.clone()], &text[value.clone()]) {
                    removed.push(text[value.clone()].to_vec());
                    text[value].iter_mut().filter(|b| b.is_ascii_graphic()).for_each(|b| *b = b'0');
                }
                at = end;
                // A further value behind the same address keeps it.
                if text.get(end + 1).is_some_and(|&b| b != b'(') {
                    address = end + 1..end + 1;
                }
            }
            _ if address.end == at => address.end = at + 1,
            _ => {}
        }
        at += 1;
    }
    if let Some(stx) = text.iter().position(|&b| b == STX)
        && let Some(etx) = text.iter().rposition(|&b| b == ETX)
        && etx + 2 == text.len()
    {
        text[etx + 1] = text[stx + 1..=etx].iter().fold(0, |check, b| check ^ b);
    }
    if parity {
        text.iter_mut().for_each(|b| *b |= ((b.count_ones() % 2) as u8) << 7);
    }
    Piece { original: original.to_vec(), redacted: text, removed }
}

/// Whether a value tells nothing of which meter it is: a measured number, a version, a status.
fn may_stay(address: &[u8], value: &[u8]) -> bool {
    let number = |text: &[u8]| {
        !text.is_empty() && text.iter().all(|b| b.is_ascii_digit() || b"+-., ".contains(b))
    };
    let Some(obis) = std::str::from_utf8(address).ok().and_then(code) else { return false };
    if identifies(obis) {
        return false;
    }
    let unit = value.iter().position(|&b| b == b'*');
    let measured = (1..=95).contains(&obis.0[2]) && number(&value[..unit.unwrap_or(value.len())]);
    measured || is_harmless(obis) || value.is_empty()
}

/// The groups of an address, as far as they are needed to tell what it is.
fn code(address: &str) -> Option<ObisCode> {
    let groups = address.trim().rsplit(':').next()?.split(['*', '&']).next()?;
    let mut groups = groups.split('.').map(|group| match group {
        "C" => Some(96),
        "F" => Some(97),
        "L" => Some(98),
        "P" => Some(99),
        number => number.parse().ok(),
    });
    let (c, d) = (groups.next()??, groups.next()??);
    let e = groups.next().unwrap_or(Some(0))?;
    Some(ObisCode([1, 0, c, d, e, 255]))
}
