//! What the fuzz targets share. `docs/src/fuzzing.md` says what each of them holds.
//!
//! Enters: what the fuzzer made up. Leaves: telegrams, streams in pieces, verdicts. Absent: the
//! targets themselves.

#![forbid(unsafe_code)]

pub mod pieces;
pub mod referee;
pub mod telegram;

use ebp_meter::decoder::{Decode, Event};

/// Every event of a stream that comes in these pieces and ends.
pub fn events<'a>(
    mut decoder: impl Decode,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Event> {
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        events.extend(std::iter::from_fn(|| decoder.next_event()));
    }
    decoder.finish();
    events.extend(std::iter::from_fn(|| decoder.next_event()));
    events
}
