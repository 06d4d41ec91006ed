//! Reading an upload takes memory in proportion to what it unpacks to, and never more than what the
//! largest good one takes: also of bodies that repeat a piece a million times.

#![no_main]

use std::io::Write;

use allocation_counter::measure;
use ebp_server::read_upload;
use libfuzzer_sys::{arbitrary::{self, Arbitrary}, fuzz_target};

/// Octets for each octet of the body, and beside them.
const FOR_EACH: u64 = 16;
const BESIDE: u64 = 4 << 20;
/// Of any body.
const MOST: u64 = 40 << 20;

#[derive(Debug, Arbitrary)]
struct Body {
    open: String,
    piece: String,
    times: u16,
    close: String,
    packed: bool,
}

fuzz_target!(|body: Body| {
    let times = usize::from(body.times).min((24 << 20) / body.piece.len().max(1));
    let text = [body.open.as_str(), &body.piece.repeat(times), &body.close].concat();
    let text = text.as_bytes();
    let packed = body.packed.then(|| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text).and_then(|()| packed.finish()).unwrap()
    });
    let (sent, encoding) = match &packed {
        Some(packed) => (packed.as_slice(), Some("gzip")),
        None => (text, None),
    };
    let counted = measure(|| drop(std::hint::black_box(read_upload(sent, encoding))));
    let most = (FOR_EACH * text.len() as u64 + BESIDE).min(MOST);
    // A plain body is not received beyond its own bound.
    if body.packed || text.len() <= 4 << 20 {
        assert!(counted.bytes_max <= most, "{counted:?}, at most {most}");
    }
});
