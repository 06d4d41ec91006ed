//! From bytes in pieces to owned readouts.
//!
//! Enters: bytes of any kind, in pieces of any size. Leaves: [`Event`]s. Absent: ports, time.

use std::collections::VecDeque;

use ebp_core::obis::ObisCode;

use super::{
    crc::Checksum,
    cursor::Cursor,
    frame::{Frame, LONGEST, Scanner, State},
    list::{ListResponse, RawEntry, RawValue},
    message::messages,
    quirk,
    salvage::{is_seven_bit, salvage},
};
use crate::{
    decoder::{Decode, Event, Noise},
    flag_id::FlagId,
    readout::{Entry, Integrity, Octets, Protocol, Readout, ServerId, Value},
};

/// So many bytes at most are kept to be read when their events are asked for.
const AHEAD: usize = 4096;

/// Room for so many entries is made at once, if a list claims to have as many.
const USUAL_ENTRIES: usize = 32;

/// Decodes SML. It holds at most one unfinished frame (64 KiB) and 4 KiB behind it besides the events
/// that were not taken yet, and remembers which checksum its meter uses.
///
/// Telegrams are read as their events are asked for, one after the other, so that the memory of one
/// that was dropped serves the next.
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
    /// So many bytes at the buffer's front are done with.
    read: usize,
}

