//! Writing telegrams: what the virtual meter sends and what tests decode again.
//!
//! Enters: a [`Telegram`]. Leaves: its bytes with escapes, padding and both checksums.
//! Absent: the faults of real meters (tests put those in), and serial ports.

use std::fmt;

use ebp_core::{obis::ObisCode, phrase::counted, quantity::Unit};

use super::{
    crc::Checksum,
    frame::{ESCAPE, START},
};

/// A telegram to be: one SML file of open response, list response and close response.
#[derive(Clone, PartialEq, Eq)]
pub struct Telegram {
    /// The meter's identity, raw octets.
    pub server_id: Vec<u8>,
    /// Goes into the transaction ids and the id of the request; meters count it up.
    pub file_id: u32,
    /// The meter's seconds of operation (`actSensorTime`).
    pub sec_index: Option<u32>,
    /// The list's name, mostly `0100620affff`.
    pub list_name: Option<ObisCode>,
    /// The values.
    pub entries: Vec<EncodeEntry>,
}

/// Hides the identity.
impl fmt::Debug for Telegram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server_id: _, file_id, sec_index, list_name, entries } = self;
        f.debug_struct("Telegram")
            .field("file_id", file_id)
            .field("sec_index", sec_index)
            .field("list_name", list_name)
            .field("entries", entries)
            .finish_non_exhaustive()
    }
}

/// One value of a telegram to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeEntry {
    /// Which quantity.
    pub obis: ObisCode,
    /// The status word.
    pub status: Option<EncodeInt>,
    /// When the value was valid, seconds of operation.
    pub sec_index: Option<u32>,
    /// Its unit.
    pub unit: Option<Unit>,
    /// The power of ten that the integer is multiplied by.
    pub scaler: Option<i8>,
    /// The value before scaling.
    pub value: EncodeValue,
}

/// A value of a telegram to be.
#[derive(Clone, PartialEq, Eq)]
pub enum EncodeValue {
    /// A number.
    Int(EncodeInt),
    /// Bytes: identifiers, keys, texts.
    Octets(Vec<u8>),
    /// The entry is there, its value is not.
    Absent,
}

/// Shows no octets: they identify the meter.
impl fmt::Debug for EncodeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(int) => write!(f, "{int:?}"),
            Self::Octets(bytes) => write!(f, "Octets({} bytes)", bytes.len()),
            Self::Absent => f.write_str("Absent"),
        }
    }
}

/// An integer and how it lies on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodeInt {
    /// The number.
    pub value: i128,
    /// Its width on the wire, 1 to 8 bytes.
    pub width: u8,
    /// Whether the type says that it has a sign.
    pub signed: bool,
}

impl EncodeInt {
    /// A signed integer of `width` bytes.
    #[must_use]
    pub const fn signed(value: i64, width: u8) -> Self {
        Self { value: value as i128, width, signed: true }
    }

    /// An unsigned integer of `width` bytes.
    #[must_use]
    pub const fn unsigned(value: u64, width: u8) -> Self {
        Self { value: value as i128, width, signed: false }
    }
}

/// Why a telegram cannot be written.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EncodeError {
    /// An integer is no number of its width.
    #[error(
        "{value} does not fit a{} integer of {}",
        if *.signed { " signed" } else { "n unsigned" },
        counted(*width, "byte")
    )]
    Misfit {
        /// The number.
        value: i128,
        /// The width asked for, bytes.
        width: u8,
        /// Whether a sign was asked for.
        signed: bool,
    },
    /// A width other than 1 to 8 bytes.
    #[error("an integer is 1 to 8 bytes wide, not {0}")]
    Width(u8),
    /// More octets or entries than the format's lengths are used for here.
    #[error("{0} octets or entries are more than a telegram may have in one place")]
    TooLong(usize),
}

/// Octets of one string, or entries of one list: far more than any meter has, far less than
/// what a decoder has to hold.
const LONGEST: usize = 0x0fff;

const OCTETS: u8 = 0x00;
const SIGNED: u8 = 0x50;
const UNSIGNED: u8 = 0x60;
const LIST: u8 = 0x70;

const OPEN_RESPONSE: u16 = 0x0101;
const CLOSE_RESPONSE: u16 = 0x0201;
const LIST_RESPONSE: u16 = 0x0701;

/// Writes a whole frame: start, messages with their checksums, padding, end, the frame's checksum.
///
/// # Errors
/// Returns an error if a number does not fit its width, or something is longer than a telegram may
/// be.
pub fn encode(telegram: &Telegram) -> Result<Vec<u8>, EncodeError> {
    Ok(wrap(&encode_file(telegram)?))
}

