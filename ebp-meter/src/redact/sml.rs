//! SML frames without identities.
//!
//! Enters: recorded bytes. Leaves: whole frames with every byte string zeroed that is not known to
//! be harmless, and both checksums computed again. Absent: damaged frames.

use std::ops::Range;

use ebp_core::{obis::ObisCode, quantity::Unit};

use super::{
    code::{identifies, is_energy},
    piece::{Extent, Piece, Removed, Rule},
    text::{is_harmless, is_word},
};
use crate::sml::{
    crc::Checksum,
    cursor::{Cursor, Element, Int, Malformed},
    frame::{END, ESCAPE, START, State, frames},
    message::LIST_RESPONSE,
};

pub(super) fn pieces(bytes: &[u8], extent: Extent) -> Vec<Piece> {
    let mut scratch = Vec::new();
    frames(bytes)
        .filter_map(|frame| {
            let State::Whole(checksum) = frame.state else { return None };
            let padding = frame.raw[frame.raw.len() - 3];
            let mut redaction = Redaction::new(frame.payload(&mut scratch), checksum, extent);
            redaction.file().ok()?;
            let same_length = redaction.out.len() == redaction.data.len();
            Some(Piece {
                original: frame.raw.to_vec(),
                redacted: wrap(&redaction.out, same_length.then_some(padding), checksum),
                kept: redaction.kept,
                data: redaction.out,
                removed: redaction.removed,
            })
        })
        .collect()
}

/// Puts the frame back around data, with the padding it had.
fn wrap(data: &[u8], padding: Option<u8>, checksum: Checksum) -> Vec<u8> {
    let mut out = START.to_vec();
    let mut run = 0;
    for &byte in data {
        out.push(byte);
        run = if byte == ESCAPE[0] { run + 1 } else { 0 };
        if run == ESCAPE.len() {
            out.extend_from_slice(&ESCAPE);
            run = 0;
        }
    }
    let padding = padding.unwrap_or((out.len().wrapping_neg() % 4) as u8);
    out.resize(out.len() + usize::from(padding), 0);
    out.extend_from_slice(&ESCAPE);
    out.extend_from_slice(&[END, padding]);
    out.extend_from_slice(&checksum.on_wire(&out));
    out
}

struct Redaction<'a> {
    data: &'a [u8],
    cursor: Cursor<'a>,
    checksum: Checksum,
    /// What was read so far, redacted. It is as long as what was read, but for checksums that grew.
    out: Vec<u8>,
    extent: Extent,
    /// Where in `out` measured values stand.
    kept: Vec<Range<usize>>,
    removed: Vec<Removed>,
}

impl<'a> Redaction<'a> {
    fn new(data: &'a [u8], checksum: Checksum, extent: Extent) -> Self {
        let cursor = Cursor::new(data);
        Self {
            data,
            cursor,
            checksum,
            out: Vec::new(),
            extent,
            kept: Vec::new(),
            removed: Vec::new(),
        }
    }

    fn at(&self) -> usize {
        self.data.len() - self.cursor.rest().len()
    }

    fn file(&mut self) -> Result<(), Malformed> {
        loop {
            let from = self.at();
            self.cursor.skip_zeros();
            self.out.resize(self.out.len() + self.at() - from, 0);
            if self.cursor.rest().is_empty() {
                return Ok(());
            }
            self.message()?;
        }
    }

    fn message(&mut self) -> Result<(), Malformed> {
        let (from, out_from) = (self.at(), self.out.len());
        if self.list()? != 6 {
            return Err(Malformed::Unexpected);
        }
        self.zeroed(3)?; // transaction, group, abort on error
        if self.list()? != 2 {
            return Err(Malformed::Unexpected);
        }
        match self.element()? {
            Element::Int(Int { bits: LIST_RESPONSE, .. }) => self.list_response()?,
            Element::Int(_) => self.zeroed(1)?,
            _ => return Err(Malformed::Unexpected),
        }
        let covered = &self.data[from..self.at()];
        let checksum = self.cursor.optional_int()?;
        self.inner_checksum(covered, checksum, out_from);
        Ok(())
    }

    /// A checksum of the same kind as it was, and wrong if it was wrong.
    fn inner_checksum(&mut self, covered: &[u8], sent: Option<Int>, out_from: usize) {
        let Some(sent) = sent else { return self.out.push(0x01) };
        let wire = u16::try_from(sent.bits).ok().map(u16::to_be_bytes);
        let kind = wire.and_then(|wire| self.checksum.or_other(covered, wire));
        let right = kind.unwrap_or(self.checksum).on_wire(&self.out[out_from..]);
        let number = u16::from_be_bytes(right);
        let number = if kind.is_some() { number } else { !number };
        match (sent.width, u8::try_from(number)) {
            // Iskra MT691 leaves a high byte away that is 0.
            (1, Ok(low)) => self.out.extend_from_slice(&[0x62, low]),
            (1 | 2, _) => {
                self.out.push(0x63);
                self.out.extend_from_slice(&number.to_be_bytes());
            }
            (width, _) => {
                self.out.push(0x61 + width);
                let wide = u64::from(number).to_be_bytes();
                self.out.extend_from_slice(&wide[8 - usize::from(width)..]);
            }
        }
    }

