//! Registrations of a file, JSON Lines or CSV: both become JSON values, which one reader takes.
//!
//! A column of CSV is named by the way to its member, with points: `address.street`,
//! `meters.0.model`. An empty cell is a member that is absent.

use std::collections::HashSet;

use ebp_anon::quotes::{UnsoundQuotes, check_quotes, has_line_break};
use ebp_core::contract::{LineFault, Registration};
use ebp_store::{
    Faults,
    form::repeated::{self, Flaw},
};
use serde::Deserialize;
use serde_json::{Map, Number, Value};

/// A file that cannot be read as a whole.
#[derive(Debug, PartialEq, Eq)]
pub struct FileError {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it, without its values.
    pub reason: String,
}

/// A line's number from 1, and its registration, or what is wrong with it: all of it, and no value.
pub type Line = (u64, Result<Registration, Vec<LineFault>>);

/// The lines that are not empty. What begins with a brace is JSON Lines, anything else CSV.
///
/// # Errors
/// Returns [`FileError`] if a CSV file's header names what no registration has.
pub fn lines(text: &str) -> Result<Vec<Line>, FileError> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{') {
        return Ok(json_lines(text));
    }
    csv_lines(text)
}

fn json_lines(text: &str) -> Vec<Line> {
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| (number, json(line).and_then(|value| registration(&value))))
        .collect()
}

/// A line of JSON. One whose objects have a member twice is refused as the Data API refuses it:
/// which of the two is meant is open.
fn json(line: &str) -> Result<Value, Vec<LineFault>> {
    let no_json = |error: serde_json::Error| {
        vec![LineFault::NoJson { column: u64::try_from(error.column()).unwrap_or(u64::MAX) }]
    };
    // There are no more values than octets.
    match repeated::check(line.as_bytes(), line.len()) {
        Ok(()) => serde_json::from_str(line).map_err(no_json),
        Err(Flaw::Repeated(pointer)) => Err(vec![LineFault::Repeated { pointer }]),
        Err(Flaw::Unreadable(error)) => Err(no_json(error)),
        Err(Flaw::TooMany) => Err(vec![LineFault::TooManyValues]),
    }
}

fn registration(value: &Value) -> Result<Registration, Vec<LineFault>> {
    let faults = Faults::of_json::<Registration>(value);
    if !faults.is_empty() {
        return Err(faults.iter().map(LineFault::from).collect());
    }
    Registration::deserialize(value).map_err(|_| vec![LineFault::Unreadable])
}

fn csv_lines(text: &str) -> Result<Vec<Line>, FileError> {
    let header = text.lines().next().unwrap_or_default();
    // As spreadsheets write it where the comma is the decimal point's.
    let (delimiter, decimal) = match header.contains(';') && !header.contains(',') {
        true => (b';', ','),
        false => (b',', '.'),
    };
    // A mark that is missing would swallow the next household into a cell of this one.
    check_quotes(text.as_bytes(), delimiter).map_err(|fault| {
        let (UnsoundQuotes::Open(line) | UnsoundQuotes::Followed { began: line, .. }) = fault;
        FileError { line, reason: fault.to_string() }
    })?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        // A row of another length is refused by itself, so that the faults of others are found, too.
        .flexible(true)
        .from_reader(text.as_bytes());
    let wrong = |error: &csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        FileError { line, reason: "it is no CSV".to_owned() }
    };
    let columns = reader.headers().map_err(|error| wrong(&error))?;
    let columns: Vec<Column> = columns
        .iter()
        .map(|name| Column::named(name.trim()))
        .collect::<Result<_, _>>()
        .map_err(|reason| FileError { line: 1, reason })?;
    if let Some(column) = repeated(&columns) {
        let reason = format!("the column `{}` is there twice", column.path.join("."));
        return Err(FileError { line: 1, reason });
    }
    let (mut lines, mut place) = (Vec::new(), Place { text, byte: 0, line: 1 });
    for record in reader.records() {
        let record = record.map_err(|error| wrong(&error))?;
        let number = place.line_at(record.position().map_or(0, csv::Position::byte));
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        // No member has several lines: it is a row that another one has swallowed.
        if record.iter().any(|cell| has_line_break(cell.as_bytes())) {
            lines.push((number, Err(vec![LineFault::LineBreak])));
            continue;
        }
        if record.len() != columns.len() {
            let [cells, header] =
                [record.len(), columns.len()].map(|count| u64::try_from(count).unwrap_or(u64::MAX));
            lines.push((number, Err(vec![LineFault::WrongLength { cells, header }])));
            continue;
        }
        let mut row = Value::Object(Map::new());
        for (column, cell) in columns.iter().zip(&record) {
            column.put(cell.trim(), decimal, &mut row);
        }
        lines.push((number, registration(&row)));
    }
    Ok(lines)
}

