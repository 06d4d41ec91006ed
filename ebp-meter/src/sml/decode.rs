//! From bytes in pieces to owned readouts.
//!
//! Enters: bytes of any kind, in pieces of any size. Leaves: [`Event`]s. Absent: ports, time.

use std::collections::VecDeque;

use ebp_core::obis::ObisCode;

use super::{
    crc::Checksum,
    end::End,
    frame::{Frame, LONGEST, Scanner, State},
    list::{ListResponse, RawValue},
    message::messages,
    quirk,
    salvage::{is_seven_bit, salvage},
};
use crate::{
    decoder::{Decode, Event, Noise},
    flag_id::FlagId,
    readout::{Entry, Integrity, Protocol, Readout, ServerId, Value},
};

/// What is appended to the buffer at a time: about as much as a telegram.
const PIECE: usize = 512;

/// Room for so many entries is made at once, if a list claims to have as many.
const USUAL_ENTRIES: usize = 16;

/// Decodes SML. It holds at most one unfinished frame (64 KiB and a piece of 512 bytes) besides the
/// events that were not taken yet, and remembers which checksum its meter uses.
///
/// ```
/// use ebp_meter::{decoder::{Decode, Event}, sml::Decoder};
/// let mut decoder = Decoder::new();
/// # let telegram = ebp_meter::sml::encode::Telegram { server_id: vec![1], file_id: 1, sec_index: Some(5), list_name: None, entries: vec![] };
/// # let bytes = ebp_meter::sml::encode::encode(&telegram).unwrap();
/// decoder.push(&bytes);
/// let Some(Event::Readout(readout)) = decoder.next_event() else { panic!() };
/// assert_eq!(readout.bytes, bytes.len());
/// ```
#[derive(Debug)]
pub struct Decoder {
    scanner: Scanner,
    finder: Finder,
    buffer: Vec<u8>,
}

/// What turns frames into events.
#[derive(Debug, Default)]
struct Finder {
    checksum: Checksum,
    events: VecDeque<Event>,
    scratch: Vec<u8>,
    widths: Vec<u8>,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self { scanner: Scanner::new(), finder: Finder::default(), buffer: Vec::new() }
    }

    /// Takes from the front of `bytes` what can be told; returns how much that was.
    fn scan(&mut self, bytes: &[u8], last: bool) -> usize {
        let mut used = 0;
        while let Some(frame) = self.scanner.next(&bytes[used..], last, &mut self.finder.checksum) {
            self.finder.frame(&frame);
            used += frame.raw.len();
        }
        used
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decode for Decoder {
    fn push(&mut self, bytes: &[u8]) {
        if self.buffer.is_empty() {
            // Frames that came whole are never copied.
            let used = self.scan(bytes, false);
            self.buffer.extend_from_slice(&bytes[used..]);
            return;
        }
        // What began before is finished in the buffer, in small pieces; once a frame ends among the
        // new bytes, all behind it is read where it lies.
        let mut rest = bytes;
        while !rest.is_empty() && !self.buffer.is_empty() {
            let mut buffer = std::mem::take(&mut self.buffer);
            let before = buffer.len();
            let (piece, behind) = rest.split_at(rest.len().min(PIECE));
            buffer.extend_from_slice(piece);
            let used = self.scan(&buffer, false);
            rest = match used.checked_sub(before) {
                Some(of_piece) => {
                    buffer.clear();
                    &rest[of_piece..]
                }
                None => {
                    buffer.drain(..used);
                    behind
                }
            };
            self.buffer = buffer;
        }
        if self.buffer.is_empty() {
            let used = self.scan(rest, false);
            self.buffer.extend_from_slice(&rest[used..]);
        }
        debug_assert!(self.buffer.len() < LONGEST);
    }

    fn next_event(&mut self) -> Option<Event> {
        self.finder.events.pop_front()
    }

    fn finish(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        self.scan(&buffer, true);
        self.scanner = Scanner::new();
    }
}

impl Finder {
    fn noise(&mut self, noise: Noise) {
        self.events.push_back(Event::Noise(noise));
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        let mut scratch = std::mem::take(&mut self.scratch);
        let data = frame.payload(&mut scratch);
        if frame.is_whole() {
            self.whole(data, frame.raw.len());
        } else {
            self.damaged(data, frame);
        }
        self.scratch = scratch;
    }

    fn whole(&mut self, data: &[u8], bytes: usize) {
        let before = self.events.len();
        let mut messages = messages(data);
        let mut broken = None;
        while let Some(message) = messages.next() {
            match message.map(|message| message.list_response()) {
                Ok(None) => {}
                Ok(Some(Ok(list))) => match self.list(&list, Integrity::Ok, bytes) {
                    Some(end) => messages.resume(&end),
                    None => broken = Some("a message has no end".to_owned()),
                },
                Ok(Some(Err(error))) | Err(error) => broken = Some(error.to_string()),
            }
        }
        // Behind a message that is broken, others may be whole.
        for message in salvage(messages.rest(), self.checksum) {
            if let Some(Ok(list)) = message.list_response() {
                self.list(&list, Integrity::Ok, bytes);
            }
        }
        if self.events.len() == before {
            let reason = broken.unwrap_or_else(|| "no list of values in it".to_owned());
            self.noise(Noise::Unreadable { bytes, reason });
        }
    }

    fn damaged(&mut self, data: &[u8], frame: &Frame<'_>) {
        let before = self.events.len();
        let bytes = frame.raw.len();
        for message in salvage(data, self.checksum) {
            if let Some(Ok(list)) = message.list_response() {
                self.list(&list, Integrity::Salvaged, bytes);
            }
        }
        if self.events.len() > before {
            return;
        }
        self.noise(match frame.state {
            State::Outside => Noise::Garbage { bytes },
            _ if is_seven_bit(frame.raw) => Noise::SevenBitLine,
            _ => Noise::WrongChecksum { bytes },
        });
    }

    /// Makes a readout of a list and hands it on; returns its message's end. Entries that cannot be
    /// read are left out; a list without end and without readable entries is none.
    fn list<'a>(
        &mut self,
        list: &ListResponse<'a>,
        integrity: Integrity,
        bytes: usize,
    ) -> Option<End<'a>> {
        self.widths.clear();
        let mut entries = Vec::with_capacity(list.count.min(USUAL_ENTRIES));
        let mut raw_entries = list.entries();
        for raw in raw_entries.by_ref().flatten() {
            let (value, width) = match raw.value {
                RawValue::Absent => (Value::Absent, 0),
                RawValue::Bool(bit) => (Value::Bool(bit), 0),
                RawValue::Int(int) => {
                    (Value::Integer(int.value()), if int.signed { int.width } else { 0 })
                }
                RawValue::Octets(octets) => (Value::Octets(octets.into()), 0),
                RawValue::Time(time) => (Value::Time(time), 0),
            };
            self.widths.push(width);
            entries.push(Entry {
                obis: raw.obis,
                value,
                unit: raw.unit,
                scaler: raw.scaler,
                status: raw.status,
                time: raw.time,
                corrected: None,
            });
        }
        let end = raw_entries.end();
        if end.is_none() && entries.is_empty() {
            return None;
        }
        let mut readout = Readout {
            protocol: Protocol::Sml,
            server_id: None,
            manufacturer: None,
            meter_time: list.sensor_time,
            entries,
            unaddressed: Vec::new(),
            integrity,
            bytes,
        };
        readout.server_id = server_id(list.server_id, &readout);
        readout.manufacturer = manufacturer(&readout);
        quirk::apply(&mut readout, &self.widths);
        self.events.push_back(Event::Readout(readout));
        end
    }
}

