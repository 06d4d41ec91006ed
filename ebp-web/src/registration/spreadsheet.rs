//! A table that somebody made with a spreadsheet: its text in UTF-8 or Windows-1252, which of its
//! columns is which, and the same table with the columns' names as imports have them.

use std::collections::BTreeMap;

/// Columns of an import with the names that spreadsheets have for them, in small letters.
const COLUMNS: [(&str, &[&str]); 26] = [
    ("participant.name", &["name", "full name", "vor- und nachname", "teilnehmer", "participant"]),
    ("participant.email", &["email", "e-mail", "mail", "e-mail-adresse", "e-mail address"]),
    ("address.street", &["street", "straße", "strasse", "straße und hausnummer"]),
    ("address.postal_code", &["postal code", "postal_code", "plz", "postleitzahl", "zip"]),
    ("address.city", &["city", "ort", "stadt", "wohnort", "town"]),
    ("address.country", &["country", "land"]),
    ("location.latitude", &["latitude", "lat", "breite", "breitengrad"]),
    ("location.longitude", &["longitude", "lon", "länge", "längengrad"]),
    ("metadata.children", &["children", "kinder"]),
    ("metadata.adults", &["adults", "erwachsene"]),
    ("metadata.adults_with_job", &["adults with job", "berufstätige", "davon berufstätig"]),
    ("metadata.electric_vehicle_charger", &["charger", "wallbox", "ladestation"]),
    ("metadata.heat_pump", &["heat pump", "wärmepumpe"]),
    ("metadata.home_battery", &["home battery", "heimspeicher", "speicher"]),
    ("metadata.metering_concept", &["metering concept", "messkonzept"]),
    ("metadata.battery", &["battery", "anschluss des heimspeichers"]),
    ("meters.0.type", &["meter type", "zählerart"]),
    ("meters.0.model", &["meter", "meter model", "zähler", "zählermodell"]),
    ("meters.1.type", &["second meter type", "zweite zählerart"]),
    ("meters.1.model", &["second meter", "generation meter", "erzeugungszähler"]),
    ("meters.1.generation_register", &["register"]),
    ("pv_systems.0.nominal_power", &["nominal power", "kwp", "nennleistung", "leistung"]),
    ("pv_systems.0.azimuth", &["azimuth", "ausrichtung"]),
    ("pv_systems.0.tilt", &["tilt", "neigung"]),
    ("pv_systems.0.installed_on", &["installed on", "in betrieb seit", "inbetriebnahme"]),
    ("pv_systems.0.meter", &["system's meter", "zähler der anlage"]),
];

/// The names of an import's columns.
pub fn columns() -> impl Iterator<Item = &'static str> {
    COLUMNS.iter().map(|(name, _)| *name)
}

/// An example with a household, to be filled in.
pub fn template() -> String {
    let header: Vec<&str> = columns().collect();
    format!(
        "\u{feff}{}\r\nErika Mustermann,erika@example.org,Heidestraße 17,51147,Köln,DE,50.85,7.1,1,2,1,\
         no,yes,no,surplus-feed-in,none,ELECTRICITY,MT175,PV-GENERATION,MT681,2.8.0,7.48,180,35,\
         2019-05-03,1\r\n",
        header.join(",")
    )
}

/// The text of a file: UTF-8, or else Windows-1252, in which older spreadsheets write umlauts.
#[must_use]
pub fn text_of(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
        Err(_) => bytes.iter().map(|byte| letter(*byte)).collect(),
    }
}

/// A byte of Windows-1252; the five that it leaves open are the control characters that they are in
/// ISO 8859-1.
fn letter(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        byte => char::from(byte),
    }
}

/// A table as it was uploaded.
#[derive(Debug, PartialEq, Eq)]
pub struct Spreadsheet {
    /// The names of its columns.
    pub header: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
    /// Whether the decimal point is a comma.
    has_decimal_comma: bool,
}

