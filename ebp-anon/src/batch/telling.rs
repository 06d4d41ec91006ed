//! Columns that likely name a person or a place: they are copied unchanged, which is warned of.

use csv::ByteRecord;

/// Parts of a name that tell.
const PARTS: [&str; 27] = [
    "name",
    "mail",
    "phone",
    "telefon",
    "street",
    "strasse",
    "straße",
    "address",
    "adresse",
    "plz",
    "postal",
    "zip",
    "city",
    "place",
    "meter_number",
    "latitude",
    "longitude",
    "coord",
    "koord",
    "location",
    "hausn",
    "house",
    "zähler",
    "iban",
    "wohnort",
    "standort",
    "ortsteil",
];
/// Names, or words of names, that tell; as parts they would be found in many others.
const WORDS: [&str; 8] = ["ort", "lat", "lon", "lng", "long", "geo", "gps", "zaehler"];

/// The names of the columns that tell, but for those at these places.
pub fn telling_columns(header: &ByteRecord, but: &[usize]) -> Vec<String> {
    let tells = |name: &str| {
        let mut words = name.split(|letter: char| !letter.is_alphabetic());
        PARTS.iter().any(|part| name.contains(part)) || words.any(|word| WORDS.contains(&word))
    };
    let names = header.iter().enumerate().filter(|(place, _)| !but.contains(place));
    names
        .map(|(_, name)| String::from_utf8_lossy(name).trim().to_lowercase())
        .filter(|name| tells(name))
        .collect()
}
