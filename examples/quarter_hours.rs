//! Makes quarter hours out of a meter's readings: from a file of lines `INSTANT IMPORT [SECONDS]`
//! (microseconds since the Unix epoch or RFC 3339; 1.8.0 in kWh with its decimals; by how many
//! seconds the instant may be off), or from some readings with a gap.
//!
//! `cargo run -p ebp-dataset --example quarter_hours [FILE]`

use std::{env, error::Error, fs};

use ebp_dataset::{Energy, Flag, MeterSeries, Reading, Register, Rules, Spans};
use jiff::Timestamp;

const READINGS: &str = "2026-01-31T11:30:01.0Z 100.0000
2026-01-31T11:45:01.5Z 100.1500
2026-01-31T12:30:02.0Z 100.6000
2026-01-31T12:45:01.0Z 100.7500";

fn main() -> Result<(), Box<dyn Error>> {
    let text = match env::args().nth(1) {
        Some(path) => fs::read_to_string(path)?,
        None => READINGS.to_owned(),
    };
    let (mut series, mut rows) = (MeterSeries::new(Rules::default()), Vec::new());
    for (number, line) in (1_i64..).zip(text.lines()) {
        let reading = read(number, line).ok_or_else(|| format!("line {number}: {line:?}"))?;
        series.push(&reading, &mut |row| rows.push(row))?;
    }
    series.finish(&mut |row| rows.push(row));
    let shown = |energy: Option<Energy>| energy.map_or("-".to_owned(), |it| it.to_string());
    let mut spans = Spans::default();
    for row in rows {
        let (import, flags) = (row.import.interval(), row.flags.iter().map(Flag::name));
        let (lo, hi) = import.bounds.unzip();
        let slot = Timestamp::from_microsecond(row.slot)?;
        let (energy, quality) = (shown(import.energy), import.quality.name());
        let flags = flags.collect::<Vec<_>>().join(",");
        println!("{slot} {energy} {} {} {quality} {flags}", shown(lo), shown(hi));
        if let Some(span) = spans.push(&row.import) {
            let (from, energy) = (Timestamp::from_microsecond(span.from)?, span.interval.energy);
            println!("span of {} from {from}: {}", span.quarters, shown(energy));
        }
    }
    Ok(())
}

fn read(number: i64, line: &str) -> Option<Reading> {
    let mut words = line.split_whitespace();
    let at = words.next()?;
    let instant = || at.parse::<Timestamp>().ok().map(Timestamp::as_microsecond);
    let at = at.parse().ok().or_else(instant)?;
    let import = Some(Register::from_decimal(words.next()?.parse().ok()?)?);
    let seconds: Option<i64> = words.next().map(str::parse).transpose().ok()?;
    let uncertainty = seconds.unwrap_or(0).checked_mul(1_000_000)?;
    let clock_corrected = seconds.is_some();
    // Of one instant the first line counts.
    let rank = (number, 0);
    Some(Reading { rank, import, uncertainty, clock_corrected, ..Reading::at(at) })
}
