//! Diagnoses text that stands for bytes.
//!
//! Enters: text in whatever form. Leaves: the cause within, where the form is certain; else that the
//! text may be of a form that is not known. Absent: forms, which [`crate::byte_text`] and
//! [`crate::hex_text`] read.
//!
//! A form that is read wrongly damages telegrams as a bad line does. So only what a right checksum
//! proves is said, unless the text is nothing but pairs of digits.

use memchr::memmem;

use super::{Cause, raw};
use crate::{
    byte_text::{self, Form},
    d0,
    decoder::{Decode, Event},
    hex_text,
    sml::frame::{Frame, START, frames},
};

/// The cause, if that is text of bytes; none where a telegram in it is whole and no other is damaged.
pub(super) fn diagnose(text: &[u8]) -> Option<Option<Cause>> {
    if !byte_text::is_text(text) {
        return None;
    }
    let usual = hex_text::undo(text);
    let forms = Form::ALL.map(|form| byte_text::undo(form, text));
    let ways = || usual.iter().chain(&forms);
    let has_start = || ways().any(|bytes| memmem::find(bytes, &START).is_some());
    if !(byte_text::is_byte_text(text) || hex_text::is_log(text) || has_start()) {
        return None;
    }
    if let Some(bytes) = ways().find(|bytes| has_telegram(bytes)) {
        return Some(raw::diagnose(bytes));
    }
    let proven = ways().filter_map(|bytes| raw::diagnose(bytes)).find(is_proven);
    if proven.is_some() {
        return Some(proven);
    }
    match usual {
        Some(bytes) if is_plain(text) => Some(raw::diagnose(&bytes)),
        _ => Some(Some(Cause::UnknownByteText)),
    }
}

/// Whether a telegram can be read.
fn has_telegram(bytes: &[u8]) -> bool {
    let mut registers = d0::Decoder::new();
    registers.push(bytes);
    registers.finish();
    let mut events = std::iter::from_fn(|| registers.next_event());
    frames(bytes).any(|frame: Frame<'_>| frame.is_whole())
        || events.any(|event| matches!(event, Event::Readout(_)))
}

/// Whether a checksum shows that cause.
const fn is_proven(cause: &Cause) -> bool {
    matches!(cause, Cause::LineEnds(_) | Cause::TabsExpanded | Cause::OtherProtocol(_))
}

/// Whether there is nothing but pairs of hexadecimal digits, or one row of them in each line.
fn is_plain(text: &[u8]) -> bool {
    let is_usual = |byte: &u8| byte.is_ascii_hexdigit() || b" \t\r\n,;:xX\0".contains(byte);
    if !text.iter().all(is_usual) {
        return false;
    }
    // Without any letter the numbers may be decimal.
    let has_letters =
        text.iter().any(|byte| byte.is_ascii_hexdigit() && byte.is_ascii_alphabetic());
    let is_between = |byte: &u8| !byte.is_ascii_hexdigit();
    let mut lines = text.split(|byte| matches!(byte, b'\r' | b'\n'));
    has_letters
        && lines.all(|line| {
            let words = || line.split(is_between).filter(|word| !word.is_empty());
            words().all(|word| word.len() <= 2) || words().count() == 1
        })
}
