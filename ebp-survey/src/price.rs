//! What electricity costs in each quarter of an hour, as a file: `start,import,export`, a line for each.
//!
//! Enters: CSV. Leaves: exact prices, or what is wrong with which line. Absent: prices that hold from a
//! day on, which stand in the configuration.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use ebp_core::contract::{ExactNumber, QuarterPrices};
use jiff::Timestamp;
use rust_decimal::Decimal;

/// Seconds of a quarter hour.
const QUARTER: i64 = 900;
/// The most lines: six years.
const LINES: usize = 210_384;
/// The most quarter hours of an answer: 31 days, one of them of 25 hours.
const ASKED: i64 = 31 * 96 + 4;

/// Why the file cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PriceError {
    /// It cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A line is no quarter hour with its prices.
    #[error("{}, line {line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// It has no prices, or too many.
    #[error("{} has {lines} prices: 1 to {LINES} are possible", path.display())]
    Count {
        /// The file.
        path: PathBuf,
        /// How many it has.
        lines: usize,
    },
}

/// The prices of a quarter hour, EUR/kWh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Prices {
    import: Decimal,
    export: Option<Decimal>,
}

/// Prices by quarter hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceSeries {
    by_second: BTreeMap<i64, Prices>,
    from: Timestamp,
    to: Timestamp,
}

