//! Telegrams without what identifies a meter, for reports of faults.
//!
//! Enters: recorded bytes. Leaves: [`Redacted`]: the same telegrams with zeros in place of server
//! ids, serial numbers, keys and signatures, and right checksums, so that they decode to the same
//! values. Absent: files; bytes outside of whole telegrams, of which nobody knows what they are.
//!
//! What is kept is what is known to be harmless by its code and by its form (`text`); everything
//! else goes. At the end every telegram is
//! decoded again: one whose measured values changed, or in which a removed piece is still found, is
//! left out rather than handed on.

mod ascii;
mod sml;
mod text;

use std::collections::BTreeSet;

use ebp_core::obis::ObisCode;

use crate::{
    d0,
    decoder::{Decode, Event},
    readout::{Protocol, Readout, Value},
    sml as sml_engine,
};

/// Pieces with fewer bytes other than zeros are too common to be looked for.
const TELLING: usize = 3;

/// Telegrams without identifying numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redacted {
    /// The telegrams, one after the other.
    pub bytes: Vec<u8>,
    /// What they say.
    pub readouts: Vec<Readout>,
    /// Bytes that were left out: noise, damaged telegrams, and those that could not be redacted.
    pub left_out: usize,
}

/// One telegram with its identity taken out, and what was taken.
struct Piece {
    original: Vec<u8>,
    redacted: Vec<u8>,
    removed: Vec<Vec<u8>>,
}

/// Takes the identifying numbers out of recorded bytes.
#[must_use]
pub fn redact(bytes: &[u8], protocol: Protocol) -> Redacted {
    let pieces = match protocol {
        Protocol::Sml => sml::pieces(bytes),
        Protocol::D0 => ascii::pieces(bytes),
    };
    let secrets: BTreeSet<Vec<u8>> = pieces
        .iter()
        .flat_map(|piece| &piece.removed)
        .flat_map(|removed| shapes(removed))
        .collect();
    let mut out = Redacted::default();
    let mut used = 0;
    for piece in &pieces {
        let before = decode(&piece.original, protocol);
        let after = decode(&piece.redacted, protocol);
        if !same_values(&before, &after) || holds_any(&piece.redacted, &secrets) {
            continue;
        }
        used += piece.original.len();
        out.bytes.extend_from_slice(&piece.redacted);
        out.readouts.extend(after);
    }
    out.left_out = bytes.len() - used;
    out
}

/// A secret as it may stand elsewhere: whole, and the number at its end, in bytes and in digits.
fn shapes(removed: &[u8]) -> Vec<Vec<u8>> {
    let mut shapes = vec![removed.to_vec()];
    if removed.iter().all(u8::is_ascii_graphic) {
        shapes.extend(removed.last_chunk::<8>().map(|digits| digits.to_vec()));
    } else if let Some(number) = removed.last_chunk::<4>() {
        shapes.push(number.to_vec());
        shapes.push(u32::from_be_bytes(*number).to_string().into_bytes());
        shapes.push(removed.iter().flat_map(|b| format!("{b:02x}").into_bytes()).collect());
    }
    // Small numbers are everywhere and tell nothing.
    shapes.retain(|shape| shape.iter().filter(|b| !matches!(b, 0 | b'0')).count() >= TELLING);
    shapes
}

fn holds_any(bytes: &[u8], secrets: &BTreeSet<Vec<u8>>) -> bool {
    secrets.iter().any(|secret| memchr::memmem::find(bytes, secret).is_some())
}

fn decode(bytes: &[u8], protocol: Protocol) -> Vec<Readout> {
    let mut decoder: Box<dyn Decode> = match protocol {
        Protocol::Sml => Box::new(sml_engine::Decoder::new()),
        Protocol::D0 => Box::new(d0::Decoder::new()),
    };
    decoder.push(bytes);
    decoder.finish();
    std::iter::from_fn(|| decoder.next_event())
        .filter_map(|event| match event {
            Event::Readout(readout) => Some(readout),
            Event::Noise(_) => None,
        })
        .collect()
}

/// Whether both say the same but for what was taken out. At least one telegram must be there.
fn same_values(before: &[Readout], after: &[Readout]) -> bool {
    let same = |(a, b): (&Readout, &Readout)| {
        a.integrity == b.integrity
            && a.entries.len() == b.entries.len()
            && a.entries.iter().zip(&b.entries).all(|(a, b)| {
                let hidden = matches!(a.value, Value::Octets(_)) || identifies(a.obis);
                a.obis == b.obis
                    && (hidden || (a.value == b.value && a.corrected == b.corrected))
                    && (a.unit, a.scaler) == (b.unit, b.scaler)
            })
    };
    !before.is_empty() && before.len() == after.len() && before.iter().zip(after).all(same)
}

/// Whether an entry of that code tells which meter it is, be it text or number. Where a maker puts
/// its letters is known.
const fn identifies(obis: ObisCode) -> bool {
    obis.identifies() && !is_maker(obis)
}

/// Where the maker's letters stand.
const fn is_maker(obis: ObisCode) -> bool {
    matches!(obis.0, [129, 129, 199, 130, 3, _] | [1, 0, 96, 50, 1, 1])
}
