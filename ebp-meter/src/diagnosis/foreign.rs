//! Recognises undamaged data of other kinds than this program reads: frames of other protocols, and
//! values that somebody has decoded already.
//!
//! Enters: bytes without a telegram. Leaves: what they are, where their own checksums or their form
//! prove it. Absent: what they mean.

use std::borrow::Cow;

use super::{Cause, OtherProtocol, text::is_register};
use crate::sml::crc::Checksum;

/// So many lines with values are no accident.
const FEW: usize = 3;
/// So many values in JSON are no bridge's error.
const LEAST_VALUES: usize = 2;
/// A character of UTF-8 has so many bytes at most behind its first.
const LONGEST_REST: usize = 3;

pub(super) fn diagnose(bytes: &[u8]) -> Option<Cause> {
    if has_hdlc(bytes) {
        return Some(Cause::OtherProtocol(OtherProtocol::Hdlc));
    }
    if has_mbus(bytes) {
        return Some(Cause::OtherProtocol(OtherProtocol::MBus));
    }
    is_decoded(bytes).then_some(Cause::DecodedText)
}

/// Whether there is an HDLC frame (IEC 62056-46) with its checksum right, or the header of one with
/// its own.
fn has_hdlc(bytes: &[u8]) -> bool {
    const FLAG: u8 = 0x7e;
    memchr::memchr_iter(FLAG, bytes).any(|flag| {
        let behind = &bytes[flag + 1..];
        // The format type 3, the segmentation bit, and eleven bits of the length.
        let [high @ 0xa0..=0xaf, low, ..] = *behind else { return false };
        let length = usize::from(high & 0x07) << 8 | usize::from(low);
        let Some(header) = header_of_hdlc(behind) else { return false };
        if length < header + 2 {
            return false;
        }
        let is_right = |length: usize| {
            behind.get(..length).and_then(<[u8]>::split_last_chunk).is_some_and(
                |(covered, wire): (_, &[u8; 2])| Checksum::X25.on_wire(covered) == *wire,
            )
        };
        match behind.get(length) {
            Some(&end) => end == FLAG && is_right(length),
            // The recording ends within it.
            None => is_right(header + 2),
        }
    })
}

/// How long the format, the two addresses and the control byte are. The last byte of an address is
/// odd.
fn header_of_hdlc(frame: &[u8]) -> Option<usize> {
    const LONGEST_ADDRESS: usize = 4;
    let mut at = 2;
    for _ in 0..2 {
        let rest = frame.get(at..)?;
        at += 1 + rest.iter().take(LONGEST_ADDRESS).position(|byte| byte & 1 == 1)?;
    }
    Some(at + 1)
}

/// Whether there is a long frame of M-Bus (EN 13757-2) with its checksum right, or the beginning of
/// one that the recording's end cuts off.
fn has_mbus(bytes: &[u8]) -> bool {
    const BEGIN: u8 = 0x68;
    const END: u8 = 0x16;
    /// Control, address and the kind of what follows.
    const LEAST: u8 = 3;
    memchr::memchr_iter(BEGIN, bytes).any(|at| {
        let [BEGIN, length, again, BEGIN, data @ ..] = &bytes[at..] else { return false };
        if length != again || *length < LEAST {
            return false;
        }
        let length = usize::from(*length);
        match (data.get(..length), data.get(length..length + 2)) {
            (Some(data), Some(end)) => {
                let sum = data.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
                *end == [sum, END]
            }
            // SND_UD of DLMS meters, RSP_UD of others.
            _ => matches!(data, [0x53 | 0x73 | 0x08 | 0x18 | 0x28 | 0x38, ..]),
        }
    })
}

/// Whether it is text with values in it: JSON, or lines of a name and a number.
fn is_decoded(bytes: &[u8]) -> bool {
    let Some(text) = whole_text(bytes) else { return false };
    if text.split(['\r', '\n']).any(is_register) {
        return false;
    }
    if json_values(&text) >= LEAST_VALUES {
        return true;
    }
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // A recording begins and ends anywhere.
    let whole = lines.get(1..lines.len().saturating_sub(1)).unwrap_or_default();
    let valued = whole.iter().filter(|line| is_named_value(line)).count();
    valued >= FEW && valued * 3 >= whole.len() * 2
}

/// The text, if the bytes are printable UTF-8, without what is cut off at both ends.
fn whole_text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let is_rest = |byte: &&u8| **byte & 0xc0 == 0x80;
    let cut = bytes.iter().take(LONGEST_REST).take_while(is_rest).count();
    let bytes = &bytes[cut..];
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            str::from_utf8(&bytes[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let is_readable = |c: char| !c.is_control() || matches!(c, '\r' | '\n' | '\t' | '\0');
    text.chars().all(is_readable).then(|| text.replace('\0', "").into())
}

/// How many numbers there are in values of JSON, of which each line is one, or all of it.
fn json_values(text: &str) -> usize {
    let count = |text: &str| {
        let begins = text.trim_start().starts_with(['{', '[']);
        let value = begins.then(|| serde_json::from_str::<serde_json::Value>(text).ok()).flatten();
        value.filter(serde_json::Value::is_object).map_or(0, |value| numbers(&value))
    };
    match count(text) {
        0 => text.lines().map(count).sum(),
        all => all,
    }
}

/// How many numbers are in it, also those that stand in quotation marks.
fn numbers(value: &serde_json::Value) -> usize {
    use serde_json::Value::{Array, Number, Object, String};
    match value {
        Number(_) => 1,
        String(text) => usize::from(!text.is_empty() && text.parse::<f64>().is_ok()),
        Array(values) => values.iter().map(numbers).sum(),
        Object(members) => members.values().map(numbers).sum(),
        _ => 0,
    }
}

/// Whether the line has a word that is no digits of a byte, or the code of a register, and a number
/// behind it.
fn is_named_value(line: &str) -> bool {
    let is_separator = |c: char| c.is_whitespace() || "=:#;,|()[]\"'<>".contains(c);
    let mut named = false;
    for word in line.split(is_separator).filter(|word| !word.is_empty()) {
        if named && word.parse::<f64>().is_ok() {
            return true;
        }
        let is_code =
            word.matches('.').count() >= 2 && word.starts_with(|c: char| c.is_ascii_digit());
        let letters = word.chars().filter(|c| c.is_alphabetic() && !c.is_ascii_hexdigit());
        named |= is_code || letters.count() > 1;
    }
    false
}
