//! The columns of an import: how spreadsheets name them, and how their cells are written there.

use std::collections::BTreeSet;

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

/// Columns without which no row can be registered.
pub const REQUIRED: [&str; 14] = [
    "participant.name",
    "participant.email",
    "address.street",
    "address.postal_code",
    "address.city",
    "address.country",
    "metadata.children",
    "metadata.adults",
    "metadata.adults_with_job",
    "metadata.electric_vehicle_charger",
    "metadata.heat_pump",
    "metadata.home_battery",
    "meters.0.type",
    "meters.0.model",
];

/// Columns with numbers, in which a comma may be the decimal point.
const NUMBERS: [&str; 9] = [
    "location.latitude",
    "location.longitude",
    "metadata.children",
    "metadata.adults",
    "metadata.adults_with_job",
    NOMINAL_POWER,
    "pv_systems.0.azimuth",
    "pv_systems.0.tilt",
    "pv_systems.0.meter",
];

const NOMINAL_POWER: &str = "pv_systems.0.nominal_power";

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

/// The column of an import that a spreadsheet has by that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static str> {
    let name = name.trim().to_lowercase();
    let mut columns = COLUMNS.iter();
    let found = columns.find(|(column, names)| *column == name || names.contains(&&*name));
    found.map(|(column, _)| *column)
}

/// Which columns of [`REQUIRED`] are not among those that were chosen.
#[must_use]
pub fn missing(chosen: &BTreeSet<&str>) -> Vec<&'static str> {
    REQUIRED.into_iter().filter(|name| !chosen.contains(name)).collect()
}

/// A cell as imports read it. In a table whose cells commas separate, a comma within a cell may
/// separate thousands.
#[must_use]
pub fn value(column: &str, cell: &str, is_comma_separated: bool) -> String {
    let is_truth = ["electric_vehicle_charger", "heat_pump", "home_battery"]
        .iter()
        .any(|name| column.ends_with(name));
    match cell.to_lowercase().as_str() {
        "ja" | "x" | "wahr" if is_truth => return "yes".to_owned(),
        "nein" | "" | "falsch" if is_truth => return "no".to_owned(),
        _ => {}
    }
    if column.ends_with("installed_on")
        && let Some(day) = day(cell)
    {
        return day;
    }
    // Both readings of `7,480` are powers; the comma of degrees and counts is a decimal one.
    let is_open = is_comma_separated && column == NOMINAL_POWER && is_thousands(cell);
    if NUMBERS.contains(&column) && !is_open {
        let point = cell.replace(',', ".");
        if point.parse::<f64>().is_ok() {
            return point;
        }
    }
    cell.to_owned()
}

/// Whether a comma may separate thousands.
fn is_thousands(cell: &str) -> bool {
    cell.split_once(',').is_some_and(|(before, behind)| {
        (1..=3).contains(&before.len()) && !before.starts_with('0') && behind.len() == 3
    })
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
    fn the_template_is_an_import() {
        let lines = ebp_survey::import::lines(&template()).unwrap();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].1.is_ok(), "{:?}", lines[0].1);
    }
}
