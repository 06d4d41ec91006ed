//! What the benchmarks of SML share: bytes, and the ways through them.
//!
//! Enters: the recordings of the published sml-rs crate. Leaves: a long stream of their good
//! telegrams, and what each implementation finds in it. Absent: measuring.

pub mod pipeline;

use std::sync::LazyLock;

use ebp_meter::sml::frame::{Frame, frames};
use ebp_testkit::recordings::dumps;

/// How long the stream is at least: far more than any cache holds.
const STREAM: usize = 100_000_000;

/// Every telegram of the recordings that is whole and that sml-rs reads without an error, in
/// order: the common ground.
pub fn telegrams() -> Vec<&'static [u8]> {
    let is_read = |raw: &[u8]| {
        let decoded = sml_rs::transport::decode(raw);
        let [Ok(data)] = decoded.as_slice() else { return false };
        sml_rs::parser::complete::parse(data).is_ok()
    };
    dumps()
        .iter()
        .flat_map(|(_, bytes)| frames(bytes))
        .filter(Frame::is_whole)
        .map(|frame| frame.raw)
        .filter(|raw| is_read(raw))
        .collect()
}

/// The good telegrams over and over, 100 MB of them. Each twentieth of it ends with a telegram.
pub fn stream() -> &'static [u8] {
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let once = telegrams().concat();
        once.repeat(STREAM.div_ceil(once.len()).next_multiple_of(20))
    });
    &BYTES
}
