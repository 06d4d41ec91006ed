//! What the tests of SML share: recordings of real meters, telegrams built byte by byte, and
//! strategies for any telegram.

#![allow(clippy::unwrap_used, reason = "tests")]

pub mod any;
pub mod build;

use ebp_meter::{
    Readout,
    decoder::{Decode, Event, Noise},
    sml::Decoder,
};

/// Every event of a stream that comes at once and ends.
pub fn events(bytes: &[u8]) -> Vec<Event> {
    events_of_pieces([bytes])
}

/// Every event of a stream that comes in pieces and ends.
pub fn events_of_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = Decoder::new();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        events.extend(std::iter::from_fn(|| decoder.next_event()));
    }
    decoder.finish();
    events.extend(std::iter::from_fn(|| decoder.next_event()));
    events
}

/// The same, told apart.
pub fn decode(bytes: &[u8]) -> (Vec<Readout>, Vec<Noise>) {
    let (mut readouts, mut noise) = (Vec::new(), Vec::new());
    for event in events(bytes) {
        match event {
            Event::Readout(readout) => readouts.push(readout),
            Event::Noise(n) => noise.push(n),
        }
    }
    (readouts, noise)
}
