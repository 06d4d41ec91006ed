//! A program in another language, written from the rules, gives the same rows to the last digit.

use std::{
    fmt::Write as _,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use ebp_dataset::{Energy, Flag, Quarter, Reading, Register};
use ebp_needs::needs;
use rust_decimal::Decimal;

use super::{cases::quarters, household::record};

/// What the program reads of it.
fn line(reading: &Reading) -> String {
    let register = reading.import.unwrap();
    let places = 8 - register.resolution().0.ilog10();
    let shown = Decimal::new(register.value().0 / register.resolution().0, places);
    let mut line = format!("{} {shown}", reading.at);
    if reading.clock_corrected {
        write!(line, " {}", reading.uncertainty / 1_000_000).unwrap();
    }
    line
}

/// A row as the program writes it.
fn shown_row(row: &Quarter) -> String {
    let number = |energy: Option<Energy>| energy.map_or("-".to_owned(), |it| it.0.to_string());
    let import = row.import.interval();
    let (lo, hi) = import.bounds.unzip();
    let flags: Vec<_> = row.flags.iter().map(Flag::name).collect();
    let (energy, quality) = (number(import.energy), import.quality.name());
    format!("{} {energy} {} {} {quality} {}", row.slot, number(lo), number(hi), flags.join(","))
}

fn by_reference(readings: &[Reading]) -> Vec<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference.py");
    let mut program = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: Vec<_> = readings.iter().map(line).collect();
    program.stdin.take().unwrap().write_all(lines.join("\n").as_bytes()).unwrap();
    let output = program.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[needs(python3)]
#[test]
fn the_reference_gives_the_same_rows() {
    let mut rows = 0;
    for seed in 100..110 {
        let most = if seed % 2 == 0 { 9_000 } else { 75_000 };
        let mut readings = record(seed, 6 * 96, most).readings;
        // Another value of the same instant, received later.
        let place = readings.len() / 2;
        let shown = readings[place].import.unwrap();
        let other = shown.value().to_decimal(4) + Decimal::new(1, 4);
        let second = Reading { import: Register::from_decimal(other), ..readings[place] };
        readings.insert(place + 1, Reading { rank: (i64::MAX, 0), ..second });
        let found: Vec<_> = quarters(&readings).iter().map(shown_row).collect();
        let expected = by_reference(&readings);
        rows += found.len();
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "household {seed}");
        }
        assert_eq!(found.len(), expected.len(), "household {seed}");
    }
    assert!(rows > 5_500, "{rows}");
}