/// A column that another one before it is, too: which of the two cells counts would be open.
fn repeated(columns: &[Column]) -> Option<&Column> {
    let mut seen = HashSet::new();
    columns.iter().find(|column| !seen.insert(&column.path))
}

/// A place in a text whose line is known. The reader counts lines, too, but a record that follows
/// empty ones begins with those.
struct Place<'a> {
    text: &'a str,
    byte: usize,
    line: u64,
}

impl Place<'_> {
    /// The line of what follows that byte and the empty lines behind it; bytes only grow.
    fn line_at(&mut self, byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX).min(self.text.len());
        let rest = self.text.as_bytes().get(byte..).unwrap_or_default();
        let ends = rest.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count();
        let passed = self.text.as_bytes().get(self.byte..byte + ends).unwrap_or_default();
        self.line += passed.iter().filter(|octet| **octet == b'\n').map(|_| 1).sum::<u64>();
        self.byte = byte + ends;
        self.line
    }
}

/// A column: the way to its member, and how a cell is read.
struct Column {
    path: Vec<String>,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Truth,
}

/// Every member of a registration; `N` is a number.
const MEMBERS: [(&str, Kind); 26] = [
    ("participant.name", Kind::Text),
    ("participant.email", Kind::Text),
    ("address.street", Kind::Text),
    ("address.postal_code", Kind::Text),
    ("address.city", Kind::Text),
    ("address.country", Kind::Text),
    ("location.latitude", Kind::Number),
    ("location.longitude", Kind::Number),
    ("metadata.children", Kind::Number),
    ("metadata.adults", Kind::Number),
    ("metadata.adults_with_job", Kind::Number),
    ("metadata.electric_vehicle_charger", Kind::Truth),
    ("metadata.heat_pump", Kind::Truth),
    ("metadata.home_battery", Kind::Truth),
    ("metadata.metering_concept", Kind::Text),
    ("metadata.battery", Kind::Text),
    ("meters.N.uuid", Kind::Text),
    ("meters.N.type", Kind::Text),
    ("meters.N.model", Kind::Text),
    ("meters.N.generation_register", Kind::Text),
    ("pv_systems.N.nominal_power", Kind::Number),
    ("pv_systems.N.azimuth", Kind::Number),
    ("pv_systems.N.tilt", Kind::Number),
    ("pv_systems.N.installed_on", Kind::Text),
    ("pv_systems.N.meter", Kind::Number),
    ("measurement_device", Kind::Text),
];

/// A registration has no more meters or systems.
const MOST: usize = 100;

impl Column {
    fn named(name: &str) -> Result<Self, String> {
        let path: Vec<String> = name.split('.').map(str::to_owned).collect();
        // `00` would be the same place as `0`.
        let place = |part: &str| {
            part.parse::<usize>().is_ok_and(|place| place < MOST && place.to_string() == part)
        };
        let general: Vec<&str> =
            path.iter().map(|part| if place(part) { "N" } else { part.as_str() }).collect();
        let general = general.join(".");
        MEMBERS
            .iter()
            .find(|(member, _)| *member == general)
            .map(|(_, kind)| Self { path, kind: *kind })
            .ok_or_else(|| {
                let known: Vec<&str> = MEMBERS.iter().map(|(member, _)| *member).collect();
                format!("no registration has a column `{name}`: write {}", known.join(", "))
            })
    }

