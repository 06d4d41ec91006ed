//! Reading an upload takes memory in proportion to what it unpacks to, and never more than the
//! largest good one does; counted by an allocator that stands before the system's.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::Write;

use allocation_counter::measure;
use ebp_core::contract::limits;
use ebp_server::{ApiError, read_upload};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

/// Octets for each octet of the body, and beside them: what is unpacked before it is read.
const FOR_EACH: usize = 16;
const BESIDE: usize = 4 << 20;

/// Of any body.
const MOST: usize = 40 << 20;

/// A body of repeated pieces.
fn body(open: &str, piece: &str, times: usize, close: &str) -> Vec<u8> {
    [open, &piece.repeat(times), close].concat().into_bytes()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(body).unwrap();
    packed.finish().unwrap()
}

type Read = Result<(usize, usize), ApiError>;

/// Reads it as it is where that is not refused by its length, and packed; returns how much memory it
/// took at most, and what came of it.
fn read(body: &[u8]) -> Vec<(usize, Read)> {
    let (gzip, zstd) = (gzip(body), zstd::bulk::compress(body, 1).unwrap());
    let mut all = vec![(gzip.as_slice(), Some("gzip")), (zstd.as_slice(), Some("zstd"))];
    if body.len() <= limits::UPLOAD_BYTES {
        all.push((body, None));
    }
    all.into_iter()
        .map(|(sent, encoding)| {
            let mut read = None;
            let counted = measure(|| read = Some(read_upload(sent, encoding)));
            (usize::try_from(counted.bytes_max).unwrap(), read.unwrap())
        })
        .collect()
}

fn bound(body: &[u8]) -> usize {
    (FOR_EACH * body.len() + BESIDE).min(MOST)
}

#[test]
fn what_is_refused_takes_little() {
    let deep = format!("{}{},", "[".repeat(16), "]".repeat(16));
    let members: String = (0..10_000).map(|i| format!("\"m{i}\":0,")).collect();
    let list = "{\"measurements\":[";
    for (name, body) in [
        ("two million objects", body(list, "{\"a\":0},", 2_000_000, "0]}")),
        ("490,000 arrays 16 deep", body(list, &deep, 490_000, "0]}")),
        ("eight million numbers", body(list, "0,", 8_000_000, "0]}")),
        ("a string of 200 MB", body("{\"measurements\":[\"", "a", 200_000_000, "\"]}")),
        ("10,000 members", body("{\"measurements\":[{", &members, 1, "\"m\":0}]}")),
        ("a million members", body("{", "\"a\":0,", 1_000_000, "\"b\":0}")),
        ("a name of 30 MB", body("{\"", "a", 30_000_000, "\":0}")),
        ("a number of 30 MB", body(list, "1", 30_000_000, "]}")),
        ("30 MB of brackets", body(list, "[", 30_000_000, "")),
        ("30 MB of blanks", body(list, " ", 30_000_000, "]}")),
        ("a string instead of an object", body("\"", "a", 30_000_000, "\"")),
    ] {
        for (most, read) in read(&body) {
            println!("{name}: {most}");
            assert!(read.is_err(), "{name}");
            assert!(most <= 8 << 20, "{name}: {most}");
        }
    }
}

/// The most that a good one can take: as many measurements as it may have, with as many data points
/// as fit.
#[test]
fn the_largest_good_one_is_bounded_too() {
    let item = |points: usize| {
        let points = vec!["{\"0100010800ff\":1}"; points].join(",");
        format!(
            "{{\"uuid\":\"00000000-0000-0000-0000-000000000001\",\"meter\":\
             \"00000000-0000-0000-0000-000000000002\",\"measured_at\":\"2026-01-31T12:00:00Z\",\
             \"data\":[{points}]}}"
        )
    };
    let body = body(
        "{\"measurements\":[",
        &format!("{},", item(limits::DATA_POINTS)),
        limits::UPLOAD_ITEMS - 1,
        &format!("{}]}}", item(1)),
    );
    assert!(body.len() < limits::UPLOAD_UNPACKED_BYTES, "{}", body.len());
    for (most, read) in read(&body) {
        assert_eq!(read.unwrap(), (limits::UPLOAD_ITEMS, body.len()));
        assert!(most <= MOST, "{most}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn memory_is_in_proportion_to_the_body(
        open in "(\\{\"measurements\":\\[|[\\[\\{\"a:,0]{0,8})",
        piece in "[\\[\\]{}\":,0a\\\\ ]{1,12}",
        times in 0..60_000_usize,
        close in "[\\]}\"]{0,4}",
    ) {
        let body = body(&open, &piece, times, &close);
        for (most, _) in read(&body) {
            prop_assert!(most <= bound(&body), "{} of {}", most, body.len());
        }
    }
}
