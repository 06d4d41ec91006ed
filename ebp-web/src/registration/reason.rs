//! Why a row of an import is refused, in the reader's language: each fault names what it is about.

use ebp_core::contract::{Fault, ImportedLine, LineFault};

use super::draft::Draft;
use crate::kit::language::Language;

/// Why a line is refused, if it is.
pub fn reasons(language: Language, line: &ImportedLine) -> Option<String> {
    let faults = match (&line.faults[..], &line.reason) {
        // A report of a server before.
        ([], Some(reason)) => reason.split("; ").map(read).collect(),
        ([], None) => return None,
        (faults, _) => faults.to_vec(),
    };
    let said: Vec<_> = faults.iter().map(|fault| one(language, fault)).collect();
    Some(said.join(" · "))
}

/// A fault that is known by its text alone.
fn read(part: &str) -> LineFault {
    let Some((place, detail)) = part.split_once(": ") else { return LineFault::Unreadable };
    let pointer = format!("/{}", place.trim_start_matches('/'));
    LineFault::from(&Fault { pointer, detail: detail.to_owned() })
}

fn one(language: Language, fault: &LineFault) -> String {
    let place = |pointer: &str| group(language, pointer).map(|(of, _)| of).unwrap_or_default();
    match fault {
        LineFault::WrongLength { cells, header } => {
            let counts =
                [("cells", cells.to_string().into()), ("header", header.to_string().into())];
            language.say_with("reg-line-length", counts)
        }
        LineFault::NoJson { column } => {
            language.say_with("reg-line-no-json", [("column", column.to_string().into())])
        }
        LineFault::TooManyValues => language.say("reg-line-values"),
        LineFault::LineBreak => language.say("reg-line-break"),
        LineFault::Unreadable => language.say("reg-line-unreadable"),
        LineFault::Repeated { pointer } => {
            language.say_with("reg-line-repeated", [("of", place(pointer).into())])
        }
        LineFault::Taken { pointer, line } => {
            let texts = [("of", place(pointer).into()), ("line", line.to_string().into())];
            language.say_with("reg-line-taken", texts)
        }
        LineFault::EmailTaken { line: Some(line) } => {
            language.say_with("reg-line-email", [("line", line.to_string().into())])
        }
        LineFault::EmailTaken { line: None } => {
            said(language, "/participant/email", "belongs to", false)
        }
        LineFault::Missing { pointer } => said(language, pointer, "is missing", true),
        LineFault::Invalid { pointer, detail } => said(language, pointer, detail, false),
        // A kind of a later version.
        _ => language.say("reg-fault-other"),
    }
}

/// What is said of the question at a place, or of what the questions there are about.
fn said(language: Language, pointer: &str, detail: &str, is_missing: bool) -> String {
    if let Some(said) = Draft::said_of(language, pointer, detail) {
        return said;
    }
    let Some((of, is_numbered)) = group(language, pointer) else {
        return language.say("reg-fault-other");
    };
    // A number that was skipped is `null`.
    let is_missing = is_missing || (is_numbered && detail.contains("object"));
    let said = match (pointer, is_missing) {
        ("/meters", true) => language.say("reg-fault-meters"),
        (_, true) => language.say("reg-fault-missing"),
        (_, false) => language.say("reg-fault-other"),
    };
    format!("{of}: {said}")
}

/// What the questions at a place are about, and whether it is one of several.
fn group(language: Language, pointer: &str) -> Option<(String, bool)> {
    let mut parts = pointer.split('/').skip(1);
    let group = match parts.next().unwrap_or_default() {
        "participant" => language.say("reg-contact"),
        "address" => language.say("reg-address"),
        "location" => language.say("reg-location"),
        "metadata" => language.say("reg-answers"),
        "meters" => language.say("reg-meters"),
        "pv_systems" => language.say("reg-systems"),
        "measurement_device" => language.say("reg-devices"),
        _ => return None,
    };
    let number = parts.next().and_then(|place| place.parse::<usize>().ok());
    Some(match number {
        Some(place) => (format!("{group} ({})", place + 1), true),
        None => (group, false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &str = "participant.name,participant.email,address.street,address.postal_code,\
        address.city,address.country,metadata.children,metadata.adults,metadata.adults_with_job,\
        metadata.electric_vehicle_charger,metadata.heat_pump,metadata.home_battery,meters.0.type,\
        meters.0.model";
    const ROW: &str =
        "Erika,e@example.org,Gasse 1,01067,Dresden,DE,0,2,1,no,no,no,ELECTRICITY,MT175";

    /// What is said of a table without the columns that begin so, and of its row alone.
    fn say_without(start: &str) -> String {
        let kept = |line: &str| {
            let cells = line.split(',').zip(COLUMNS.split(','));
            let cells = cells.filter(|(_, name)| !name.starts_with(start)).map(|(cell, _)| cell);
            cells.collect::<Vec<_>>().join(",")
        };
        refused(&kept(COLUMNS), &kept(ROW))
    }

    fn refused(header: &str, row: &str) -> String {
        let read = ebp_survey::import::lines(&format!("{header}\n{row}\n")).unwrap();
        let faults = read[0].1.as_ref().unwrap_err();
        // As it is said of a report that knows no data, too.
        let texts = LineFault::list(faults);
        let told = tell(&texts, faults.clone());
        if !matches!(faults[..], [LineFault::WrongLength { .. }]) {
            assert_eq!(tell(&texts, Vec::new()), told);
        }
        told
    }

    fn tell(reason: &str, faults: Vec<LineFault>) -> String {
        let line = serde_json::json!({"line": 2, "outcome": "refused", "reason": reason,
                                      "faults": faults});
        reasons(Language::De, &serde_json::from_value(line).unwrap()).unwrap()
    }

    #[test]
    fn whatever_is_missing_is_said_in_the_readers_language() {
        for (start, told) in [
            ("participant", "Kontakt: Angaben dazu fehlen."),
            ("address", "Anschrift: Angaben dazu fehlen."),
            ("metadata", "Angaben zum Haushalt: Angaben dazu fehlen."),
            ("meters", "Zähler: Ein Haushalt hat mindestens einen Zähler."),
        ] {
            assert_eq!(say_without(start), told);
        }
        // A second system without a first one, and half of a location.
        let told = refused(&format!("{COLUMNS},pv_systems.1.tilt"), &format!("{ROW},3"));
        assert!(told.contains("Photovoltaikanlagen (1): Angaben dazu fehlen."), "{told}");
        let told = refused(&format!("{COLUMNS},location.latitude"), &format!("{ROW},51"));
        assert_eq!(told, "Länge (Grad Ost): Bitte Grad zwischen -180 und 180.");
        let told = refused(COLUMNS, &format!("{ROW},x"));
        assert_eq!(told, "Die Zeile hat 15 Zellen, die Kopfzeile hat 14.");
    }

    #[test]
    fn no_text_of_the_survey_is_shown_as_it_is() {
        for (part, told) in [
            ("it is no JSON (column 3)", "Die Zeile kann nicht gelesen werden."),
            ("geheim: is no member that is known", "Etwas davon kann nicht gespeichert werden."),
        ] {
            assert_eq!(tell(part, Vec::new()), told);
        }
        let taken = LineFault::Taken { pointer: "/meters/0/uuid".to_owned(), line: 3 };
        assert_eq!(tell("", vec![taken]), "Zähler (1): Die Kennung steht schon in Zeile 3.");
        let email = LineFault::EmailTaken { line: Some(4) };
        let told = "Die E-Mail-Adresse steht in Zeile 4 mit einem anderen Namen.";
        assert_eq!(tell("", vec![email]), told);
    }
}
