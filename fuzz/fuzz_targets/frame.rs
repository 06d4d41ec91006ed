//! Framing in any pieces finds what framing at once finds, and loses no byte.

#![no_main]

use ebp_fuzz::{events, pieces::pieces};
use ebp_meter::{
    decoder::Event,
    readout::Integrity,
    sml::{
        Decoder,
        frame::{Frame, frames},
    },
};
use libfuzzer_sys::fuzz_target;

/// In the input this byte and a number stand for so many KiB of nothing, since frames are given up
/// after 64 of them and the fuzzer is slow at growing long inputs.
const LONG: u8 = 0xee;
const LONGEST: usize = 150_000;

fuzz_target!(|data: &[u8]| {
    let [how, compact @ ..] = data else { return };
    let bytes = expand(compact);
    let raw: Vec<u8> = frames(&bytes).flat_map(|frame| frame.raw).copied().collect();
    assert_eq!(raw, bytes);
    let at_once = events(Decoder::new(), [bytes.as_slice()]);
    assert_eq!(events(Decoder::new(), pieces(*how, &bytes)), at_once);
    // What is vouched for comes from a whole frame.
    let ok = |event: &Event| matches!(event, Event::Readout(r) if r.integrity == Integrity::Ok);
    if at_once.iter().any(ok) {
        assert!(frames(&bytes).any(|frame: Frame<'_>| frame.is_whole()));
    }
});

fn expand(compact: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(compact.len());
    let mut rest = compact.iter();
    while let Some(byte) = rest.next() {
        match (*byte, rest.as_slice().first()) {
            (LONG, Some(number)) if bytes.len() < LONGEST => {
                bytes.resize(bytes.len() + usize::from(number % 66) * 1024, 0x55);
                rest.next();
            }
            _ => bytes.push(*byte),
        }
    }
    bytes
}
