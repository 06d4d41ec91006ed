#!/usr/bin/env bash
# A date column without values makes a whole table unreadable.
#
# pyshp 3.1.6 (Python) writes a date that is None as the eight characters 00000000; the dBASE format
# has no other sign for "no date" than eight blanks, so that both are met in shapefiles. dbase 0.8.0
# (Rust, the reader behind the crate shapefile 0.9.0) takes blanks as no date, and for zeros refuses
# the record: iterating over records ends with an error in the first of them, also for a caller who
# only wants another column. A caller who reads field by field can go on behind the bad one.
#
# Seen on 2026-11-30, Python 3.11, rustc 1.95. Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv python
python/bin/pip -q install pyshp==3.1.6
python/bin/python - <<'PYTHON'
import shapefile
with shapefile.Writer("places") as out:
    out.field("CODE", "C", 5)
    out.field("SINCE", "D")
    out.point(9.0, 50.0)
    out.record("DE714", None)
raw = open("places.dbf", "rb").read()
assert b"DE71400000000" in raw, raw
print("pyshp 3.1.6 writes no date as 00000000")
PYTHON

mkdir -p reader/src
cat >reader/Cargo.toml <<'TOML'
[package]
name = "reader"
version = "0.0.0"
edition = "2021"

[dependencies]
dbase = "=0.8.0"
TOML
cat >reader/src/main.rs <<'RUST'
struct Fields(Vec<Result<String, String>>);

impl dbase::ReadableRecord for Fields {
    fn read_using<S: std::io::Read + std::io::Seek, M: std::io::Read + std::io::Seek>(
        fields: &mut dbase::FieldIterator<'_, S, M>,
    ) -> Result<Self, dbase::FieldError> {
        let text = |field: Result<dbase::NamedValue<'_, dbase::FieldValue>, dbase::FieldError>| {
            field.map(|field| format!("{:?}", field.value)).map_err(|error| error.to_string())
        };
        Ok(Self(fields.map(text).collect()))
    }
}

fn main() {
    let path = std::env::args().nth(1).unwrap();
    let mut reader = dbase::Reader::from_path(&path).unwrap();
    match reader.iter_records().next() {
        Some(Err(error)) => println!("whole record: {error}"),
        other => println!("whole record: read ({})", other.is_some()),
    }
    let mut reader = dbase::Reader::from_path(&path).unwrap();
    let Some(Ok(Fields(fields))) = reader.iter_records_as::<Fields>().next() else { panic!() };
    println!("code: {:?}; date: {:?}", fields[0], fields[1]);
}
RUST
cargo run -q --manifest-path reader/Cargo.toml -- places.dbf | tee said
grep -q '^whole record: .*[Dd]ate' said
grep -q 'code: Ok("Character(Some(\\"DE714\\"))"); date: Err' said
echo "as described"