fn octets(readout: &Readout, obis: ObisCode) -> Option<&[u8]> {
    match &readout.entry(obis)?.value {
        Value::Octets(bytes) => Some(bytes),
        _ => None,
    }
}

/// The identity from the list's head, or else from the entries that repeat it.
fn server_id(head: &[u8], readout: &Readout) -> Option<ServerId> {
    if !head.is_empty() {
        return Some(ServerId(head.into()));
    }
    [ObisCode::SERVER_ID, ObisCode::DEVICE_ID]
        .into_iter()
        .find_map(|obis| octets(readout, obis))
        .map(|bytes| ServerId(bytes.into()))
}

/// The maker's three letters: as the meter spells them, or from its identity.
fn manufacturer(readout: &Readout) -> Option<FlagId> {
    let spelt = [ObisCode::MANUFACTURER, ObisCode::MANUFACTURER_OLD]
        .into_iter()
        .find_map(|obis| three_letters(octets(readout, obis)?));
    let id = readout.server_id.as_ref();
    spelt.or_else(|| id?.manufacturer()).or_else(|| match id?.0.as_slice() {
        // Before DIN 43863-5: `06 454d48 …` (EMH eHZ and ED300L), `06 49534b …` (Iskra MT175).
        [0x06, letters @ ..] if letters.len() == 9 => three_letters(&letters[..3]),
        _ => None,
    })
}

fn three_letters(bytes: &[u8]) -> Option<FlagId> {
    FlagId::new(bytes.try_into().ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Of whatever comes, no more is kept than a frame may be long.
        #[test]
        fn memory_is_bounded(
            sizes in vec((1..200_000_usize, prop_oneof![Just(0x1b_u8), Just(0x55), any::<u8>()]), 1..10),
        ) {
            let mut decoder = Decoder::new();
            decoder.push(&super::super::frame::START);
            for (size, byte) in sizes {
                decoder.push(&vec![byte; size]);
                decoder.push(&super::super::frame::START[..5]);
                prop_assert!(decoder.buffer.len() < LONGEST);
                prop_assert!(decoder.buffer.capacity() <= 2 * (LONGEST + PIECE));
                // Events are small and few: one for each frame or portion of noise.
                let events = std::iter::from_fn(|| decoder.next_event()).count();
                prop_assert!(events <= 2 + size / super::super::frame::PORTION);
            }
        }
    }
}
