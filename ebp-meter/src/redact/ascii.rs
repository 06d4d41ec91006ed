//! ASCII telegrams (IEC 62056-21) without identities.
//!
//! Enters: recorded bytes, with or without parity bits. Leaves: telegrams in which only that stays
//! which is known to be harmless: the maker's letters, names of models, addresses, measured numbers
//! with their units, versions and words of status. Zeros take the place of all other text (dashes
//! behind `!`), and the block check character or the checksum behind `!` is computed again. Absent:
//! bytes between telegrams.

use std::{collections::BTreeSet, ops::Range};

use ebp_core::obis::ObisCode;

use super::{
    code::{identifies, is_energy},
    piece::{Extent, Piece, Removed, Rule},
    text::{is_harmless, is_number, is_unit, name},
};
use crate::d0;

const STX: u8 = 0x02;
const ETX: u8 = 0x03;

pub(super) fn pieces(bytes: &[u8], extent: Extent) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while let Some(start) = rest.iter().position(|b| b & 0x7f == b'/') {
        rest = &rest[start..];
        let Some(length) = length(rest) else {
            rest = &rest[1..];
            continue;
        };
        pieces.push(piece(&rest[..length], extent));
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

/// The telegram without its parity bits and with a block check that may be wrong until
/// [`scrub`] has been over it.
fn piece(original: &[u8], extent: Extent) -> Piece {
    let text: Vec<u8> = original.iter().map(|b| b & 0x7f).collect();
    let maker = text.get(1..4).unwrap_or_default().to_ascii_uppercase();
    // The maker's letters stay.
    let letters = 1..4.min(text.len()).max(1);
    let kept = std::iter::once(letters).collect();
    let mut redaction = Redaction { maker, extent, kept, removed: Vec::new(), text };
    let end = redaction.text.len() - usize::from(is_checked(&redaction.text));
    let mut from = 0;
    while from < end {
        let line = redaction.text[from..end].iter().position(|&b| b == b'\n');
        let to = line.map_or(end, |length| from + length);
        if from == 0 {
            // A slash, the maker's letters, the speed.
            name(redaction.text.get_mut(5..to).unwrap_or_default());
        } else {
            redaction.line(from..to);
        }
        from = to + 1;
    }
    let Redaction { text, kept, removed, .. } = redaction;
    Piece { original: original.to_vec(), redacted: text, kept, data: Vec::new(), removed }
}

/// Takes numbers of the meter out where they stand outside of what stays, and makes the block check
/// right. Returns whether the telegram came with parity bits.
pub(super) fn scrub(piece: &mut Piece, secrets: &BTreeSet<Vec<u8>>) -> bool {
    let text = &mut piece.redacted;
    for secret in secrets {
        let places: Vec<usize> = memchr::memmem::find_iter(text, secret).collect();
        for place in places {
            for at in place..place + secret.len() {
                if !piece.kept.iter().any(|kept| kept.contains(&at)) {
                    zero(&mut text[at..=at]);
                }
            }
        }
    }
    if is_checked(text)
        && let Some(stx) = text.iter().position(|&b| b == STX)
    {
        let check = text.len() - 1;
        text[check] = text[stx + 1..check].iter().fold(0, |check, b| check ^ b);
        // It may have any content.
        piece.kept.push(check..check + 1);
    } else if let Some(place) = checksum_place(&piece.original) {
        let right = format!("{:04X}", d0::crc::compute(&text[..place.start]));
        text[place.clone()].copy_from_slice(right.as_bytes());
        piece.kept.push(place);
    }
    piece.original.iter().any(|b| b & 0x80 != 0)
}

/// Heads at 8 data bits hand the parity bit on.
pub(super) fn set_parity(text: &mut [u8]) {
    text.iter_mut().for_each(|b| *b |= ((b.count_ones() % 2) as u8) << 7);
}

/// Whether a block check character stands at the end.
fn is_checked(text: &[u8]) -> bool {
    text.contains(&STX)
        && text.iter().rposition(|&b| b == ETX).is_some_and(|at| at + 2 == text.len())
}

/// Where a customer interface's checksum stands behind the `!`.
fn checksum_place(text: &[u8]) -> Option<Range<usize>> {
    if text.contains(&STX) {
        return None;
    }
    let from = text.iter().position(|&b| b == b'!')? + 1;
    let digits = text[from..].trim_ascii_end();
    let is_checksum = digits.len() == d0::crc::DIGITS && digits.iter().all(u8::is_ascii_hexdigit);
    is_checksum.then_some(from..from + digits.len())
}

/// A telegram while its identity is taken out.
struct Redaction {
    text: Vec<u8>,
    /// The maker's letters in its first line.
    maker: Vec<u8>,
    extent: Extent,
    kept: Vec<Range<usize>>,
    removed: Vec<Removed>,
}

impl Redaction {
    /// Addresses with their values; everything else goes.
    fn line(&mut self, line: Range<usize>) {
        let find = |text: &[u8], from: usize, byte: u8| {
            text[from..line.end].iter().position(|&b| b == byte).map(|length| from + length)
        };
        // The end of the telegram, and of the frame.
        let mark = matches!(self.text.get(line.start), Some(&(b'!' | STX)));
        if self.text.get(line.start) == Some(&b'!') {
            // Zeros in place of other text would be a wrong checksum.
            if checksum_place(&self.text).is_none() {
                let other = self.text[line].iter_mut().skip(1);
                other.filter(|b| b.is_ascii_graphic()).for_each(|b| *b = b'-');
            }
            return;
        }
        let mut at = line.start + usize::from(mark);
        let mut code = None;
        while at < line.end {
            let open = find(&self.text, at, b'(');
            let outside = at..open.unwrap_or(line.end);
            // An additional value after the same address has no address.
            if !outside.is_empty() {
                code = str::from_utf8(&self.text[outside.clone()])
                    .ok()
                    .and_then(|address| d0::parse_address(address.trim()));
                if open.is_none() || !is_address(&self.text[outside.clone()]) {
                    zero(&mut self.text[outside]);
                }
            }
            let Some(open) = open else { return };
            let end = find(&self.text, open, b')').unwrap_or(line.end);
            self.value(code, open + 1..end);
            at = end + 1;
        }
    }

    fn value(&mut self, code: Option<ObisCode>, place: Range<usize>) {
        let value = &self.text[place.clone()];
        if value.is_empty() {
            return;
        }
        let star = value.iter().position(|&b| b == b'*').unwrap_or(value.len());
        let unit = value.get(star + 1..).unwrap_or_default();
        let has_unit = !unit.is_empty() && is_unit(unit);
        // A maker may give a code its own meaning; a value with a unit is a measured value nevertheless.
        let identifies =
            code.is_some_and(|code| identifies(code) && !(has_unit && code.is_of_maker()));
        // What measures electricity may leave its unit out.
        let measures = code.is_some_and(|code| (1..=95).contains(&code.0[2]));
        let number = place.start..place.start + star;
        if !identifies && is_number(&value[..star]) && (has_unit || measures) {
            if !has_unit {
                zero(&mut self.text[place.end.min(number.end + 1)..place.end]);
            }
            if self.extent.blur && code.is_none_or(is_energy) {
                self.remove(code, number, Rule::Blurred);
            } else {
                self.kept.push(number);
            }
        } else if value.to_ascii_uppercase() == self.maker {
            self.kept.push(place);
        } else if !code.is_some_and(|code| is_harmless(code, value)) {
            let rule = if identifies || code.is_none() { Rule::Identifies } else { Rule::Unknown };
            self.remove(code, place, rule);
        }
    }

    fn remove(&mut self, code: Option<ObisCode>, place: Range<usize>, rule: Rule) {
        let bytes = self.text[place.clone()].to_vec();
        if bytes.iter().any(|b| b.is_ascii_graphic() && *b != b'0') {
            self.removed.push(Removed { code, bytes, rule });
        }
        // A number stays one.
        let is_digit =
            |b: &u8| if rule == Rule::Blurred { b.is_ascii_digit() } else { b.is_ascii_graphic() };
        self.text[place].iter_mut().filter(|b| is_digit(b)).for_each(|b| *b = b'0');
    }
}

/// Whether that is an address, a code or not: groups of at most three digits, or a letter of
/// IEC 62056-61. A longer number could be anybody's.
fn is_address(text: &[u8]) -> bool {
    let mut digits = 0;
    text.trim_ascii().iter().all(|byte| {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        digits <= 3 && (byte.is_ascii_digit() || b".:*&-CFLP".contains(byte))
    })
}

fn zero(text: &mut [u8]) {
    text.iter_mut().filter(|b| b.is_ascii_graphic()).for_each(|b| *b = b'0');
}