/// Writes the messages alone, without the frame around them.
///
/// # Errors
/// Returns the same errors as [`encode`].
pub fn encode_file(telegram: &Telegram) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::with_capacity(128 + 40 * telegram.entries.len());
    message(&mut out, telegram.file_id, 1, OPEN_RESPONSE, |out| {
        list(out, 6)?;
        absent(out); // codepage
        absent(out); // client id
        octets(out, &telegram.file_id.to_be_bytes())?;
        octets(out, &telegram.server_id)?;
        absent(out); // reference time
        absent(out); // version
        Ok(())
    })?;
    message(&mut out, telegram.file_id, 2, LIST_RESPONSE, |out| {
        list(out, 7)?;
        absent(out); // client id
        octets(out, &telegram.server_id)?;
        match telegram.list_name {
            Some(name) => octets(out, &name.0)?,
            None => absent(out),
        }
        time(out, telegram.sec_index)?;
        list(out, telegram.entries.len())?;
        telegram.entries.iter().try_for_each(|e| entry(out, e))?;
        absent(out); // signature
        absent(out); // gateway's time
        Ok(())
    })?;
    message(&mut out, telegram.file_id, 3, CLOSE_RESPONSE, |out| {
        list(out, 1)?;
        absent(out); // signature
        Ok(())
    })?;
    Ok(out)
}

/// Puts the frame around messages: start, escapes, padding to a multiple of four, end, checksum.
#[must_use]
pub fn wrap(file: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(file.len() + 24);
    out.extend_from_slice(&START);
    let mut run = 0;
    for &byte in file {
        out.push(byte);
        run = if byte == ESCAPE[0] { run + 1 } else { 0 };
        if run == ESCAPE.len() {
            out.extend_from_slice(&ESCAPE);
            run = 0;
        }
    }
    let padding = out.len().wrapping_neg() % 4;
    out.resize(out.len() + padding, 0);
    out.extend_from_slice(&ESCAPE);
    out.extend_from_slice(&[0x1a, padding as u8]);
    let checksum = Checksum::X25.on_wire(&out);
    out.extend_from_slice(&checksum);
    out
}

/// One message: list of six of transaction id, group, abort on error, body, checksum, end marker.
fn message(
    out: &mut Vec<u8>,
    file_id: u32,
    number: u8,
    tag: u16,
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let start = out.len();
    list(out, 6)?;
    let [a, b, c, d] = file_id.to_be_bytes();
    octets(out, &[a, b, c, d, number])?;
    integer(out, EncodeInt::unsigned(0, 1))?;
    integer(out, EncodeInt::unsigned(0, 1))?;
    list(out, 2)?;
    integer(out, EncodeInt::unsigned(tag.into(), 2))?;
    body(out)?;
    let [low, high] = Checksum::X25.on_wire(&out[start..]);
    out.extend_from_slice(&[UNSIGNED | 3, low, high, 0x00]);
    Ok(())
}

fn entry(out: &mut Vec<u8>, entry: &EncodeEntry) -> Result<(), EncodeError> {
    list(out, 7)?;
    octets(out, &entry.obis.0)?;
    match entry.status {
        Some(status) => integer(out, status)?,
        None => absent(out),
    }
    time(out, entry.sec_index)?;
    match entry.unit {
        Some(unit) => integer(out, EncodeInt::unsigned(unit.0.into(), 1))?,
        None => absent(out),
    }
    match entry.scaler {
        Some(scaler) => integer(out, EncodeInt::signed(scaler.into(), 1))?,
        None => absent(out),
    }
    match &entry.value {
        EncodeValue::Int(value) => integer(out, *value)?,
        EncodeValue::Octets(value) => octets(out, value)?,
        EncodeValue::Absent => absent(out),
    }
    absent(out); // signature
    Ok(())
}

/// A time is a choice: here always seconds of operation, choice 1.
fn time(out: &mut Vec<u8>, sec_index: Option<u32>) -> Result<(), EncodeError> {
    let Some(seconds) = sec_index else {
        absent(out);
        return Ok(());
    };
    list(out, 2)?;
    integer(out, EncodeInt::unsigned(1, 1))?;
    integer(out, EncodeInt::unsigned(seconds.into(), 4))
}

fn absent(out: &mut Vec<u8>) {
    out.push(OCTETS | 1);
}

fn list(out: &mut Vec<u8>, count: usize) -> Result<(), EncodeError> {
    type_length(out, LIST, count, 0)
}

fn octets(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), EncodeError> {
    type_length(out, OCTETS, bytes.len(), 1)?;
    out.extend_from_slice(bytes);
    Ok(())
}

