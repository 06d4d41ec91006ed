//! Why a row of an import is refused, in the reader's language: each fault names what it is about.

use super::draft::Draft;
use crate::kit::language::Language;

/// Faults of a row as the survey says them, in the reader's language.
pub fn reasons(language: Language, reason: &str) -> String {
    reason.split("; ").map(|part| one(language, part)).collect::<Vec<_>>().join(" · ")
}

fn one(language: Language, part: &str) -> String {
    if let Some((cells, header)) = lengths(part) {
        let counts = [("cells", cells.into()), ("header", header.into())];
        return language.say_with("reg-line-length", counts);
    }
    let Some((place, detail)) = part.split_once(": ") else {
        return language.say("reg-fault-other");
    };
    let pointer = format!("/{}", place.trim_start_matches('/'));
    Draft::said_of(language, &pointer, detail)
        .unwrap_or_else(|| of_group(language, &pointer, detail))
}

/// Of a place at which no question is asked: what the questions there are about.
fn of_group(language: Language, pointer: &str, detail: &str) -> String {
    let mut parts = pointer.split('/').skip(1);
    let group = match parts.next().unwrap_or_default() {
        "participant" => language.say("reg-contact"),
        "address" => language.say("reg-address"),
        "location" => language.say("reg-location"),
        "metadata" => language.say("reg-answers"),
        "meters" => language.say("reg-meters"),
        "pv_systems" => language.say("reg-systems"),
        _ => return language.say("reg-fault-other"),
    };
    let number = parts.next().and_then(|place| place.parse::<usize>().ok());
    let of = number.map_or(group.clone(), |place| format!("{group} ({})", place + 1));
    // A number that was skipped is `null`.
    let is_missing = detail == "is missing" || (number.is_some() && detail.contains("object"));
    let said = match (pointer, is_missing) {
        ("/meters", true) => language.say("reg-fault-meters"),
        (_, true) => language.say("reg-fault-missing"),
        (_, false) => language.say("reg-fault-other"),
    };
    format!("{of}: {said}")
}

/// The cells of a row of another length than the header, and those of the header.
fn lengths(part: &str) -> Option<(String, String)> {
    let (cells, header) = part.strip_prefix("the row has ")?.split_once(" cells, ")?;
    Some((cells.to_owned(), header.strip_prefix("and the header has ")?.to_owned()))
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
        reasons(Language::De, read[0].1.as_ref().unwrap_err())
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
        for part in [
            "it is no JSON (column 3)",
            "meters/0/uuid: stands in line 3 already",
            "measurement_device: stands in line 3 already",
            "geheim: is no member that is known",
        ] {
            let said = reasons(Language::De, part);
            assert!(said.ends_with("Etwas davon kann nicht gespeichert werden."), "{said}");
        }
    }
}