    fn list_response(&mut self) -> Result<(), Malformed> {
        let more = self.list()?.checked_sub(5).ok_or(Malformed::Unexpected)?;
        self.zeroed(2)?; // client, server
        self.octets_if(|name| matches!(name, [1, 0, 0x61 | 0x62, _, _, _]))?;
        self.zeroed(1)?; // time
        match self.element()? {
            Element::List(count) => {
                for _ in 0..count {
                    self.entry()?;
                }
            }
            Element::Octets([]) => {}
            _ => return Err(Malformed::Unexpected),
        }
        self.zeroed(more) // signature, time of the gateway
    }

    fn entry(&mut self) -> Result<(), Malformed> {
        let more = self.list()?.checked_sub(6).ok_or(Malformed::Unexpected)?;
        let Element::Octets(code) = self.element()? else { return Err(Malformed::Unexpected) };
        let obis = ObisCode(code.try_into().map_err(|_| Malformed::Unexpected)?);
        // A status word, which some meters send as bytes.
        self.octets_if(is_word)?;
        self.zeroed(1)?; // time
        let unit = match self.element()? {
            Element::Int(Int { bits, .. }) => u8::try_from(bits).ok().map(Unit),
            Element::List(count) => {
                self.zeroed(count)?;
                None
            }
            Element::Octets(octets) => {
                self.zero(octets);
                None
            }
            Element::Bool(_) => None,
        };
        self.zeroed(1)?; // scaler
        self.value(obis, unit)?;
        self.zeroed(more) // signature
    }

    fn value(&mut self, obis: ObisCode, unit: Option<Unit>) -> Result<(), Malformed> {
        let from = self.out.len();
        let element = self.element()?;
        let head = usize::from(matches!(element, Element::Int(_)));
        let has_unit = unit.is_some_and(|unit| unit != Unit::COUNT);
        let value = from + head..self.out.len();
        match element {
            Element::List(count) => return self.zeroed(count),
            Element::Octets(octets) if identifies(obis) || !is_harmless(obis, octets) => {
                let rule = if identifies(obis) { Rule::Identifies } else { Rule::Unknown };
                let from = self.out.len() - octets.len();
                self.remove(Some(obis), from..self.out.len(), rule);
            }
            // The type and the length of a number stay.
            Element::Int(_) if identifies(obis) && !(has_unit && obis.is_of_maker()) => {
                self.remove(Some(obis), value, Rule::Identifies);
            }
            // Where the unit is missing, the code says what it is.
            Element::Int(_)
                if self.extent.blur
                    && unit.filter(|_| has_unit).map_or(is_energy(obis), Unit::is_energy) =>
            {
                self.remove(Some(obis), value, Rule::Blurred);
            }
            Element::Int(_) if has_unit => {
                self.kept.push(value);
            }
            Element::Octets(_) | Element::Int(_) | Element::Bool(_) => {}
        }
        Ok(())
    }

    fn remove(&mut self, code: Option<ObisCode>, place: Range<usize>, rule: Rule) {
        let bytes = self.out[place.clone()].to_vec();
        if bytes.iter().any(|b| *b != 0) {
            self.removed.push(Removed { code, bytes, rule });
        }
        self.out[place].fill(0);
    }

    /// Copies the next element; of a list its head.
    fn element(&mut self) -> Result<Element<'a>, Malformed> {
        let from = self.at();
        let element = self.cursor.element()?;
        let to = self.at();
        self.out.extend_from_slice(&self.data[from..to]);
        Ok(element)
    }

    fn list(&mut self) -> Result<usize, Malformed> {
        match self.element()? {
            Element::List(count) => Ok(count),
            _ => Err(Malformed::Unexpected),
        }
    }

    /// Copies that many elements with their content, with zeros for all byte strings.
    fn zeroed(&mut self, count: usize) -> Result<(), Malformed> {
        let mut pending = count;
        while pending > 0 {
            pending -= 1;
            match self.element()? {
                Element::List(count) => pending += count,
                Element::Octets(octets) => self.zero(octets),
                Element::Bool(_) | Element::Int(_) => {}
            }
        }
        Ok(())
    }

    /// Copies the next element, with zeros if it is a byte string that may not stay.
    fn octets_if(&mut self, may_stay: impl Fn(&[u8]) -> bool) -> Result<(), Malformed> {
        match self.element()? {
            Element::List(count) => self.zeroed(count),
            Element::Octets(octets) if !may_stay(octets) => {
                self.zero(octets);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn zero(&mut self, octets: &[u8]) {
        let place = self.out.len() - octets.len()..self.out.len();
        // Shorter ones are counters: transactions, files.
        if octets.len() >= 8 {
            self.remove(None, place, Rule::Identifies);
        } else {
            self.out[place].fill(0);
        }
    }
}