impl Spreadsheet {
    /// Reads a table; none if it has no columns.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let first = text.lines().next()?;
        let is_semicolon = first.matches(';').count() > first.matches(',').count();
        let delimiter = match (is_semicolon, first.contains('\t') && !first.contains(',')) {
            (true, _) => b';',
            (false, true) => b'\t',
            (false, false) => b',',
        };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .from_reader(text.as_bytes());
        let cells = |record: &csv::StringRecord| {
            record.iter().map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
        };
        let header = cells(reader.headers().ok()?);
        let rows = reader.records().map_while(Result::ok).map(|record| cells(&record)).collect();
        let has_decimal_comma = delimiter != b',';
        (header.len() > 1).then_some(Self { header, rows, has_decimal_comma })
    }

    /// Which column of an import each of its own is, by its name.
    #[must_use]
    pub fn guess(&self) -> Vec<Option<&'static str>> {
        let mut taken = Vec::new();
        let guess = |name: &String| {
            let name = name.trim().to_lowercase();
            let found = COLUMNS
                .iter()
                .find(|(column, others)| *column == name || others.contains(&name.as_str()))
                .map(|(column, _)| *column)
                .filter(|column| !taken.contains(column))?;
            taken.push(found);
            Some(found)
        };
        self.header.iter().map(guess).collect()
    }

    /// As an import's file: with the columns that were chosen, by the imports' names. The number of a
    /// line stays that of the table.
    #[must_use]
    pub fn file(&self, chosen: &BTreeMap<usize, &str>) -> String {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        // Writing to memory cannot fail.
        let _ = writer.write_record(chosen.values());
        for row in &self.rows {
            let cells = chosen.iter().map(|(place, name)| {
                let cell = row.get(*place).map_or("", String::as_str);
                self.value(name, cell)
            });
            let _ = writer.write_record(cells);
        }
        String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
    }

    /// A cell as imports read it.
    fn value(&self, column: &str, cell: &str) -> String {
        let is_truth = ["electric_vehicle_charger", "heat_pump", "home_battery"]
            .iter()
            .any(|name| column.ends_with(name));
        match cell.to_lowercase().as_str() {
            "ja" | "x" if is_truth => return "yes".to_owned(),
            "nein" | "" if is_truth => return "no".to_owned(),
            _ => {}
        }
        if column.ends_with("installed_on")
            && let Some(day) = day(cell)
        {
            return day;
        }
        if self.has_decimal_comma
            && !cell.is_empty()
            && cell.replace(',', ".").parse::<f64>().is_ok()
        {
            return cell.replace(',', ".");
        }
        cell.to_owned()
    }
}

/// `3.5.2019` as `2019-05-03`.
fn day(cell: &str) -> Option<String> {
    let mut parts = cell.split('.');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_day = parts.next().is_none()
        && (1..=2).contains(&day.len())
        && (1..=2).contains(&month.len())
        && year.len() == 4
        && [day, month, year].into_iter().all(is_number);
    is_day.then(|| format!("{year}-{month:0>2}-{day:0>2}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn umlauts_of_both_encodings_are_read() {
        assert_eq!(text_of("\u{feff}Köln €".as_bytes()), "Köln €");
        assert_eq!(text_of(b"K\xf6ln \x80 \x84Stra\xdfe\x93"), "Köln € „Straße“");
        assert_eq!(text_of(b""), "");
    }

    #[test]
    fn a_table_of_a_german_spreadsheet_becomes_an_import() {
        let text = "Name;E-Mail;Notiz;PLZ;kWp;Wallbox;In Betrieb seit\n\
                    Erika;erika@example.org;\"a;b\";01067;7,48;ja;3.5.2019\n";
        let table = Spreadsheet::read(text).unwrap();
        let guess = table.guess();
        assert_eq!(guess[2], None);
        let chosen: BTreeMap<usize, &str> = guess
            .into_iter()
            .enumerate()
            .filter_map(|(place, name)| Some((place, name?)))
            .collect();
        assert_eq!(
            table.file(&chosen),
            "participant.name,participant.email,address.postal_code,pv_systems.0.nominal_power,\
             metadata.electric_vehicle_charger,pv_systems.0.installed_on\n\
             Erika,erika@example.org,01067,7.48,yes,2019-05-03\n"
        );
        assert_eq!(Spreadsheet::read(""), None);
        assert_eq!(Spreadsheet::read("only one column\na\n"), None);
    }

    #[test]
    fn the_template_is_an_import() {
        let lines = ebp_survey::import::lines(&template()).unwrap();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].1.is_ok(), "{:?}", lines[0].1);
    }
}
