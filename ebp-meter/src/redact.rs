//! Telegrams without what identifies a meter, for reports of faults.
//!
//! Enters: recorded bytes. Leaves: [`Redacted`]: the same telegrams with zeros in place of server
//! ids, serial numbers, keys and signatures, and right checksums, so that they decode to the same
//! values. Absent: files; bytes outside of whole telegrams, of which nobody knows what they are.
//!
//! What is kept is what is known to be harmless by its code and by its form (`text`), measured
//! values with a unit and the maker's letters; everything else goes. At the end every telegram is
//! decoded again: one whose measured values changed, or in which a number of the meter is still found
//! outside of its measured values, is dropped rather than handed on. What was taken out or dropped is
//! told with its rule.

mod ascii;
mod code;
mod piece;
mod sml;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use ebp_core::obis::ObisCode;

use code::{identifies, is_energy};
use piece::Piece;
pub use piece::{Extent, Rule};

use crate::{
    d0,
    decoder::{Decode, Event},
    readout::{Protocol, Readout, Value},
    sml as sml_engine,
};

/// Pieces with fewer bytes other than zeros are too common to be looked for.
const TELLING: usize = 3;

/// Why a whole telegram is not handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dropped {
    /// Its values would not be the same without what identifies.
    ValuesChange,
    /// A number of the meter stands where it cannot be taken out.
    NumberStays,
}

impl Dropped {
    /// The reason in words, behind "because".
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::ValuesChange => "its values would not read the same without what identifies",
            Self::NumberStays => "a number of the meter stands where it cannot be taken out",
        }
    }
}

/// Telegrams without identifying numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redacted {
    /// The telegrams, one after the other.
    pub bytes: Vec<u8>,
    /// What they say.
    pub readouts: Vec<Readout>,
    /// Bytes that were left out: noise, damaged telegrams, and those that were dropped.
    pub left_out: usize,
    /// The registers whose value was taken out, by the rule. Where an address is no code, it is
    /// left out here as well.
    pub removed: BTreeMap<Rule, BTreeSet<ObisCode>>,
    /// How many whole telegrams were dropped, by the reason.
    pub dropped: BTreeMap<Dropped, usize>,
}

/// Takes the identifying numbers out of recorded bytes.
#[must_use]
pub fn redact(bytes: &[u8], protocol: Protocol, extent: Extent) -> Redacted {
    let pieces = match protocol {
        Protocol::Sml => sml::pieces(bytes, extent),
        Protocol::D0 => ascii::pieces(bytes, extent),
        // Where its numbers stand nobody knows here: nothing of it is handed on.
        Protocol::Own => Vec::new(),
    };
    let secrets: BTreeSet<Vec<u8>> = pieces
        .iter()
        .flat_map(|piece| &piece.removed)
        .filter(|removed| removed.rule == Rule::Identifies)
        .flat_map(|removed| shapes(&removed.bytes))
        .collect();
    let mut out = Redacted::default();
    let mut used = 0;
    for mut piece in pieces {
        let has_parity = protocol == Protocol::D0 && ascii::scrub(&mut piece, &secrets);
        let holds_number = holds_any(&piece, &secrets);
        if has_parity {
            ascii::set_parity(&mut piece.redacted);
        }
        let before = decode(&piece.original, protocol);
        if before.is_empty() {
            continue;
        }
        let after = decode(&piece.redacted, protocol);
        let dropped = if !same_values(&before, &after, extent) {
            Some(Dropped::ValuesChange)
        } else {
            holds_number.then_some(Dropped::NumberStays)
        };
        if let Some(reason) = dropped {
            *out.dropped.entry(reason).or_default() += 1;
            continue;
        }
        for removed in &piece.removed {
            let codes = out.removed.entry(removed.rule).or_default();
            codes.extend(removed.code);
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

/// Whether a secret stands in it outside of what always stays.
fn holds_any(piece: &Piece, secrets: &BTreeSet<Vec<u8>>) -> bool {
    let data = if piece.data.is_empty() { &piece.redacted } else { &piece.data };
    let mut searched = data.clone();
    for kept in &piece.kept {
        searched[kept.clone()].fill(0);
    }
    secrets.iter().any(|secret| memchr::memmem::find(&searched, secret).is_some())
}

fn decode(bytes: &[u8], protocol: Protocol) -> Vec<Readout> {
    let mut decoder: Box<dyn Decode> = match protocol {
        Protocol::Sml => Box::new(sml_engine::Decoder::new()),
        Protocol::D0 => Box::new(d0::Decoder::new()),
        Protocol::Own => return Vec::new(),
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
fn same_values(before: &[Readout], after: &[Readout], extent: Extent) -> bool {
    let same = |(a, b): (&Readout, &Readout)| {
        a.integrity == b.integrity
            && a.entries.len() == b.entries.len()
            && a.entries.iter().zip(&b.entries).all(|(a, b)| {
                let hidden = matches!(a.value, Value::Octets(_))
                    || identifies(a.obis)
                    || (extent.blur && is_energy(a.obis));
                a.obis == b.obis
                    && (hidden || (a.value == b.value && a.corrected == b.corrected))
                    && (a.unit, a.scaler) == (b.unit, b.scaler)
            })
    };
    !before.is_empty() && before.len() == after.len() && before.iter().zip(after).all(same)
}
