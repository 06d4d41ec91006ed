//! What a program writes before a line's bytes: when, where from, how far.
//!
//! Enters: a line. Leaves: the line behind all that. Absent: offsets, which look like bytes.

use super::digits::bytes_of;

/// Before bytes; the longer ones first.
const MARKS: [&str; 8] = ["<<<", "->", "=>", "<-", ">", "<", ":", "="];
/// Before bytes that were sent.
const SENT: &str = ">>>";
/// Among so many words at the beginning a time is looked for: `Dec 01 12:00:00 host`.
const FIRST_WORDS: usize = 4;

/// The line's bytes and what follows them; nothing of bytes that were sent.
pub(super) fn behind_prefix(line: &str) -> &str {
    let mut rest = line.trim_start();
    loop {
        let before = rest.len();
        rest = without_colour(rest).trim_start();
        if rest.starts_with(SENT) {
            return "";
        }
        if let Some(behind) = MARKS.iter().find_map(|mark| rest.strip_prefix(mark)) {
            rest = behind.trim_start();
        } else if let Some(behind) = behind_bracket(rest) {
            rest = behind.trim_start();
        } else if let Some(behind) = behind_time(rest) {
            rest = behind.trim_start_matches([' ', '\t', ',', ';']);
        } else if let Some(behind) = behind_label(rest) {
            rest = behind.trim_start();
        }
        if rest.len() == before {
            return rest;
        }
    }
}

/// A terminal's colours.
fn without_colour(rest: &str) -> &str {
    let Some(code) = rest.strip_prefix("\u{1b}[") else { return rest };
    let digits = code.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
    digits.strip_prefix('m').unwrap_or(digits)
}

/// Behind a bracket that holds no list.
fn behind_bracket(rest: &str) -> Option<&str> {
    const FEW: usize = 3;
    let (inside, behind) = rest.strip_prefix('[')?.split_once(']')?;
    let is_usual = |c: char| c.is_ascii_hexdigit() || " ,x'\"".contains(c);
    let words = inside.split([' ', ',']).filter(|word| !word.is_empty()).count();
    let is_list = inside.chars().all(is_usual) && words >= FEW;
    (!is_list).then_some(behind)
}

/// Behind the last of dates, times and seconds among the first words.
fn behind_time(rest: &str) -> Option<&str> {
    let (mut end, mut at) = (None, 0);
    for word in rest.split_inclusive([' ', '\t', ',', ';']).take(FIRST_WORDS) {
        at += word.len();
        let word = word.trim_end_matches([' ', '\t', ',', ';', ':']);
        if is_time(word) {
            end = Some(at);
        }
    }
    rest.get(end?..).filter(|behind| !behind.is_empty())
}

/// Whether that is a date, a time of day, both, or seconds with a fraction.
fn is_time(word: &str) -> bool {
    let starts_with_digit = word.starts_with(|c: char| c.is_ascii_digit());
    let is_usual = |c: char| c.is_ascii_digit() || ":.-/+TZ".contains(c);
    if !starts_with_digit || !word.chars().all(is_usual) {
        return false;
    }
    let parts: Vec<&str> = word.split([':', '.', '-', '/', '+', 'T', 'Z']).collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let is_clock = matches!(lengths[..], [1 | 2, 2, ..]) && word.contains(':') && parts.len() <= 5;
    let is_date = matches!(lengths[..], [4, 2, 2, ..] | [1 | 2, 1 | 2, 4, ..]);
    let is_seconds = matches!(lengths[..], [1..=10, 1..=12]) && word.contains('.');
    is_clock || is_date || is_seconds
}

/// Behind the first of a few words that ends with a colon and is no offset, or behind `RX`, `read`.
fn behind_label(rest: &str) -> Option<&str> {
    let mut at = 0;
    for word in rest.split_inclusive([' ', '\t']).take(FIRST_WORDS) {
        at += word.len();
        let word = word.trim_end();
        let digits = word.trim_end_matches(':');
        let is_word = digits.chars().any(|c| c.is_alphabetic() && !c.is_ascii_hexdigit());
        let is_label = is_word && word.ends_with([':', '>']);
        if is_label || (at == word.len() + 1 && is_direction(word)) {
            return rest.get(at..).filter(|behind| !behind.trim().is_empty());
        }
        if bytes_of(word).is_some() && digits.len().is_multiple_of(2) {
            return None;
        }
    }
    None
}

/// How programs name what was received.
fn is_direction(word: &str) -> bool {
    ["rx", "recv", "received", "read", "in"].iter().any(|name| word.eq_ignore_ascii_case(name))
}
