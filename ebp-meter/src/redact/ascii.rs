//! ASCII telegrams (IEC 62056-21) without identities.
//!
//! Enters: recorded bytes, with or without parity bits. Leaves: telegrams in which only that stays
//! which is known to be harmless: the maker's letters, names of models, addresses, measured numbers
//! with their units, versions and words of status. Zeros take the place of all other text, and the
//! block check character is computed anew. Absent: what lies between telegrams.

use ebp_core::obis::ObisCode;

use super::{
    Piece, identifies,
    text::{is_harmless, is_number, is_unit, name},
};

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
    let checked = text.len() - usize::from(is_checked(&text));
    for (place, line) in text[..checked].split_mut(|&b| b == b'\n').enumerate() {
        if place == 0 {
            // A slash, the maker's letters, the speed.
            name(line.get_mut(5..).unwrap_or_default());
        } else {
            redact_line(line, &mut removed);
        }
    }
    if is_checked(&text)
        && let Some(stx) = text.iter().position(|&b| b == STX)
    {
        let check = text.len() - 1;
        text[check] = text[stx + 1..check].iter().fold(0, |check, b| check ^ b);
    }
    if parity {
        text.iter_mut().for_each(|b| *b |= ((b.count_ones() % 2) as u8) << 7);
    }
    Piece { original: original.to_vec(), redacted: text, removed }
}

/// Whether a block check character stands at the end.
fn is_checked(text: &[u8]) -> bool {
    text.contains(&STX)
        && text.iter().rposition(|&b| b == ETX).is_some_and(|at| at + 2 == text.len())
}

/// Addresses with their values; everything else goes.
fn redact_line(line: &mut [u8], removed: &mut Vec<Vec<u8>>) {
    // The end of the telegram, and of the frame.
    let mark = matches!(line.first(), Some(&(b'!' | STX)));
    let mut at = usize::from(mark);
    let mut code = None;
    while at < line.len() {
        let open = line[at..].iter().position(|&b| b == b'(').map(|length| at + length);
        let outside = at..open.unwrap_or(line.len());
        // A further value behind the same address has none of its own.
        if !outside.is_empty() {
            code = read_code(&line[outside.clone()]);
            if code.is_none() || open.is_none() {
                zero(&mut line[outside]);
            }
        }
        let Some(open) = open else { return };
        let close = line[open..].iter().position(|&b| b == b')').map(|length| open + length);
        let end = close.unwrap_or(line.len());
        redact_value(code, &mut line[open + 1..end], removed);
        at = end + 1;
    }
}

fn redact_value(code: Option<ObisCode>, value: &mut [u8], removed: &mut Vec<Vec<u8>>) {
    let star = value.iter().position(|&b| b == b'*').unwrap_or(value.len());
    let is_measured = code.is_some_and(|code| {
        (1..=95).contains(&code.0[2]) && !identifies(code) && is_number(&value[..star])
    });
    if is_measured {
        let unit = &mut value[star..];
        if !is_unit(unit.get(1..).unwrap_or_default()) {
            zero(unit.get_mut(1..).unwrap_or_default());
        }
    } else if !code.is_some_and(|code| is_harmless(code, value)) {
        removed.push(value.to_vec());
        zero(value);
    }
}

fn zero(text: &mut [u8]) {
    text.iter_mut().filter(|b| b.is_ascii_graphic()).for_each(|b| *b = b'0');
}

/// The code of an address such as `1-0:1.8.0*255`, `1.8.0` or `C.1.0`; nothing of any other text.
fn read_code(address: &[u8]) -> Option<ObisCode> {
    let address = std::str::from_utf8(address).ok()?.trim();
    let (medium, groups) = address.split_once(':').unwrap_or(("1-0", address));
    let (medium, channel) = medium.split_once('-')?;
    let (groups, storage) = groups.split_once(['*', '&']).unwrap_or((groups, "255"));
    let group = |text: &str| match text {
        "C" => Some(96),
        "F" => Some(97),
        "L" => Some(98),
        "P" => Some(99),
        number => decimal(number),
    };
    let mut groups = groups.split('.');
    let (c, d) = (group(groups.next()?)?, group(groups.next()?)?);
    let e = groups.next().map_or(Some(0), group)?;
    let code = [decimal(medium)?, decimal(channel)?, c, d, e, decimal(storage)?];
    groups.next().is_none().then_some(ObisCode(code))
}

fn decimal(text: &str) -> Option<u8> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}