fn integer(out: &mut Vec<u8>, int: EncodeInt) -> Result<(), EncodeError> {
    let EncodeInt { value, width, signed } = int;
    if !(1..=8).contains(&width) {
        return Err(EncodeError::Width(width));
    }
    let bits = 8 * u32::from(width);
    let range =
        if signed { -(1_i128 << (bits - 1))..1_i128 << (bits - 1) } else { 0..1_i128 << bits };
    if !range.contains(&value) {
        return Err(EncodeError::Misfit { value, width, signed });
    }
    out.push(if signed { SIGNED } else { UNSIGNED } | (width + 1));
    out.extend_from_slice(&value.to_be_bytes()[16 - usize::from(width)..]);
    Ok(())
}

/// A type and a length of one to three bytes, each with four bits of the length. The length of
/// anything but a list counts these bytes themselves (`own` is 1).
fn type_length(out: &mut Vec<u8>, kind: u8, length: usize, own: usize) -> Result<(), EncodeError> {
    const MORE: u8 = 0x80;
    let size = (1..=3).find(|size| length + own * size < 1 << (4 * size));
    let (Some(size), true) = (size, length <= LONGEST) else {
        return Err(EncodeError::TooLong(length));
    };
    let total = length + own * size;
    for place in (0..size).rev() {
        let nibble = (total >> (4 * place)) as u8 & 0x0f;
        let kind = if place == size - 1 { kind } else { 0 };
        let more = if place > 0 { MORE } else { 0 };
        out.push(more | kind | nibble);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn telegram() -> Telegram {
        Telegram {
            server_id: vec![0x0a, 0x01, 0x49, 0x53, 0x4b, 0x00, 0x00, 0x00, 0x00, 0x01],
            file_id: 7,
            sec_index: Some(1234),
            list_name: Some(ObisCode([1, 0, 98, 10, 255, 255])),
            entries: vec![EncodeEntry {
                obis: ObisCode::POSITIVE_ENERGY,
                status: Some(EncodeInt::unsigned(0x1c_0104, 4)),
                sec_index: None,
                unit: Some(Unit::WATT_HOUR),
                scaler: Some(-1),
                value: EncodeValue::Int(EncodeInt::signed(123_456_789, 8)),
            }],
        }
    }

    #[test]
    fn bytes_as_the_standard_lays_them_out() {
        let bytes = encode(&telegram()).unwrap();
        assert!(bytes.starts_with(&[0x1b, 0x1b, 0x1b, 0x1b, 1, 1, 1, 1, 0x76, 0x06]));
        assert_eq!(bytes.len() % 4, 0);
        let [.., e1, e2, e3, e4, end, padding, low, high] = bytes.as_slice() else { panic!() };
        assert_eq!([*e1, *e2, *e3, *e4, *end], [0x1b, 0x1b, 0x1b, 0x1b, 0x1a]);
        assert!(*padding < 4);
        assert_eq!([*low, *high], Checksum::X25.on_wire(&bytes[..bytes.len() - 2]));
        let value = [0x59, 0, 0, 0, 0, 0x07, 0x5b, 0xcd, 0x15];
        assert!(bytes.windows(9).any(|w| w == value));
    }

    #[test]
    fn four_escape_bytes_in_data_become_eight() {
        for (run, wire) in [(3, 3), (4, 8), (5, 9), (7, 11), (8, 16)] {
            let bytes = wrap(&[vec![0x1b; run], vec![0]].concat());
            let end = bytes.iter().skip(8).take_while(|b| **b == 0x1b).count();
            assert_eq!(end, wire, "{run}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let fits = |value, width, signed| {
            integer(&mut Vec::new(), EncodeInt { value, width, signed }).is_ok()
        };
        assert!(fits(-32768, 2, true) && fits(32767, 2, true));
        assert!(!fits(-32769, 2, true) && !fits(32768, 2, true));
        assert!(fits(65535, 2, false) && !fits(65536, 2, false) && !fits(-1, 2, false));
        assert!(fits(u64::MAX.into(), 8, false) && !fits(u64::MAX.into(), 8, true));
        assert!(!fits(0, 0, true) && !fits(0, 9, true));
        let mut wrong = telegram();
        wrong.server_id = vec![0; 5000];
        assert_eq!(encode(&wrong), Err(EncodeError::TooLong(5000)));
    }

    #[test]
    fn lengths_of_one_two_and_three_bytes() {
        let octets_of = |n| {
            let mut out = Vec::new();
            octets(&mut out, &vec![9; n]).unwrap();
            out
        };
        assert_eq!(octets_of(14)[..2], [0x0f, 9]);
        assert_eq!(octets_of(15)[..3], [0x81, 0x01, 9]);
        assert_eq!(octets_of(253)[..3], [0x8f, 0x0f, 9]);
        assert_eq!(octets_of(254)[..4], [0x81, 0x80, 0x01, 9]);
        let mut out = Vec::new();
        list(&mut out, 20).unwrap();
        assert_eq!(out, [0xf1, 0x04]);
    }
}
