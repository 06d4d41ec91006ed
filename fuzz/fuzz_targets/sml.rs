//! Any bytes are decoded without a panic, and into no more than they can hold.

#![no_main]

use ebp_fuzz::{events, referee::mend_checksums};
use ebp_meter::{
    decoder::{Event, Noise},
    readout::{Readout, Value},
    sml::{Decoder, encode::wrap},
};
use libfuzzer_sys::fuzz_target;

/// An entry is a list of at least six elements of a byte each, and an OBIS code.
const SMALLEST_ENTRY: usize = 13;
/// A list response in a frame.
const SMALLEST_LIST: usize = 10;

fuzz_target!(|data: &[u8]| {
    // The first byte says behind how many right checksums the rest stands.
    let [how, bytes @ ..] = data else { return };
    let mut bytes = bytes.to_vec();
    if how % 3 == 2 {
        mend_checksums(&mut bytes);
    }
    if how % 3 > 0 {
        bytes = wrap(&bytes);
    }
    let (mut entries, mut octets, mut noise, mut lists) = (0, 0, 0, 0);
    for event in events(Decoder::new(), [bytes.as_slice()]) {
        match event {
            Event::Readout(readout) => {
                look(&readout);
                assert!(readout.bytes <= bytes.len());
                lists += 1;
                entries += readout.entries.len();
                octets += readout.entries.iter().map(|entry| size(&entry.value)).sum::<usize>();
            }
            Event::Noise(
                Noise::Garbage { bytes }
                | Noise::WrongChecksum { bytes }
                | Noise::Unreadable { bytes, .. },
            ) => noise += bytes,
            Event::Noise(Noise::SevenBitLine) => {}
        }
    }
    assert!(noise <= bytes.len());
    assert!(lists * SMALLEST_LIST <= bytes.len());
    assert!(entries * SMALLEST_ENTRY + octets <= bytes.len() + entries);
});

fn size(value: &Value) -> usize {
    match value {
        Value::Octets(octets) => octets.len(),
        _ => 0,
    }
}

/// What every reader of a readout does with it.
fn look(readout: &Readout) {
    let _ = (readout.survey(), readout.is_detailed(), format!("{readout:?}"));
    for entry in &readout.entries {
        let _ = (entry.exact(), entry.readable());
    }
}
