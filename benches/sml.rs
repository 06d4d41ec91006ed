//! SML beside sml-rs over the same bytes, in one process.
//!
//! `cargo bench -p ebp-meter --bench sml` measures every pipeline by itself and then all of them
//! in turn, part after part, so that the ratios do not depend on what else the machine did
//! meanwhile. Enters: 100 MB of good telegrams. Leaves: bytes per second and ratios. Absent: a
//! judgement; `docs/src/benchmarks.md` has one.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

#[path = "meter_support/mod.rs"]
mod support;

use std::{hint::black_box, time::Duration};

use divan::{Bencher, counter::BytesCount};
use ebp_meter::sml::encode::{EncodeEntry, EncodeInt, EncodeValue, Telegram, encode};
use rustix::time::{ClockId, clock_gettime};
use support::{
    pipeline::{self, Found, Pipeline},
    stream, telegrams,
};

/// Rounds of the comparison.
const ROUNDS: usize = 9;
/// So many parts has the stream: what slows a machine for a moment then slows all pipelines alike.
const PARTS: usize = 20;

const PIPELINES: [(&str, Pipeline); 5] = [
    ("sml-rs, streaming", pipeline::sml_rs_streaming),
    ("sml-rs, complete", pipeline::sml_rs_complete),
    ("ours, both checksums", pipeline::both_checksums),
    ("ours, outer checksum", pipeline::outer_checksum),
    ("ours, owned readouts", pipeline::readouts),
];

fn main() {
    divan::main();
    // `cargo test --benches` and `--list` only ask whether it runs.
    if std::env::args().any(|argument| argument == "--bench") {
        compare();
    }
}

/// Runs the pipelines in turn over one part of the stream after the other, and prints for each the
/// fastest and the median round, and the median of the ratios to sml-rs' faster pipeline.
fn compare() {
    let parts: Vec<&[u8]> = stream().chunks_exact(stream().len() / PARTS).collect();
    let bytes: usize = parts.iter().map(|part| part.len()).sum();
    let mut rounds = [[0.0; PIPELINES.len()]; ROUNDS];
    let mut all = Found::default();
    for round in &mut rounds {
        all = Found::default();
        for part in &parts {
            let expected = pipeline::sml_rs_complete(part);
            for ((_, pipeline), seconds) in PIPELINES.iter().zip(&mut *round) {
                let begun = processor_time();
                let found = pipeline(black_box(part));
                *seconds += processor_time() - begun;
                assert_eq!(found, expected, "a pipeline that leaves something out is no rival");
            }
            all = Found {
                lists: all.lists + expected.lists,
                entries: all.entries + expected.entries,
            };
        }
    }
    let megabytes = bytes as f64 / 1e6;
    println!(
        "\n{megabytes:.0} MB, {} telegrams with {} entries; {ROUNDS} rounds of {PARTS} parts, \
         processor time",
        all.lists, all.entries
    );
    println!("{:24}{:>14}{:>14}{:>10}", "", "fastest MB/s", "median MB/s", "ratio");
    for (n, (name, _)) in PIPELINES.iter().enumerate() {
        let mut seconds = rounds.map(|round| round[n]);
        let mut ratios = rounds.map(|round| round[0].min(round[1]) / round[n]);
        seconds.sort_by(f64::total_cmp);
        ratios.sort_by(f64::total_cmp);
        let [fastest, median] = [seconds[0], seconds[ROUNDS / 2]].map(|s| megabytes / s);
        println!("{name:24}{fastest:14.0}{median:14.0}{:10.1}", ratios[ROUNDS / 2]);
    }
}

/// Seconds that this thread had a processor: what others do with it meanwhile does not count.
fn processor_time() -> f64 {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap().as_secs_f64()
}

fn over_the_stream(bencher: Bencher<'_, '_>, pipeline: Pipeline) {
    let bytes = stream();
    bencher.counter(BytesCount::of_slice(bytes)).bench_local(|| pipeline(black_box(bytes)));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn sml_rs_streaming(bencher: Bencher<'_, '_>) {
    over_the_stream(bencher, pipeline::sml_rs_streaming);
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn sml_rs_complete(bencher: Bencher<'_, '_>) {
    over_the_stream(bencher, pipeline::sml_rs_complete);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn both_checksums(bencher: Bencher<'_, '_>) {
    over_the_stream(bencher, pipeline::both_checksums);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn outer_checksum(bencher: Bencher<'_, '_>) {
    over_the_stream(bencher, pipeline::outer_checksum);
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn owned_readouts(bencher: Bencher<'_, '_>) {
    over_the_stream(bencher, pipeline::readouts);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn checksum_alone(bencher: Bencher<'_, '_>) {
    let bytes = stream();
    bencher
        .counter(BytesCount::of_slice(bytes))
        .bench_local(|| pipeline::checksum_alone(black_box(bytes)));
}

/// Frames and their checksums, nothing of what is in them.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn frames_alone(bencher: Bencher<'_, '_>) {
    let bytes = stream();
    bencher
        .counter(BytesCount::of_slice(bytes))
        .bench_local(|| ebp_meter::sml::frame::frames(black_box(bytes)).count());
}

/// What a virtual meter does once a second.
#[divan::bench]
fn encode_a_telegram(bencher: Bencher<'_, '_>) {
    let number = |obis, unit, scaler, value| EncodeEntry {
        obis,
        status: None,
        sec_index: None,
        unit: Some(unit),
        scaler: Some(scaler),
        value: EncodeValue::Int(value),
    };
    use ebp_core::{obis::ObisCode, quantity::Unit};
    let energy = EncodeInt::signed(123_456_789, 8);
    let telegram = Telegram {
        server_id: vec![0x0a, 0x01, 0x49, 0x53, 0x4b, 0, 0, 0, 0, 1],
        file_id: 7,
        sec_index: Some(1234),
        list_name: Some(ObisCode([1, 0, 98, 10, 255, 255])),
        entries: vec![
            number(ObisCode::POSITIVE_ENERGY, Unit::WATT_HOUR, -1, energy),
            number(ObisCode::NEGATIVE_ENERGY, Unit::WATT_HOUR, -1, energy),
            number(ObisCode::SUM_POWER, Unit::WATT, 0, EncodeInt::signed(-250, 4)),
        ],
    };
    let bytes = encode(&telegram).unwrap().len();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| encode(black_box(&telegram)));
}

/// The same work in telegrams a second: one of each in the recordings, whole pipeline.
#[divan::bench]
fn one_telegram(bencher: Bencher<'_, '_>) {
    let telegrams = telegrams();
    let telegram = telegrams[telegrams.len() / 2];
    bencher
        .counter(BytesCount::of_slice(telegram))
        .bench_local(|| pipeline::both_checksums(black_box(telegram)));
}