    /// Puts a cell into the row; an empty one leaves it as it is.
    fn put(&self, cell: &str, decimal: char, row: &mut Value) {
        if cell.is_empty() {
            return;
        }
        let value = match self.kind {
            Kind::Text => Value::String(cell.to_owned()),
            Kind::Truth => match cell.to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => Value::Bool(true),
                "false" | "no" | "0" => Value::Bool(false),
                _ => Value::String(cell.to_owned()),
            },
            // A text that is no number is reported by the schema.
            Kind::Number => cell
                .replace(decimal, ".")
                .parse::<Number>()
                .map_or_else(|_| Value::String(cell.to_owned()), Value::Number),
        };
        *self.path.iter().fold(row, |value, name| member(value, name)) = value;
    }
}

/// The member of that name, or the place of that number, made where it is not there.
fn member<'a>(value: &'a mut Value, name: &str) -> &'a mut Value {
    match name.parse::<usize>() {
        Ok(place) => {
            if !value.is_array() {
                *value = Value::Array(Vec::new());
            }
            // Of an array a moment ago.
            let Value::Array(items) = value else { return value };
            if items.len() <= place {
                items.resize(place + 1, Value::Null);
            }
            &mut items[place]
        }
        Err(_) => {
            if !value.is_object() {
                *value = Value::Object(Map::new());
            }
            &mut value[name]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"participant": {"name": "Erika", "email": "erika@example.org"},
        "address": {"street": "Gasse 1", "postal_code": "01067", "city": "Dresden", "country": "DE"},
        "location": {"latitude": 51.05, "longitude": 13.74},
        "metadata": {"children": 0, "adults": 2, "adults_with_job": 1,
                     "electric_vehicle_charger": false, "heat_pump": true, "home_battery": false,
                     "metering_concept": "surplus-feed-in", "battery": "none"},
        "meters": [{"type": "ELECTRICITY", "model": "MT175"},
                   {"type": "PV-GENERATION", "model": "EHZ", "generation_register": "2.8.0"}],
        "pv_systems": [{"nominal_power": 7.48, "azimuth": 180, "tilt": 35,
                        "installed_on": "2019-05-03", "meter": 1}]}"#;

    const HEADER: &str = "participant.name,participant.email,address.street,address.postal_code,\
        address.city,address.country,location.latitude,location.longitude,metadata.children,\
        metadata.adults,metadata.adults_with_job,metadata.electric_vehicle_charger,\
        metadata.heat_pump,metadata.home_battery,metadata.metering_concept,metadata.battery,\
        meters.0.type,meters.0.model,meters.1.type,meters.1.model,meters.1.generation_register,\
        pv_systems.0.nominal_power,pv_systems.0.azimuth,pv_systems.0.tilt,\
        pv_systems.0.installed_on,pv_systems.0.meter";
    const ROW: &str = "Erika,erika@example.org,Gasse 1,01067,Dresden,DE,51.05,13.74,0,2,1,false,yes,\
        0,surplus-feed-in,none,ELECTRICITY,MT175,PV-GENERATION,EHZ,2.8.0,7.48,180,35,2019-05-03,1";

    /// What is said of a line in English.
    fn describe(line: &Line) -> String {
        LineFault::list(line.1.as_ref().unwrap_err())
    }

    fn only(text: &str) -> Registration {
        lines(text).unwrap().remove(0).1.unwrap()
    }

    #[test]
    fn both_forms_say_the_same() {
        let json = only(&JSON.replace('\n', " "));
        assert_eq!(only(&format!("{HEADER}\n{ROW}\n")), json);
        let semicolons = format!("{HEADER}\n{ROW}\n").replace(',', ";").replace("7.48", "7,48");
        assert_eq!(only(&format!("\u{feff}{semicolons}")), json);
    }

    #[test]
    fn lines_are_numbered_and_faults_tell_no_value() {
        let wrong = ROW.replace("erika@example.org", "geheim").replace(",2,1,", ",geheim,1,");
        let text = format!("{HEADER}\n{ROW}\n\n{wrong}\n");
        let all = lines(&text).unwrap();
        let (number, told) = (all[1].0, describe(&all[1]));
        assert_eq!((all.len(), number), (2, 4), "{told}");
        assert!(told.contains("participant/email") && told.contains("metadata/adults"), "{told}");
        assert!(!told.contains("geheim"), "{told}");
        let all = lines("{\"participant\": \n{}\n").unwrap();
        assert!(matches!(all[0].1.as_ref().unwrap_err()[..], [LineFault::NoJson { .. }]));
    }

    #[test]
    fn a_member_that_is_there_twice_is_refused() {
        let json = JSON.replace('\n', " ");
        let twice = json.replace(r#""name": "Erika""#, r#""name": "Erika", "n\u0061me": "Otto""#);
        let all = lines(&format!("{json}\n{twice}\n")).unwrap();
        assert!(all[0].1.is_ok());
        assert_eq!((all[1].0, &*describe(&all[1])), (2, "participant/name: occurs more than once"));
    }

    #[test]
    fn an_unknown_column_is_refused() {
        let error = lines("participant.name,strasse\nErika,Gasse 1\n").unwrap_err();
        assert!(error.line == 1 && error.reason.contains("`strasse`"), "{error:?}");
        for wrong in ["meters.1000000.model", "meters.00.model", "meters.+0.model"] {
            assert!(lines(&format!("{wrong}\nx\n")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_ragged_row_does_not_hide_the_faults_of_others() {
        let (short, long) = (&ROW[..ROW.len() - 2], format!("{ROW},geheim"));
        let wrong = ROW.replace("erika@example.org", "geheim");
        let text = format!("{HEADER}\n{short}\n{long}\n{wrong}\n{ROW}\n");
        let all = lines(&text).unwrap();
        let found: Vec<_> = all
            .iter()
            .map(|line| (line.0, line.1.as_ref().err().map(|_| describe(line))))
            .collect();
        let [(2, Some(short)), (3, Some(long)), (4, Some(wrong)), (5, None)] = &found[..] else {
            panic!("{found:?}")
        };
        let count = HEADER.split(',').count();
        let other = |cells| format!("the row has {cells} cells, and the header has {count}");
        assert_eq!((short, long), (&other(count - 1), &other(count + 1)));
        assert!(wrong.contains("participant/email") && !wrong.contains("geheim"), "{wrong}");
    }

    #[test]
    fn a_missing_quotation_mark_swallows_no_household() {
        let (quoted, closed) =
            (ROW.replace("Gasse 1", "\"Gasse 1"), ROW.replace("Gasse 1", "Gasse 1\""));
        let stray = lines(&format!("{HEADER}\n{quoted}\n{ROW}\n{quoted}\n")).unwrap_err();
        assert!(stray.line == 2 && stray.reason.contains("in line 2 is closed"), "{stray:?}");
        let open = lines(&format!("{HEADER}\n{ROW}\n{quoted}\n{ROW}\n")).unwrap_err();
        assert!(open.line == 3 && open.reason.contains("never closed"), "{open:?}");
        let all = lines(&format!("{HEADER}\n{quoted}\n{closed}\n{ROW}\n")).unwrap();
        let found: Vec<_> = all
            .iter()
            .map(|line| (line.0, line.1.as_ref().err().map(|_| describe(line))))
            .collect();
        let [(2, Some(swallowed)), (4, None)] = &found[..] else { panic!("{found:?}") };
        assert!(swallowed.contains("line break") && !swallowed.contains("Gasse"), "{swallowed}");
    }

    #[test]
    fn a_column_that_is_there_twice_is_refused() {
        let error = lines("participant.name,participant.email, participant.name\na,b,c\n");
        let error = error.unwrap_err();
        assert_eq!(
            (error.line, &*error.reason),
            (1, "the column `participant.name` is there twice")
        );
    }
}
