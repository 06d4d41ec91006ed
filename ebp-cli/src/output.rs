//! Formats of readouts: a table for people, JSON and CSV for scripts.
//!
//! Enters: readouts. Leaves: text on a writer. Absent: reading; which readouts are shown.

pub mod list;
pub mod phrase;
mod style;
pub mod table;
mod values;

use std::io::{self, Write};

use ebp_core::obis::ObisCode;
use ebp_meter::{canonical::Pinned, readout::Readout};
use jiff::Timestamp;
use serde::Serialize;

pub use style::new_table;
use values::ReadingTime;
pub use values::{Figures, ReadingValue, entries};

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A table for people.
    Table,
    /// One JSON object per line.
    Json,
    /// Comma-separated values with a header, one value per line.
    Csv,
}

/// How a single thing is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ItemFormat {
    /// Lines for people.
    Table,
    /// One JSON object on a line.
    Json,
}

/// How a table is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TableFormat {
    /// A table for people.
    Table,
    /// A JSON object.
    Json,
}

/// Names and values, one to a line; additional lines of a value are below its first.
pub fn lines(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in rows {
        for (at, line) in value.lines().enumerate() {
            let name = if at == 0 { name } else { "" };
            text.push_str(format!("{name:width$}  {line}").trim_end());
            text.push('\n');
        }
    }
    text
}

/// One telegram as JSON shows it.
#[derive(Serialize)]
struct Reading<'a> {
    read_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manufacturer: Option<&'a str>,
    protocol: &'static str,
    values: Vec<ReadingValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meter_time: Option<ReadingTime>,
    frame: ReadingFrame,
}

#[derive(Serialize)]
struct ReadingFrame {
    crc: &'static str,
    bytes: usize,
}

/// Prints readouts one after the other in one format.
pub struct Printer<W: Write> {
    out: W,
    format: Format,
    all: bool,
    figures: Figures,
    width: u16,
    printed: usize,
}

impl<W: Write> Printer<W> {
    /// Prints to `out`; with `all` every entry and how the meter sent it.
    pub fn new(out: W, format: Format, all: bool) -> Self {
        Self { out, format, all, figures: Figures::default(), width: table::WIDTH, printed: 0 }
    }

    /// Uses the register choices of a model's profile.
    pub fn pinned(self, pinned: Pinned) -> Self {
        Self { figures: Figures::new(pinned), ..self }
    }

    /// Lets tables be as wide as the terminal that they are for.
    pub fn for_terminal(self) -> Self {
        Self { width: table::width(self.all), ..self }
    }

    /// Prints one readout that was complete at `read_at`, and flushes, so that a reader of a pipe
    /// has it at once.
    ///
    /// # Errors
    /// Returns an error if the writer fails.
    pub fn print(&mut self, readout: &Readout, read_at: Timestamp) -> io::Result<()> {
        let values = if self.all { entries(readout) } else { self.figures.values(readout) };
        match self.format {
            Format::Json => self.json(readout, read_at, values)?,
            Format::Csv => self.csv(readout, read_at, &values)?,
            Format::Table => self.table(readout, &values)?,
        }
        self.printed += 1;
        self.out.flush()
    }

    fn json(
        &mut self,
        readout: &Readout,
        read_at: Timestamp,
        values: Vec<ReadingValue>,
    ) -> io::Result<()> {
        let reading = Reading {
            read_at,
            server_id: readout.server_id.as_ref().map(|id| id.hex()),
            manufacturer: readout.manufacturer.as_deref(),
            protocol: readout.protocol.name(),
            values,
            meter_time: readout.meter_time.map(ReadingTime::from),
            frame: ReadingFrame { crc: readout.integrity.name(), bytes: readout.bytes },
        };
        serde_json::to_writer(&mut self.out, &reading)?;
        self.out.write_all(b"\n")
    }

    fn csv(
        &mut self,
        readout: &Readout,
        read_at: Timestamp,
        values: &[ReadingValue],
    ) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        if self.printed == 0 {
            let header = [
                "read_at",
                "server_id",
                "obis",
                "code",
                "value",
                "unit",
                "name",
                "corrected",
                "crc",
                "from",
            ];
            csv.write_record(header)?;
        }
        let server_id = readout.server_id.as_ref().map(|id| id.hex()).unwrap_or_default();
        for value in values {
            csv.write_record([
                &read_at.to_string(),
                &server_id,
                &value.obis.map(ObisCode::hex).unwrap_or_default(),
                &value.code,
                &value.text(),
                value.unit.as_deref().unwrap_or_default(),
                value.name.unwrap_or_default(),
                value.corrected.unwrap_or_default(),
                readout.integrity.name(),
                value.from.as_deref().or(value.derived.as_deref()).unwrap_or_default(),
            ])?;
        }
        let bytes = csv.into_inner().map_err(|error| error.into_error())?;
        self.out.write_all(&bytes)
    }

    fn table(&mut self, readout: &Readout, values: &[ReadingValue]) -> io::Result<()> {
        if self.printed > 0 {
            writeln!(self.out)?;
        }
        writeln!(self.out, "{}\n{}", table::heading(readout), table::values(values, self.width))
    }
}

#[cfg(test)]
mod tests {
    use ebp_core::quantity::Unit;
    use ebp_meter::{
        profile::FlagId,
        readout::{Correction, Entry, Integrity, MeterTime, Protocol, ServerId, Value},
    };

    use super::*;

    fn readout() -> Readout {
        let entry = |obis, value, unit, scaler| Entry {
            obis,
            value,
            unit,
            scaler,
            status: None,
            time: None,
            corrected: None,
        };
        let mut power = entry(ObisCode::SUM_POWER, Value::Integer(15), Some(Unit::WATT), 0);
        power.corrected = Some(Correction::DzgSign);
        let mut energy = entry(
            ObisCode::POSITIVE_ENERGY,
            Value::Integer(123_456_789),
            Some(Unit::WATT_HOUR),
            -1,
        );
        energy.status = Some(0x182);
        Readout {
            protocol: Protocol::Sml,
            server_id: Some(ServerId([10, 1, 0x49, 0x53, 0x4b, 0, 4, 0xc1, 0xd2, 0xe3][..].into())),
            manufacturer: FlagId::new(*b"ISK"),
            meter_time: Some(MeterTime::SecIndex(123_456)),
            entries: vec![
                entry(ObisCode::MANUFACTURER, Value::Octets(b"ISK"[..].into()), None, 0),
                power,
                energy,
                entry(ObisCode::NEGATIVE_ENERGY, Value::Absent, None, 0),
                entry(ObisCode([1, 0, 32, 7, 0, 255]), Value::Integer(2301), Some(Unit::VOLT), -1),
            ],
            unaddressed: Vec::new(),
            integrity: Integrity::Ok,
            bytes: 316,
        }
    }

    fn printed(format: Format, all: bool) -> String {
        let mut printer = Printer::new(Vec::new(), format, all);
        let at = "2026-01-31T12:00:00Z".parse().unwrap();
        printer.print(&readout(), at).unwrap();
        printer.print(&readout(), at).unwrap();
        String::from_utf8(printer.out).unwrap()
    }

    #[test]
    fn every_format() {
        insta::assert_snapshot!("json", printed(Format::Json, false));
        insta::assert_snapshot!("json_all", printed(Format::Json, true));
        insta::assert_snapshot!("csv", printed(Format::Csv, false));
        insta::assert_snapshot!("csv_all", printed(Format::Csv, true));
        insta::assert_snapshot!("table", printed(Format::Table, false));
        insta::assert_snapshot!("table_all", printed(Format::Table, true));
    }
}
