//! Any ASCII is decoded without a panic, in pieces as at once, and into no more than it can hold.

#![no_main]

use ebp_fuzz::{events, pieces::pieces};
use ebp_meter::{
    d0::{Decoder, Dialogue},
    decoder::Event,
};
use libfuzzer_sys::fuzz_target;

/// The shortest register: `C.1(`, without more, is none.
const SMALLEST_ENTRY: usize = 3;

fuzz_target!(|data: &[u8]| {
    let [how, bytes @ ..] = data else { return };
    let at_once = events(Decoder::new(), [bytes]);
    assert_eq!(events(Decoder::new(), pieces(*how, bytes)), at_once);
    let mut entries = 0;
    for event in &at_once {
        let Event::Readout(readout) = event else { continue };
        assert!(readout.bytes <= bytes.len());
        assert!(!readout.entries.is_empty());
        entries += readout.entries.len();
        let _ = (readout.survey(), readout.is_detailed(), format!("{readout:?}"));
    }
    assert!(entries * SMALLEST_ENTRY <= bytes.len());
    let _ = Dialogue::new(how % 2 == 0).push(bytes);
});