/// What turns frames into events.
#[derive(Debug, Default)]
struct Finder {
    checksum: Checksum,
    events: VecDeque<Event>,
    scratch: Vec<u8>,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self { scanner: Scanner::new(), finder: Finder::default(), buffer: Vec::new(), read: 0 }
    }

    /// Reads the next frame of the buffer, if it is whole or cannot become so; `last` says that
    /// nothing follows. Returns whether there was one.
    fn read_frame(&mut self, last: bool) -> bool {
        let Self { scanner, finder, buffer, read } = self;
        let Some(frame) = scanner.next(&buffer[*read..], last, &mut finder.checksum) else {
            return false;
        };
        *read += frame.raw.len();
        finder.frame(&frame);
        true
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decode for Decoder {
    fn push(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(AHEAD) {
            while self.read_frame(false) {}
            self.buffer.drain(..self.read);
            self.read = 0;
            debug_assert!(self.buffer.len() < LONGEST, "an unfinished frame at most");
            self.buffer.extend_from_slice(piece);
        }
    }

    fn next_event(&mut self) -> Option<Event> {
        while self.finder.events.is_empty() && self.read_frame(false) {}
        self.finder.events.pop_front()
    }

    fn finish(&mut self) {
        while self.read_frame(true) {}
        self.buffer.clear();
        self.read = 0;
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
        while let Some(message) = messages.next_whole() {
            // Apart from the others, so that no list is carried through memory again and again.
            let behind = if let Some(list) = message.common_list_response() {
                self.list(&list, Integrity::Ok, bytes)
            } else {
                match message.list_response() {
                    None => continue,
                    Some(Ok(list)) => self.list(&list, Integrity::Ok, bytes),
                    Some(Err(error)) => {
                        broken = Some(error.to_string());
                        continue;
                    }
                }
            };
            match behind {
                Some(behind) => messages.resume_at(behind),
                None => broken = Some("a message has no end".to_owned()),
            }
        }
        if let Some(error) = messages.take_error() {
            broken = Some(error.to_string());
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

    /// Makes a readout of a list and hands it on; returns where its message ends. Entries that cannot
    /// be read are left out; a list without end and without readable entries is none.
    fn list<'a>(
        &mut self,
        list: &ListResponse<'a>,
        integrity: Integrity,
        bytes: usize,
    ) -> Option<Cursor<'a>> {
        let mut entries = Vec::with_capacity(list.count.min(USUAL_ENTRIES));
        let mut raw_entries = list.entries();
        loop {
            if let Some(raw) = raw_entries.next_common() {
                entries.push(owned(raw));
                continue;
            }
            match raw_entries.next_any() {
                Some(Ok(raw)) => entries.push(owned(raw)),
                Some(Err(_)) => {}
                None => break,
            }
        }
        let behind = raw_entries.end().map(|end| end.behind);
        if behind.is_none() && entries.is_empty() {
            return None;
        }
        let server_id = server_id(list.server_id, &entries);
        let manufacturer = manufacturer(server_id.as_ref(), &entries);
        if let Some(maker) = manufacturer {
            quirk::apply(maker, &mut entries, list.entries().flatten().map(signed_width));
        }
        self.events.push_back(Event::Readout(Readout {
            protocol: Protocol::Sml,
            server_id,
            manufacturer,
            meter_time: list.sensor_time,
            entries,
            unaddressed: Vec::new(),
            integrity,
            bytes,
        }));
        behind
    }
}

/// The bytes as an owned copy. Few are held in place and moved there in a register: a copy of any
/// length, and a load of all of it right after, would wait for one another.
#[inline(always)]
fn octets_of(bytes: &[u8]) -> Octets {
    let word = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let half = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let length = bytes.len();
    let held = match length {
        0..=3 => Some(bytes.iter().rev().fold(0, |all, byte| all << 8 | u128::from(*byte))),
        4..=7 => half(0).zip(half(length - 4)).map(|(first, last)| {
            u128::from(u64::from(first) | u64::from(last) << (8 * (length - 4)))
        }),
        8..=16 => word(0)
            .zip(word(length - 8))
            .map(|(first, last)| u128::from(first) | u128::from(last) << (8 * (length - 8))),
        _ => None,
    };
    match held {
        Some(held) => Octets::from_buf_and_len(held.to_le_bytes(), length),
        None => Octets::from_slice(bytes),
    }
}

/// The entry with owned values.
#[inline(always)]
fn owned(raw: RawEntry<'_>) -> Entry {
    let value = match raw.value {
        RawValue::Absent => Value::Absent,
        RawValue::Bool(bit) => Value::Bool(bit),
        RawValue::Int(int) => Value::Integer(int.value()),
        RawValue::Octets(octets) => Value::Octets(octets_of(octets)),
        RawValue::Time(time) => Value::Time(time),
    };
    Entry {
        obis: raw.obis,
        value,
        unit: raw.unit,
        scaler: raw.scaler,
        status: raw.status,
        time: raw.time,
        corrected: None,
    }
}

/// The width in bytes of a number with a sign, 0 of anything else.
fn signed_width(raw: RawEntry<'_>) -> u8 {
    match raw.value {
        RawValue::Int(int) if int.signed => int.width,
        _ => 0,
    }
}

fn octets(entries: &[Entry], obis: ObisCode) -> Option<&[u8]> {
    match &entries.iter().find(|entry| entry.obis == obis)?.value {
        Value::Octets(bytes) => Some(bytes),
        _ => None,
    }
}

/// The identity from the list's head, or else from the entries that repeat it.
fn server_id(head: &[u8], entries: &[Entry]) -> Option<ServerId> {
    if !head.is_empty() {
        return Some(ServerId(octets_of(head)));
    }
    [ObisCode::SERVER_ID, ObisCode::DEVICE_ID]
        .into_iter()
        .find_map(|obis| octets(entries, obis))
        .map(|bytes| ServerId(bytes.into()))
}

/// The maker's three letters: as the meter spells them, or from its identity.
fn manufacturer(id: Option<&ServerId>, entries: &[Entry]) -> Option<FlagId> {
    let spelt = [ObisCode::MANUFACTURER, ObisCode::MANUFACTURER_OLD]
        .into_iter()
        .find_map(|obis| three_letters(octets(entries, obis)?));
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
    use crate::sml::encode::{Telegram, encode};

    #[test]
    fn octets_of_any_length_stay_as_they_are() {
        let bytes: Vec<u8> = (1..=40).collect();
        for length in 0..=bytes.len() {
            let octets = octets_of(&bytes[..length]);
            assert_eq!(octets.as_slice(), &bytes[..length]);
            assert_eq!(octets.spilled(), length > 16, "{length}");
        }
    }

    #[test]
    fn telegrams_are_read_as_their_events_are_asked_for() {
        let telegram = Telegram {
            server_id: vec![1],
            file_id: 1,
            sec_index: Some(5),
            list_name: None,
            entries: vec![],
        };
        let bytes = encode(&telegram).unwrap();
        let mut decoder = Decoder::new();
        decoder.push(&bytes.repeat(3));
        for left in [2, 1, 0] {
            assert!(matches!(decoder.next_event(), Some(Event::Readout(_))));
            assert_eq!(decoder.buffer.len() - decoder.read, left * bytes.len());
            assert!(decoder.finder.events.is_empty());
        }
        assert_eq!(decoder.next_event(), None);
        // More than is kept is read at once.
        let many = 3 * AHEAD / bytes.len();
        decoder.push(&bytes.repeat(many));
        assert!(decoder.buffer.len() <= AHEAD + bytes.len());
        assert_eq!(std::iter::from_fn(|| decoder.next_event()).count(), many);
    }

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
                prop_assert!(decoder.buffer.len() < LONGEST + AHEAD);
                prop_assert!(decoder.buffer.capacity() <= 2 * (LONGEST + AHEAD));
                // Events are small and few: one for each frame or portion of noise.
                let events = std::iter::from_fn(|| decoder.next_event()).count();
                prop_assert!(events <= 2 + size / super::super::frame::PORTION);
            }
        }
    }
}
