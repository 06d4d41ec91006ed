//! Reading an upload takes memory in proportion to what it unpacks to, and never more than what the
//! largest good one takes: also of bodies that repeat a piece a million times.
//!
//! The first byte says how often and whether the body is packed; three lines are its beginning, the
//! piece and its end.

#![no_main]

use std::{hint::black_box, io::Write};

use allocation_counter::measure;
use ebp_server::read_upload;
use flate2::{Compression, write::GzEncoder};
use libfuzzer_sys::fuzz_target;

/// Octets for each octet of the body, and beside them.
const FOR_EACH: u64 = 16;
const BESIDE: u64 = 4 << 20;
/// Of any body.
const MOST: u64 = 40 << 20;

/// The longest body that is made, which is read as it is unpacked; and that is received as it is.
const LONGEST: usize = 6 << 20;
const LONGEST_PLAIN: usize = 4 << 20;

fuzz_target!(|input: &[u8]| {
    let Some((how, text)) = input.split_first() else { return };
    let mut lines = text.splitn(3, |byte| *byte == b'\n');
    let (open, piece) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let close = lines.next().unwrap_or_default();
    let packed = how & 1 == 1;
    let longest = if packed { LONGEST } else { LONGEST_PLAIN };
    let times = (1 << (how >> 3)).min(longest / piece.len().max(1));
    let body = [open, &piece.repeat(times), close].concat();
    let sent = if packed {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&body).unwrap();
        packed.finish().unwrap()
    } else {
        body.clone()
    };
    let encoding = packed.then_some("gzip");
    let counted = measure(|| drop(black_box(read_upload(&sent, encoding))));
    let most = (FOR_EACH * body.len() as u64 + BESIDE).min(MOST);
    assert!(counted.bytes_max <= most, "{counted:?}, at most {most}");
});
