//! ASCII registers: from bytes to readouts.
//!
//! Enters: telegrams after the makers' manuals. Leaves: bytes per second. Absent: a rival; a line
//! at 9600 baud brings 960 bytes a second.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::hint::black_box;

use divan::{Bencher, counter::BytesCount};
use ebp_meter::{
    d0::Decoder,
    decoder::{Decode, Event},
};

/// An eBZ DD3 of type OD as its maker's manual prints it.
const TELEGRAM: &[u8] = b"/EBZ5DD3BZ06ETA_107\r\n\r\n\
    1-0:0.0.0*255(1EBZ0100000000)\r\n1-0:96.1.0*255(1EBZ0100000000)\r\n\
    1-0:1.8.0*255(000125.25688570*kWh)\r\n1-0:16.7.0*255(000259.20*W)\r\n\
    1-0:36.7.0*255(000075.18*W)\r\n1-0:56.7.0*255(000092.34*W)\r\n\
    1-0:76.7.0*255(000091.68*W)\r\n1-0:32.7.0*255(232.4*V)\r\n1-0:52.7.0*255(231.7*V)\r\n\
    1-0:72.7.0*255(233.7*V)\r\n1-0:96.5.0*255(001C0104)\r\n0-0:96.8.0*255(000D8652)\r\n!\r\n";

/// About 1 MB.
const TELEGRAMS: usize = 2500;

fn main() {
    divan::main();
}

#[divan::bench]
fn owned_readouts(bencher: Bencher<'_, '_>) {
    let bytes = TELEGRAM.repeat(TELEGRAMS);
    bencher.counter(BytesCount::of_slice(&bytes)).bench_local(|| {
        let mut decoder = Decoder::new();
        let mut readouts = 0;
        for piece in black_box(&bytes).chunks(4096) {
            decoder.push(piece);
            while let Some(event) = decoder.next_event() {
                readouts += usize::from(matches!(black_box(event), Event::Readout(_)));
            }
        }
        assert_eq!(readouts, TELEGRAMS);
    });
}

/// Noise has to be cheap, too: a line with another protocol on it is nothing else.
#[divan::bench]
fn another_protocol(bencher: Bencher<'_, '_>) {
    let bytes: Vec<u8> =
        (0..1_000_000_u32).map(|n| (n.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
    bencher.counter(BytesCount::of_slice(&bytes)).bench_local(|| {
        let mut decoder = Decoder::new();
        decoder.push(black_box(&bytes));
        std::iter::from_fn(|| decoder.next_event()).count()
    });
}
