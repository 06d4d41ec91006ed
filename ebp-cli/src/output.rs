//! How readouts look: a table for people, JSON and CSV for scripts.
//!
//! Enters: readouts. Leaves: text on a writer. Absent: reading; which readouts are shown.

#[cfg(feature = "server")]
pub mod list;
pub mod phrase;
pub mod table;

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};
use ebp_core::{obis::ObisCode, quantity::Unit};
use ebp_meter::{
    canonical::{Figure, KnownRegisters, Pinned, Source},
    readout::{Entry, MeterTime, Protocol, Readout, ServerId, Unaddressed, Value},
};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;

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
pub enum Shape {
    /// Lines for people.
    Table,
    /// One JSON object on a line.
    Json,
}

/// Names and what they stand for, one to a line; further lines of a value stand below its first.
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

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum ReadingTime {
    SecIndex(u32),
    Timestamp(u32),
    LocalTimestamp { timestamp: u32, offset_minutes: i16, season_minutes: i16 },
}

impl From<MeterTime> for ReadingTime {
    fn from(time: MeterTime) -> Self {
        match time {
            MeterTime::SecIndex(seconds) => Self::SecIndex(seconds),
            MeterTime::Timestamp(seconds) => Self::Timestamp(seconds),
            MeterTime::Local { timestamp, offset, season } => {
                Self::LocalTimestamp { timestamp, offset_minutes: offset, season_minutes: season }
            }
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Shown {
    Number(#[serde(with = "rust_decimal::serde::arbitrary_precision")] Decimal),
    Text(String),
    Bool(bool),
    Time(ReadingTime),
    Absent,
}

/// One value as JSON shows it.
#[derive(Serialize)]
pub struct ReadingValue {
    /// None for a register whose address is no OBIS code.
    #[serde(skip_serializing_if = "Option::is_none")]
    obis: Option<ObisCode>,
    code: String,
    value: Shown,
    /// With how many decimals the meter sends a number.
    #[serde(skip)]
    places: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    corrected: Option<&'static str>,
    /// The register that stood in for the code's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// The registers that it was computed from.
    #[serde(skip_serializing_if = "Option::is_none")]
    derived: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    wire: Option<Wire>,
}

/// What `--all` adds to a value: how the meter sent it.
#[derive(Serialize)]
struct Wire {
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<serde_json::Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scaler: Option<i8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u64>,
    /// How octets are written: `text`, or `hex` digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    octets: Option<&'static str>,
}

/// More decimals than any meter sends are a damaged scaler.
const MOST_PLACES: i16 = 9;

/// With how many decimals the meter sends the number, in the unit that [`Entry::readable`] is in.
fn places(entry: &Entry) -> Option<u32> {
    let kilo = if entry.unit.is_some_and(|unit| unit.kilo_symbol().is_some()) { 3 } else { 0 };
    let places = kilo - i16::from(entry.scaler);
    (0..=MOST_PLACES).contains(&places).then(|| u32::from(places.unsigned_abs()))
}

/// The unit that [`Entry::readable`] is in.
fn shown_unit(unit: Unit) -> String {
    unit.kilo_symbol().map_or_else(|| unit.to_string(), str::to_owned)
}

/// Octets as a text, if they are one: in ASCII telegrams all of them, in SML those that look so (a
/// maker's letters).
fn text_of(bytes: &[u8], protocol: Protocol) -> Option<&str> {
    let is_text = match protocol {
        Protocol::D0 => bytes.iter().all(|b| matches!(b, b' '..=b'~')),
        Protocol::Sml => bytes.len() >= 3 && bytes.iter().all(u8::is_ascii_graphic),
    };
    is_text.then(|| std::str::from_utf8(bytes).ok())?
}

impl ReadingValue {
    /// An entry as the meter sent it.
    fn of_entry(entry: &Entry, protocol: Protocol) -> Self {
        let mut octets = None;
        let value = match &entry.value {
            Value::Integer(raw) => {
                entry.readable().map_or_else(|| Shown::Text(raw.to_string()), Shown::Number)
            }
            Value::Octets(bytes) => {
                let text = text_of(bytes, protocol);
                octets = Some(if text.is_some() { "text" } else { "hex" });
                let hex = || bytes.iter().map(|b| format!("{b:02x}")).collect();
                Shown::Text(text.map_or_else(hex, str::to_owned))
            }
            Value::Bool(value) => Shown::Bool(*value),
            Value::Time(time) => Shown::Time((*time).into()),
            Value::Absent => Shown::Absent,
        };
        let raw = match entry.value {
            Value::Integer(raw) => raw.to_string().parse().ok(),
            _ => None,
        };
        let wire = Wire {
            scaler: raw.is_some().then_some(entry.scaler),
            raw,
            unit_code: entry.unit.map(|unit| unit.0),
            status: entry.status,
            octets,
        };
        Self {
            obis: Some(entry.obis),
            code: entry.obis.to_string(),
            places: places(entry),
            value,
            unit: entry.unit.map(shown_unit).filter(|unit| !unit.is_empty()),
            name: entry.obis.name(),
            corrected: entry.corrected.map(|c| c.name()),
            from: None,
            derived: None,
            wire: Some(wire),
        }
    }

    /// One of the survey's quantities.
    fn of_figure(figure: &Figure) -> Self {
        let unit = if figure.obis.0[3] == 8 { Unit::WATT_HOUR } else { Unit::WATT };
        Self {
            obis: Some(figure.obis),
            code: figure.obis.to_string(),
            places: figure.places,
            value: Shown::Number(figure.value),
            unit: Some(shown_unit(unit)),
            name: figure.obis.name(),
            corrected: figure.corrected.map(|c| c.name()),
            from: match figure.source {
                Source::Register(code) => Some(code.to_string()),
                Source::Own | Source::Sum(..) => None,
            },
            derived: figure.source.derivation(),
            wire: None,
        }
    }

    /// A register whose address is no OBIS code.
    fn of_unaddressed(register: &Unaddressed) -> Self {
        Self {
            obis: None,
            code: register.address.clone(),
            places: None,
            value: Shown::Text(register.text.clone()),
            unit: None,
            name: None,
            corrected: None,
            from: None,
            derived: None,
            wire: None,
        }
    }

    fn text(&self) -> String {
        match &self.value {
            Shown::Number(number) => number.to_string(),
            Shown::Text(text) => text.clone(),
            Shown::Bool(value) => value.to_string(),
            Shown::Time(time) => match time {
                ReadingTime::SecIndex(seconds) => format!("{seconds} s"),
                ReadingTime::Timestamp(timestamp)
                | ReadingTime::LocalTimestamp { timestamp, .. } => {
                    Timestamp::from_second(i64::from(*timestamp))
                        .unwrap_or(Timestamp::UNIX_EPOCH)
                        .to_string()
                }
            },
            Shown::Absent => String::new(),
        }
    }
}

/// What is shown of a telegram: every entry as the meter sent it.
pub fn entries(readout: &Readout) -> Vec<ReadingValue> {
    let entry = |entry| ReadingValue::of_entry(entry, readout.protocol);
    let unaddressed = readout.unaddressed.iter().map(ReadingValue::of_unaddressed);
    readout.entries.iter().map(entry).chain(unaddressed).collect()
}

/// The figures of one meter after another, each by what it has shown before.
#[derive(Default)]
pub struct Figures {
    pinned: Pinned,
    known: KnownRegisters,
    server_id: Option<ServerId>,
}

impl Figures {
    /// For meters of a model whose profile says what counts.
    pub fn new(pinned: Pinned) -> Self {
        Self { pinned, ..Self::default() }
    }

    /// What is shown of a telegram: the survey's values.
    pub fn of(&mut self, readout: &Readout) -> Vec<ReadingValue> {
        if let Some(id) = &readout.server_id
            && self.server_id.as_ref() != Some(id)
        {
            self.known = KnownRegisters::default();
            self.server_id = Some(id.clone());
        }
        let figures = self.known.figures(readout, &self.pinned);
        figures.iter().map(ReadingValue::of_figure).collect()
    }
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

    /// Lets a model's profile say what counts.
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
    /// When the writer fails.
    pub fn print(&mut self, readout: &Readout, read_at: Timestamp) -> io::Result<()> {
        let values = if self.all { entries(readout) } else { self.figures.of(readout) };
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

/// A table in the project's one style.
pub fn new_table() -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Disabled);
    table
}

#[cfg(test)]
mod tests {
    use ebp_meter::{
        profile::FlagId,
        readout::{Correction, Integrity},
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
