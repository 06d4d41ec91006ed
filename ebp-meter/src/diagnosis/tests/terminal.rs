//! Recordings by `cat` from a line that was not made raw.

use super::*;

const COOKED: &[u8] = include_bytes!("../../../tests/damaged/s01_lgz_cooked.raw");
const NO_LINES: &[u8] = include_bytes!("../../../tests/damaged/s01_lgz_nocanon.raw");

#[test]
fn recordings_through_a_terminal() {
    for recording in [COOKED, NO_LINES] {
        assert_eq!(diagnose(recording), Some(Cause::TerminalEdits));
        assert_eq!(diagnose(&recording[100..]), Some(Cause::TerminalEdits));
    }
}

/// What `isig` makes of it when the reader comes every so many bytes: a key drops what was not yet read.
fn edited(stream: &[u8], every: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for unread in stream.chunks(every) {
        let mut left = Vec::new();
        for &byte in unread {
            match byte {
                0x03 | 0x1a | 0x1c => left.clear(),
                0x11 | 0x13 => {}
                b'\r' => left.push(b'\n'),
                other => left.push(other),
            }
        }
        out.extend(left);
    }
    out
}

#[test]
fn keys_are_dropped_with_what_was_unread() {
    let stream: Vec<u8> = (1..20).map(|count| telegram(count, 14)).collect::<Vec<_>>().concat();
    for every in [1, 7, 32] {
        let found = diagnose(&edited(&stream, every));
        assert_eq!(found, Some(Cause::TerminalEdits), "{every}");
    }
}

/// `stty -icanon -isig` is half raw: XON and XOFF are dropped, and CR becomes LF.
#[test]
fn flow_control_is_dropped() {
    let with = |wanted: u8| {
        let has = move |t: &Vec<u8>| t.iter().filter(|byte| [0x11, 0x13].contains(*byte)).count();
        let is_inside = move |t: &Vec<u8>| t[..t.len() - 8].contains(&wanted);
        (1..900).map(|count| telegram(count, 9)).find(move |t| is_inside(t) && has(t) == 1)
    };
    for wanted in [0x11, 0x13] {
        let telegram = with(wanted).unwrap();
        let dropped: Vec<u8> = telegram.iter().copied().filter(|b| *b != wanted).collect();
        assert_eq!(diagnose(&dropped.repeat(4)), Some(Cause::TerminalEdits), "{wanted:02x}");
    }
}

#[test]
fn a_block_check_through_a_terminal() {
    let text: Vec<u8> = PAFAL
        .iter()
        .filter(|byte| **byte != 0x03)
        .map(|byte| if *byte == b'\r' { b'\n' } else { *byte })
        .collect();
    assert_eq!(diagnose(&text), Some(Cause::TerminalEdits));
}

/// Their pieces have no end either, but are well-formed.
#[test]
fn a_buffer_is_no_terminal() {
    let is_key = |byte: &u8| [0x03, 0x0d, 0x11, 0x13, 0x1a, 0x1c].contains(byte);
    let mut tried = 0;
    for size in 40..200 {
        let mut beginnings = (1..60).map(|count| telegram(count, 3)[..size].to_vec());
        let Some(beginning) = beginnings.find(|bytes| !bytes.iter().any(is_key)) else { break };
        let found = diagnose(&beginning.repeat(6));
        assert_ne!(found, Some(Cause::TerminalEdits), "{size}");
        tried += 1;
    }
    assert!(tried > 20, "{tried}");
}