impl PriceSeries {
    /// Reads a file.
    ///
    /// # Errors
    /// Returns [`PriceError`], which names the line.
    pub fn load(path: &Path) -> Result<Self, PriceError> {
        let text = std::fs::read_to_string(path).map_err(|error| PriceError::Read {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, PriceError> {
        let wrong = |line, reason| PriceError::Line { path: path.to_owned(), line, reason };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut by_second = BTreeMap::new();
        let mut last = None;
        for (place, record) in reader.records().enumerate() {
            let line = place as u64 + 1;
            let record = record.map_err(|_| wrong(line, "it is no CSV"))?;
            let line = record.position().map_or(line, csv::Position::line);
            let cells: Vec<&str> = record.iter().collect();
            let [start, import, export] = cells[..] else {
                return Err(wrong(line, "it must be `start,import,export`"));
            };
            if place == 0 {
                if cells != ["start", "import", "export"] {
                    return Err(wrong(line, "the first line must be `start,import,export`"));
                }
                continue;
            }
            let start = read_start(start).map_err(|reason| wrong(line, reason))?;
            if last.is_some_and(|last| start <= last) {
                return Err(wrong(line, "each quarter hour must come after the one before"));
            }
            last = Some(start);
            let price = |text: &str| read_price(text).map_err(|reason| wrong(line, reason));
            let export = if export.is_empty() { None } else { Some(price(export)?) };
            by_second.insert(start, Prices { import: price(import)?, export });
        }
        let count = PriceError::Count { path: path.to_owned(), lines: by_second.len() };
        if by_second.len() > LINES {
            return Err(count);
        }
        let (Some((first, _)), Some((last, _))) =
            (by_second.first_key_value(), by_second.last_key_value())
        else {
            return Err(count);
        };
        let instant = |second| Timestamp::from_second(second).map_err(|_| count.clone());
        let (from, to) = (instant(*first)?, instant(*last + QUARTER)?);
        Ok(Self { by_second, from, to })
    }

    /// When it begins and ends, without prices.
    #[must_use]
    pub fn extent(&self) -> QuarterPrices {
        QuarterPrices { from: self.from, to: self.to, import: Vec::new(), export: Vec::new() }
    }

    /// The prices of those quarter hours. `None` unless both are such quarter hours, in their order and
    /// no more than 31 days apart.
    #[must_use]
    pub fn between(&self, from: Timestamp, to: Timestamp) -> Option<QuarterPrices> {
        if !is_window(from, to) {
            return None;
        }
        let mut prices = self.extent();
        for second in (from.as_second()..to.as_second()).step_by(QUARTER.unsigned_abs() as usize) {
            let known = self.by_second.get(&second);
            prices.import.push(known.map(|known| ExactNumber(known.import)));
            prices.export.push(known.and_then(|known| known.export).map(ExactNumber));
        }
        Some(prices)
    }
}

/// Whether prices can be asked for from one instant to another: both begin a quarter hour, in their
/// order, 31 days apart at most.
#[must_use]
pub fn is_window(from: Timestamp, to: Timestamp) -> bool {
    let is_quarter =
        |at: Timestamp| at.as_nanosecond() % (i128::from(QUARTER) * 1_000_000_000) == 0;
    let length = to.as_second() - from.as_second();
    is_quarter(from) && is_quarter(to) && (1..=ASKED * QUARTER).contains(&length)
}

fn read_start(text: &str) -> Result<i64, &'static str> {
    let start: Timestamp =
        text.parse().map_err(|_| "`start` must be a time as 2026-01-01T00:00:00+01:00")?;
    if start.as_nanosecond() % (i128::from(QUARTER) * 1_000_000_000) == 0 {
        Ok(start.as_second())
    } else {
        Err("`start` must be the beginning of a quarter of an hour")
    }
}

/// Prices at the exchange are negative at times.
fn read_price(text: &str) -> Result<Decimal, &'static str> {
    let price = Decimal::from_str_exact(text).ok();
    let price = price.filter(|price| (-Decimal::TEN..=Decimal::TEN).contains(price));
    price.ok_or("a price must be EUR/kWh as 0.3512, from -10 to 10")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "start,import,export\n\
        2026-10-25T02:45:00+02:00,0.3012,\n\
        2026-10-25T02:00:00+01:00,-0.0105,0.0794\n\
        2026-10-25T02:30:00+01:00,0.25,0\n";

    fn parse(text: &str) -> Result<PriceSeries, String> {
        PriceSeries::parse(Path::new("prices.csv"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn prices_are_exact_and_gaps_are_none() {
        let series = parse(WHOLE).unwrap();
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let told = series.between(at("2026-10-25T00:30:00Z"), at("2026-10-25T02:00:00Z")).unwrap();
        let json = serde_json::to_value(&told).unwrap();
        assert_eq!(json["import"].to_string(), "[null,0.3012,-0.0105,null,0.25,null]");
        assert_eq!(json["export"].to_string(), "[null,null,0.0794,null,0,null]");
        assert_eq!(
            (json["from"].as_str(), json["to"].as_str()),
            (Some("2026-10-25T00:45:00Z"), Some("2026-10-25T01:45:00Z"),)
        );
        for (from, to) in [
            ("2026-10-25T00:30:01Z", "2026-10-25T02:00:00Z"),
            ("2026-10-25T02:00:00Z", "2026-10-25T02:00:00Z"),
            ("2026-10-25T02:00:00Z", "2026-10-25T01:00:00Z"),
            ("2026-10-01T00:00:00Z", "2026-11-01T01:15:00Z"),
        ] {
            assert_eq!(series.between(at(from), at(to)), None, "{from} {to}");
        }
        let month = series.between(at("2026-10-01T00:00:00Z"), at("2026-11-01T01:00:00Z")).unwrap();
        assert_eq!(month.import.len(), 2_980);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (good, wrong, line, expected) in [
            ("start,import", "time,import", 1, "first line must be"),
            ("0.3012,", "0.3012", 2, "`start,import,export`"),
            ("02:45:00+02:00", "02:46:00+02:00", 2, "quarter of an hour"),
            ("2026-10-25T02:45:00+02:00", "2026-10-25", 2, "must be a time"),
            ("-0.0105", "-1,05", 3, "`start,import,export`"),
            ("-0.0105", "105", 3, "EUR/kWh"),
            ("02:30:00+01:00", "02:00:00+01:00", 4, "after the one before"),
        ] {
            assert!(WHOLE.contains(good), "{good}");
            let error = parse(&WHOLE.replacen(good, wrong, 1)).unwrap_err();
            assert!(error.contains(expected), "{wrong}: {error}");
            assert!(error.contains(&format!("line {line}:")), "{wrong}: {error}");
        }
        assert!(parse("start,import,export\n").unwrap_err().contains("has 0 prices"));
        assert!(parse("").unwrap_err().contains("has 0 prices"));
    }
}
