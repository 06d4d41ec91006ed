#!/usr/bin/env bash
# A meter that tells the time of day is not read at all.
#
# SML (BSI TR-03109-1, annex IV, and DIN VDE 0418-63-9) has three kinds of time: seconds that the meter
# has counted, a timestamp, and a local timestamp, which is a list of a timestamp, its offset to UTC and
# that of summer time, both in minutes. Meters use the third (EMH's with an E-MOC). sml-rs 0.4.0 (Rust)
# knows the first alone. For the others it does not leave out the time, but refuses the whole file with
# all its registers, by both of its parsers; no feature or option changes it. SmlLib 1.5 (Python) reads
# the registers of the same bytes. The telegrams are sound: they differ in the time and nothing else.
#
# Seen on 2026-12-02, Python 3.11, rustc 1.95. Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv python
python/bin/pip -q install smllib==1.5
python/bin/python - <<'PYTHON'
from smllib import SmlStreamReader


def crc(data):
    value = 0xFFFF
    for octet in data:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return (value ^ 0xFFFF).to_bytes(2, "little")


def message(number, kind, body):
    raw = bytes.fromhex("76 02 %02x 62 00 62 00 72 63 %02x 01" % (number, kind)) + body
    return raw + b"\x63" + crc(raw) + b"\x00"


def telegram(time):
    opened = bytes.fromhex("76 01 01 02 01 02 01 01 01")
    entry = bytes.fromhex("77 07 0100010800ff 01 01 621e 52ff 6500012345 01")
    listed = bytes.fromhex("77 01 02 01 01") + time + b"\x71" + entry + b"\x01\x01"
    closed = bytes.fromhex("71 01")
    data = message(1, 1, opened) + message(2, 7, listed) + message(3, 2, closed)
    padding = -len(data) % 4
    raw = bytes.fromhex("1b1b1b1b01010101") + data + b"\x00" * padding
    raw += bytes.fromhex("1b1b1b1b1a") + bytes([padding])
    return raw + crc(raw)


seconds = "65 65 a0 bc 00"
times = {
    "counted": "72 62 01 " + seconds,
    "timestamp": "72 62 02 " + seconds,
    # An hour to UTC, and an hour of summer time.
    "local": "72 62 03 73 " + seconds + " 53 00 3c 53 00 3c",
}
for name, time in times.items():
    raw = telegram(bytes.fromhex(time))
    open(name, "wb").write(raw)
    reader = SmlStreamReader()
    reader.add(raw)
    frame = reader.get_frame()
    values = [(value.obis.obis_short, value.get_value()) for value in frame.get_obis()]
    print(f"SmlLib, time {name}: {values}")
    assert values == [("1.8.0", 7456.5)], values
PYTHON

mkdir -p reader/src
cat >reader/Cargo.toml <<'TOML'
[package]
name = "reader"
version = "0.0.0"
edition = "2021"

[dependencies]
sml-rs = "=0.4.0"
TOML
cat >reader/src/main.rs <<'RUST'
use sml_rs::{
    parser::{complete::parse, streaming::Parser},
    transport::decode,
};

fn main() {
    let path = std::env::args().nth(1).unwrap();
    let raw = std::fs::read(path).unwrap();
    let file = decode(&raw).pop().unwrap().unwrap();
    match parse(&file) {
        Ok(file) => println!("complete: {} messages", file.messages.len()),
        Err(error) => println!("complete: {error:?}"),
    }
    let events: Vec<_> = Parser::new(&file).collect();
    match events.iter().find_map(|event| event.as_ref().err()) {
        None => println!("streaming: {} events", events.len()),
        Some(error) => println!("streaming: {error:?}"),
    }
}
RUST
cargo build --quiet --manifest-path reader/Cargo.toml
for name in counted timestamp local; do
  echo "sml-rs 0.4.0, time $name:"
  reader/target/debug/reader "$name" | tee "$name.txt"
done
grep -q '^complete: 3 messages' counted.txt
grep -q '^streaming: [0-9]* events' counted.txt
for name in timestamp local; do
  if grep -q 'messages\|events' "$name.txt"; then
    echo "it has changed: sml-rs reads a time $name" >&2
    exit 1
  fi
done
