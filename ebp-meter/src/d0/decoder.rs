//! From a stream of bytes to readouts of ASCII registers.
//!
//! Enters: bytes. Leaves: [`Readout`]s and noise. Absent: the request that modes A to C need.

use std::collections::VecDeque;

use ebp_core::obis::ObisCode;

use super::{
    frame::{Frame, Framer, Piece},
    register::{self, Registers},
};
use crate::{
    decoder::{Decode, Event, Noise},
    readout::{Entry, Integrity, Octets, Protocol, Readout, ServerId, Value},
};

/// Decoder of IEC 62056-21 registers. Holds at most one telegram of 64 KiB and the events that
/// were not fetched yet.
#[derive(Debug, Default)]
pub struct Decoder {
    framer: Framer,
    events: VecDeque<Event>,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Decode for Decoder {
    fn push(&mut self, bytes: &[u8]) {
        let Self { framer, events } = self;
        for &byte in bytes {
            framer.push(byte, &mut |piece| events.push_back(event(piece)));
        }
    }

    fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn finish(&mut self) {
        let Self { framer, events } = self;
        framer.finish(&mut |piece| events.push_back(event(piece)));
    }
}

fn event(piece: Piece) -> Event {
    Event::Noise(match piece {
        Piece::Frame(frame) => return readout(frame),
        Piece::WrongChecksum { bytes } => Noise::WrongChecksum { bytes },
        Piece::Damaged { bytes, reason } => Noise::Unreadable { bytes, reason: reason.to_owned() },
        Piece::Garbage { bytes } => Noise::Garbage { bytes },
    })
}

fn readout(frame: Frame) -> Event {
    let text = String::from_utf8_lossy(&frame.registers);
    let Registers { entries, unaddressed } = register::read(&text);
    let bytes = frame.bytes;
    if entries.is_empty() {
        let reason = "it contains no register".to_owned();
        return Event::Noise(Noise::Unreadable { bytes, reason });
    }
    Event::Readout(Readout {
        protocol: Protocol::D0,
        server_id: server_id(&entries),
        manufacturer: Some(frame.identification.manufacturer),
        meter_time: None,
        entries,
        unaddressed,
        integrity: if frame.checked { Integrity::Ok } else { Integrity::Unchecked },
        bytes,
    })
}

/// The meter's identity: the server id, or else the device's or the owner's number (value groups
/// C, D and E; EasyMeter Q3D gives the server id at 96.1.255, customer interfaces at 96.1.1). Only
/// the electricity meter's own: what a meter of gas, water or heat sends through it has that
/// meter's medium or channel (`0-1:96.1.0`).
fn server_id(entries: &[Entry]) -> Option<ServerId> {
    let is_own = |obis: ObisCode| matches!(obis.0, [1, ..] | [0, 0, ..]);
    [[96, 1, 0], [96, 1, 255], [96, 1, 1], [0, 0, 9], [0, 0, 0]].into_iter().find_map(|groups| {
        entries.iter().find_map(|entry| match &entry.value {
            Value::Octets(text) if is_own(entry.obis) && entry.obis.0[2..5] == groups => {
                Some(ServerId(packed(text).map_or_else(|| text.clone(), Octets::from)))
            }
            _ => None,
        })
    })
}

/// `1ESY1011003684` as the ten bytes that SML meters send (DIN 43863-5: medium, maker, block,
/// number), so that one meter has one identity in both protocols. Landis+Gyr and Logarex put zeros
/// before it (`001LGZ0012345678`), others the length byte (`0A01ESY…`) or spaces between its parts;
/// customer interfaces write each character as two digits (`3145535931…`).
fn packed(text: &[u8]) -> Option<Vec<u8>> {
    packed_text(text).or_else(|| packed_text(&characters(text)?))
}

/// The characters that stand there as two hexadecimal digits each.
fn characters(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_chunks::<2>();
    let digit = |digit: u8| u8::try_from(char::from(digit).to_digit(16)?).ok();
    let pair = |&[high, low]: &[u8; 2]| Some(digit(high)? << 4 | digit(low)?);
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(pair).collect()
}

fn packed_text(text: &[u8]) -> Option<Vec<u8>> {
    let text: Vec<u8> = text.iter().copied().filter(|byte| *byte != b' ').collect();
    let medium = text.len().checked_sub(14)?;
    let (before, text) = text.split_at(medium);
    if !matches!(before, [] | b"0" | b"00" | b"0A0" | b"0a0") {
        return None;
    }
    let (&[medium, a, b, c], rest) = text.split_first_chunk()?;
    let rest = std::str::from_utf8(rest).ok()?;
    let (block, number) = rest.split_at_checked(2)?;
    let right = medium.is_ascii_digit()
        && [a, b, c].iter().all(u8::is_ascii_uppercase)
        && block.bytes().all(|b| b.is_ascii_hexdigit())
        && number.bytes().all(|b| b.is_ascii_digit());
    if !right {
        return None;
    }
    let block = u8::from_str_radix(block, 16).ok()?;
    let [w, x, y, z] = number.parse::<u32>().ok()?.to_be_bytes();
    Some(vec![0x0a, medium - b'0', a, b, c, block, w, x, y, z])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_identity_in_both_protocols() {
        let sml = [0x0a, 0x01, 0x49, 0x53, 0x4b, 0x00, 0x04, 0xc1, 0xd2, 0xe3];
        for text in [
            "1ISK0079811299",
            "01ISK0079811299",
            "001ISK0079811299",
            "1 ISK 00 7981 1299",
            "0A01ISK0079811299",
            "3149534B30303739383131323939",
            "3149534b30303739383131323939",
        ] {
            assert_eq!(packed(text.as_bytes()).unwrap(), sml, "{text}");
        }
        for other in [
            b"12345678".as_slice(),
            b"1ISK007981129",
            b"1isk0079811299",
            b"",
            b"1ISK00798112x9",
            b"991ISK0079811299",
            b"3149534B3030373938313132393",
            b"4730303032333430303939393939393939",
        ] {
            assert_eq!(packed(other), None);
        }
    }
}
