//! Telegrams built byte by byte, so that each can be wrong or odd in one place.

use ebp_meter::sml::{
    crc::Checksum,
    frame::{END, ESCAPE, START},
};

pub const SERVER: [u8; 10] = [0x0a, 0x01, b'I', b'S', b'K', 0, 0, 0, 0, 1];
pub const ENERGY: [u8; 6] = [1, 0, 1, 8, 0, 255];
pub const POWER: [u8; 6] = [1, 0, 16, 7, 0, 255];
pub const ABSENT: &[u8] = &[0x01];

/// A list's head (fewer than 16 elements) and its elements.
pub fn list(elements: &[&[u8]]) -> Vec<u8> {
    assert!(elements.len() < 16);
    [&[0x70 | elements.len() as u8][..], &elements.concat()].concat()
}

pub fn octets(bytes: &[u8]) -> Vec<u8> {
    assert!(bytes.len() < 15);
    [&[bytes.len() as u8 + 1][..], bytes].concat()
}

/// An entry; all but the code are elements as they shall be on the wire.
pub fn entry(
    obis: [u8; 6],
    status: &[u8],
    time: &[u8],
    unit: &[u8],
    scaler: &[u8],
    value: &[u8],
) -> Vec<u8> {
    list(&[&octets(&obis), status, time, unit, scaler, value, ABSENT])
}

/// An entry of 1.8.0 in tenths of a watt-hour.
pub fn energy(value: &[u8]) -> Vec<u8> {
    entry(ENERGY, &[0x63, 0x01, 0x82], ABSENT, &[0x62, 30], &[0x52, 0xff], value)
}

/// An entry of 16.7.0 in watts: 300.
pub fn power() -> Vec<u8> {
    entry(POWER, ABSENT, ABSENT, &[0x62, 27], &[0x52, 0], &[0x53, 0x01, 0x2c])
}

/// The content of a list response with that element as its list.
pub fn response_of(sensor_time: &[u8], values: &[u8]) -> Vec<u8> {
    list(&[ABSENT, &octets(&SERVER), ABSENT, sensor_time, values, ABSENT, ABSENT])
}

/// The content of a list response.
pub fn response(entries: &[Vec<u8>]) -> Vec<u8> {
    let entries: Vec<_> = entries.iter().map(Vec::as_slice).collect();
    response_of(ABSENT, &list(&entries))
}

/// A message up to its checksum.
pub fn unchecked(number: u8, tag: &[u8], content: &[u8]) -> Vec<u8> {
    let body = list(&[tag, content]);
    [&[0x76][..], &octets(&[7, number]), &[0x62, 0, 0x62, 0], &body].concat()
}

/// A message's checksum and end marker.
pub fn checked(mut message: Vec<u8>, checksum: Checksum) -> Vec<u8> {
    let [a, b] = checksum.on_wire(&message);
    message.extend_from_slice(&[0x63, a, b, 0]);
    message
}

pub const LIST_TAG: &[u8] = &[0x63, 0x07, 0x01];

/// A list response as a message.
pub fn list_message(entries: &[Vec<u8>]) -> Vec<u8> {
    checked(unchecked(2, LIST_TAG, &response(entries)), Checksum::X25)
}

pub fn open_message() -> Vec<u8> {
    let content = list(&[ABSENT, ABSENT, &octets(&[7]), &octets(&SERVER), ABSENT, ABSENT]);
    checked(unchecked(1, &[0x63, 0x01, 0x01], &content), Checksum::X25)
}

pub fn close_message() -> Vec<u8> {
    checked(unchecked(3, &[0x63, 0x02, 0x01], &list(&[ABSENT])), Checksum::X25)
}

/// A file as meters send it, with that message in the middle.
pub fn file(message: &[u8]) -> Vec<u8> {
    [&open_message()[..], message, &close_message()].concat()
}

/// A frame with any number of padding bytes; the data must need no escapes.
pub fn frame_with(data: &[u8], padding: u8, checksum: Checksum) -> Vec<u8> {
    let zeros = vec![0; padding.into()];
    let mut frame = [&START[..], data, &zeros, &ESCAPE, &[END, padding]].concat();
    let checksum = checksum.on_wire(&frame);
    frame.extend_from_slice(&checksum);
    frame
}

pub fn frame(data: &[u8]) -> Vec<u8> {
    frame_with(data, (data.len().wrapping_neg() % 4) as u8, Checksum::X25)
}

/// A whole telegram with these entries.
pub fn telegram(entries: &[Vec<u8>]) -> Vec<u8> {
    frame(&file(&list_message(entries)))
}
