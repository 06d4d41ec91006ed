//! Recognises text that is no telegram: an echo, a web server, a bridge's message, a meter's
//! identification.

use super::Cause;
use crate::d0::Identification;

/// How much of a line is repeated.
const LONGEST_WORDS: usize = 120;
/// The least that may be called words.
const LEAST_LETTERS: usize = 3;

pub(super) fn diagnose(bytes: &[u8]) -> Option<Cause> {
    // With parity bits or without.
    let text: Vec<u8> = bytes.iter().map(|byte| byte & 0x7f).collect();
    let (rest, asked) = without_echo(&text);
    if asked && rest.iter().all(|byte| is_filling(*byte)) {
        return Some(Cause::OwnEcho);
    }
    if is_web(bytes) {
        return Some(Cause::WebServer);
    }
    if let Some(manufacturer) = name_alone(&rest) {
        return Some(Cause::Named { manufacturer });
    }
    words(bytes).map(Cause::Words)
}

/// What a head sends in place of nothing, and line ends.
const fn is_filling(byte: u8) -> bool {
    matches!(byte, 0 | 0x7f | b'\r' | b'\n')
}

/// The text without requests (`/?…!`) and acknowledgements (`ACK 050`), and whether there was a
/// request.
fn without_echo(text: &[u8]) -> (Vec<u8>, bool) {
    let (mut rest, mut asked, mut left) = (Vec::with_capacity(text.len()), false, text);
    while let Some((&first, behind)) = left.split_first() {
        left = match (first, behind) {
            (b'/', [b'?', address @ ..]) => {
                let end = address.iter().take(33).position(|byte| *byte == b'!');
                match end {
                    Some(end) => {
                        asked = true;
                        &address[end + 1..]
                    }
                    None => {
                        rest.push(first);
                        behind
                    }
                }
            }
            (0x06, [b'0', b'0'..=b'9', b'0', behind @ ..]) => behind,
            _ => {
                rest.push(first);
                behind
            }
        };
    }
    (rest, asked)
}

fn is_web(bytes: &[u8]) -> bool {
    let begins = |with: &[u8]| {
        let start = bytes.trim_ascii_start();
        start.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    // An alert of TLS is what a server of https answers to anything but its own language.
    let is_alert = matches!(bytes, [0x15, 0x03, 0..=4, 0, 2, ..]);
    is_alert || [&b"HTTP/"[..], b"<!DOCTYPE html", b"<html"].into_iter().any(begins)
}

/// The maker, where a meter's name stands in the text and no register.
fn name_alone(text: &[u8]) -> Option<String> {
    if text.contains(&b'(') {
        return None;
    }
    // A name stands at the beginning of a line, or behind noise.
    let begins = |at: &usize| *at == 0 || !matches!(text[at - 1], b' '..=b'~');
    let mut names = memchr::memchr_iter(b'/', text).filter(begins).filter_map(|at| {
        let behind = &text[at + 1..];
        let end = memchr::memchr(b'\n', behind)?;
        Identification::parse(behind[..end].trim_ascii_end())
    });
    names.next().map(|identification| identification.manufacturer.to_string())
}

/// Whether the line has a register's value, in brackets behind an address of digits.
pub(super) fn is_register(line: &str) -> bool {
    line.split_once('(').is_some_and(|(address, value)| {
        address.contains(|c: char| c.is_ascii_digit()) && value.contains(')')
    })
}

/// The last line of text.
fn words(bytes: &[u8]) -> Option<String> {
    let text = str::from_utf8(bytes).ok()?;
    let is_readable = |c: char| !c.is_control() || matches!(c, '\r' | '\n' | '\t' | '\0');
    if !text.chars().all(is_readable) {
        return None;
    }
    let mut lines = text.split(['\r', '\n', '\0']);
    if lines.clone().any(is_register) {
        return None;
    }
    let has_letters =
        |line: &&str| line.chars().filter(|c| c.is_alphabetic()).count() >= LEAST_LETTERS;
    let line = lines.rfind(has_letters)?.trim();
    let shown = |c: char| match c {
        // It stands in quotation marks.
        '"' => '\'',
        ' '..='~' => c,
        c if c.is_alphanumeric() => c,
        '\t' => ' ',
        _ => '?',
    };
    let mut words: String = line.chars().take(LONGEST_WORDS).map(shown).collect();
    if line.chars().count() > LONGEST_WORDS {
        words.push_str(" ...");
    }
    // Text without spaces is as likely data, such as the digits of a telegram.
    let is_data = !line.contains(' ') && line.len() > 40;
    (!is_data).then_some(words)
}
