//! The values of a telegram to show: the survey's, or every entry as the meter sent it.

use ebp_core::{obis::ObisCode, quantity::Unit};
use ebp_meter::{
    canonical::{Figure, MeterFigures, Pinned, Source},
    readout::{Entry, MeterTime, Protocol, Readout, Unaddressed, Value},
};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;

/// A meter's own time as JSON shows it.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadingTime {
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
pub enum Shown {
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
    pub obis: Option<ObisCode>,
    pub code: String,
    pub value: Shown,
    /// With how many decimals the meter sends a number.
    #[serde(skip)]
    pub places: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected: Option<&'static str>,
    /// The register that stood in for the code's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The registers that it was computed from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub derived: Option<String>,
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
        Protocol::Sml | Protocol::Own => bytes.len() >= 3 && bytes.iter().all(u8::is_ascii_graphic),
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
        Self {
            obis: Some(figure.obis),
            code: figure.obis.to_string(),
            places: figure.places,
            value: Shown::Number(figure.value),
            unit: Some(shown_unit(figure.unit())),
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

    /// The value as a text.
    pub fn text(&self) -> String {
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
pub struct Figures(MeterFigures);

impl Figures {
    /// For meters of a model whose profile names the registers to use.
    pub fn new(pinned: Pinned) -> Self {
        Self(MeterFigures::new(pinned))
    }

    /// What is shown of a telegram: the survey's values.
    pub fn values(&mut self, readout: &Readout) -> Vec<ReadingValue> {
        self.0.figures(readout).iter().map(ReadingValue::of_figure).collect()
    }
}
