//! Whole pipelines from a stream's bytes to every entry's value, ours and sml-rs'.
//!
//! Enters: a stream. Leaves: [`Found`], alike for all of them, so that none can be fast by
//! leaving something out. Absent: measuring.

use std::hint::black_box;

use ebp_meter::{
    canonical::{KnownRegisters, Pinned, choose},
    decoder::{Decode, Event},
    sml::{
        Decoder,
        crc::Checksum,
        frame::{State, frames},
        message::messages,
    },
};
use sml_rs::{
    SmlReader,
    parser::{
        complete::{File, MessageBody},
        streaming::{ParseEvent, Parser},
    },
};

/// What was found in a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// Lists of values.
    pub lists: usize,
    /// Their entries.
    pub entries: usize,
}

/// A way from bytes to entries.
pub type Pipeline = fn(&[u8]) -> Found;

/// Ours, borrowed, with the frame's checksum and every message's.
pub fn both_checksums(bytes: &[u8]) -> Found {
    borrowed::<true>(bytes)
}

/// Ours, borrowed, with the frame's checksum alone, which covers all that the others do.
pub fn outer_checksum(bytes: &[u8]) -> Found {
    borrowed::<false>(bytes)
}

fn borrowed<const INNER: bool>(bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let mut scratch = Vec::new();
    for frame in frames(bytes) {
        let State::Whole(checksum) = frame.state else { continue };
        let mut messages = messages(frame.payload(&mut scratch));
        while let Some(Ok(message)) = messages.next() {
            let end = match message.list_response() {
                Some(Ok(list)) => {
                    let mut entries = list.entries();
                    let mut count = 0;
                    while let Some(Ok(entry)) = &entries.next() {
                        black_box(entry);
                        count += 1;
                    }
                    found.lists += 1;
                    found.entries += count;
                    entries.end()
                }
                _ => message.end(),
            };
            let Some(end) = end else { break };
            assert!(!INNER || end.checked(checksum).is_some(), "these telegrams are good");
            messages.resume(&end);
        }
    }
    found
}

/// Ours as the program uses it: owned readouts, quirks put right, the survey's registers chosen, from
/// pieces of 4 KiB.
pub fn readouts(bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let mut decoder = Decoder::new();
    let (known, pinned) = (KnownRegisters::default(), Pinned::new());
    for piece in bytes.chunks(4096) {
        decoder.push(piece);
        while let Some(event) = decoder.next_event() {
            if let Event::Readout(readout) = black_box(event) {
                black_box(choose(&readout, &known, &pinned));
                found.lists += 1;
                found.entries += readout.entries.len();
            }
        }
    }
    found
}

/// sml-rs without allocations: its transport decoder and its streaming parser.
pub fn sml_rs_streaming(bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let mut reader = SmlReader::from_slice(bytes);
    while let Some(Ok(parser)) = reader.next::<Parser<'_>>() {
        for event in parser.flatten() {
            match black_box(&event) {
                ParseEvent::GetListResponseEnd(_) => found.lists += 1,
                ParseEvent::ListEntry(_) => found.entries += 1,
                ParseEvent::MessageStart(_) => {}
            }
        }
    }
    found
}

/// sml-rs with owned lists: its transport decoder and its complete parser.
pub fn sml_rs_complete(bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let mut reader = SmlReader::from_slice(bytes);
    while let Some(Ok(file)) = reader.next::<File<'_>>() {
        for message in &black_box(file).messages {
            if let MessageBody::GetListResponse(list) = &message.message_body {
                found.lists += 1;
                found.entries += list.val_list.len();
            }
        }
    }
    found
}

/// The checksum alone, over pieces as long as a telegram.
pub fn checksum_alone(bytes: &[u8]) -> u16 {
    bytes.chunks(300).fold(0, |all, piece| all ^ Checksum::X25.compute(piece))
}
