//! The borrowed way from a stream's bytes to every entry asks for no memory, and the owned way for
//! little; counted by an allocator that stands before the system's.

#![allow(clippy::unwrap_used, reason = "a test")]

use allocation_counter::measure;
use ebp_meter::{
    decoder::{Decode, Event},
    sml::{
        Decoder,
        crc::Checksum,
        encode::wrap,
        frame::{Frame, frames},
        message::messages,
    },
};
use ebp_testkit::recordings::dumps;

/// Walks through a stream by the borrowed way: every checksum, every entry.
fn walk(bytes: &[u8], scratch: &mut Vec<u8>) -> (usize, usize) {
    let (mut lists, mut entries) = (0, 0);
    for frame in frames(bytes).filter(Frame::is_whole) {
        let mut messages = messages(frame.payload(scratch));
        while let Some(Ok(message)) = messages.next() {
            let end = match message.list_response() {
                Some(Ok(list)) => {
                    let mut all = list.entries();
                    entries += all.by_ref().flatten().count();
                    lists += 1;
                    all.end()
                }
                _ => message.end(),
            };
            let Some(end) = end else { break };
            std::hint::black_box(end.checked(Checksum::X25));
            messages.resume(&end);
        }
    }
    (lists, entries)
}

#[test]
fn nothing_is_allocated_for_the_good_telegrams_of_every_recording() {
    let bytes: Vec<u8> = dumps().iter().flat_map(|(_, bytes)| bytes).copied().collect();
    let mut scratch = Vec::new();
    let mut found = (0, 0);
    let counted = measure(|| found = walk(&bytes, &mut scratch));
    assert_eq!(found, (227, 1590));
    assert_eq!(counted.count_total, 0, "{} bytes", counted.bytes_total);
}

#[test]
fn an_escape_costs_one_allocation_and_no_more_thereafter() {
    let data = [&b"ab"[..], &[0x1b; 4], b"cd"].concat();
    let bytes = wrap(&data).repeat(100);
    let mut scratch = Vec::new();
    let unescape = |scratch: &mut Vec<u8>| {
        frames(&bytes).for_each(|frame| assert_eq!(frame.payload(scratch), data));
    };
    let first = measure(|| unescape(&mut scratch));
    assert!(first.count_total <= 2, "{first:?}");
    let again = measure(|| unescape(&mut scratch));
    assert_eq!(again.count_total, 0);
}

/// Each entry of octets, the two identities and the list of entries may cost one.
#[test]
fn an_owned_readout_costs_what_it_holds() {
    let (_, bytes) = dumps().iter().find(|(name, _)| name == "ISKRA_MT175_eHZ").unwrap();
    let mut decoder = Decoder::new();
    // The decoder's own buffers come with the first telegrams.
    decoder.push(bytes);
    while decoder.next_event().is_some() {}
    let (mut readouts, mut octets) = (0, 0);
    let counted = measure(|| {
        decoder.push(bytes);
        while let Some(event) = decoder.next_event() {
            if let Event::Readout(readout) = event {
                readouts += 1;
                octets += readout.entries.iter().filter(|e| e.exact().is_none()).count();
            }
        }
    });
    assert!(readouts > 5);
    let most = octets + 3 * readouts + 4;
    assert!(counted.count_total <= most as u64, "{counted:?}, at most {most}");
    assert_eq!(counted.count_current, 0, "nothing is kept");
}
