//! Texts that participants agree to: the template, and the demo's, which is the template filled in.

use std::{fs, path::Path};

use ebp_core::contract::Language;

use crate::{
    exit::{CommandResult, Context, Failure},
    file::write_whole,
};

/// Language, summary and details of the template. Its gaps are `TODO(NAME)`.
const TEMPLATE: [(Language, &str, &str); 2] = [
    (Language::De, include_str!("../texts/summary.de.md"), include_str!("../texts/details.de.md")),
    (Language::En, include_str!("../texts/summary.en.md"), include_str!("../texts/details.en.md")),
];

/// What the template's gaps are in the demo: name, German, English.
const DEMO: [(&str, &str, &str); 12] = [
    ("who", "Das erfundene Institut für Beispiele", "The fictitious Institute of Examples"),
    (
        "purpose",
        "Wir wollen verstehen, wann Haushalte Strom brauchen und wie viel von ihrem Solarstrom sie \
         selbst nutzen.",
        "We want to understand when households need electricity, and how much of their own solar \
         power they use.",
    ),
    (
        "duration",
        "ein Jahr lang. Diese Studie gibt es nicht wirklich.",
        "for one year. This study does not really exist.",
    ),
    (
        "contact",
        "Beispielstraße 1, 12345 Beispiel, studie@example.org, 030 1234567.",
        "Beispielstraße 1, 12345 Beispiel, study@example.org, +49 30 1234567.",
    ),
    (
        "controller",
        "Institut für Beispiele (erfunden), Beispielstraße 1, 12345 Beispiel",
        "Institute of Examples (fictitious), Beispielstraße 1, 12345 Beispiel",
    ),
    ("officer", "datenschutz@example.org", "privacy@example.org"),
    (
        "recipients",
        "Keine: Die Daten bleiben auf diesem Rechner.",
        "None: the data stay on this computer.",
    ),
    ("third-countries", "keine", "none"),
    ("retention", "ein Jahr nach Ende der Studie", "one year after the study's end"),
    ("backups", "keine", "none"),
    (
        "publication",
        "Daten dieser Vorführung werden nicht veröffentlicht.",
        "Data of this demonstration are not published.",
    ),
    (
        "authority",
        "die Datenschutzbehörde Ihres Bundeslandes",
        "the data protection authority of your federal state",
    ),
];

/// The demo's survey, as its server is configured.
pub const DEMO_CONFIG: &str = "\
[survey]
name = \"ebp demo\"
controller = \"Institut für Beispiele (fictitious), Beispielstraße 1, 12345 Beispiel\"
contacts = [{ name = \"Studie\", email = \"study@example.org\", phone = \"+49 30 1234567\" }]
texts = \"texts\"
prices = [{ from = \"2025-01-01\", import = \"0.3512\", export = \"0.0794\" }]
";

/// Writes version 1 of the template, in whose place a text without gaps has to be put.
///
/// # Errors
/// If a file is there already, or cannot be written.
pub fn write_template(folder: &Path) -> CommandResult {
    let version = folder.join("1");
    if version.exists() {
        return Err(Failure::failed(format!("{} is there already", version.display())).remedy(
            "choose another folder; a changed text is put into a folder of the next number",
        ));
    }
    write(folder, |_, text| text.to_owned())
}

/// Writes the demo's texts.
///
/// # Errors
/// If a file cannot be written.
pub fn write_demo(folder: &Path) -> CommandResult {
    write(folder, fill)
}

fn write(folder: &Path, fill: impl Fn(Language, &str) -> String) -> CommandResult {
    for (language, summary, details) in TEMPLATE {
        let own = folder.join("1").join(language.code());
        fs::create_dir_all(&own).or_failed(format!("cannot make {}", own.display()))?;
        for (name, text) in [("summary.md", summary), ("details.md", details)] {
            write_whole(&own.join(name), fill(language, text).as_bytes())?;
        }
    }
    Ok(())
}

/// A text of the template with the demo's answers.
fn fill(language: Language, text: &str) -> String {
    DEMO.iter().fold(text.to_owned(), |text, (gap, german, english)| {
        let filling = match language {
            Language::De => german,
            Language::En => english,
        };
        text.replace(&format!("TODO({gap})"), filling)
    })
}

#[cfg(test)]
mod tests {
    use ebp_survey::text::{TextError, load_texts};

    use super::*;

    #[test]
    fn the_template_is_refused_with_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        write_template(folder.path()).unwrap();
        let error = load_texts(folder.path()).unwrap_err();
        assert!(matches!(error, TextError::Gap { line: 3, gap: "TODO", .. }), "{error}");
        assert!(error.to_string().contains("/1/"), "{error}");
    }

    #[test]
    fn the_demos_texts_are_whole_and_short() {
        let folder = tempfile::tempdir().unwrap();
        write_demo(folder.path()).unwrap();
        let texts = load_texts(folder.path()).unwrap();
        assert_eq!(texts.texts.len(), 2);
        for text in texts.texts {
            let words = text.summary.split_whitespace().count();
            assert!(words < 200, "{} has {words} words", text.language);
            assert!(!text.details.contains("TODO"));
        }
    }

    /// The same gaps in both languages, and an answer for each.
    #[test]
    fn every_gap_has_an_answer() {
        let gaps = |texts: [&str; 2]| {
            let text = texts.concat();
            let mut gaps: Vec<_> = text
                .split("TODO(")
                .skip(1)
                .map(|rest| rest.split(')').next().unwrap().to_owned())
                .collect();
            gaps.sort();
            gaps.dedup();
            gaps
        };
        let [german, english] = TEMPLATE.map(|(_, summary, details)| gaps([summary, details]));
        assert_eq!(german, english);
        let mut answered = DEMO.map(|(gap, ..)| gap.to_owned()).to_vec();
        answered.sort();
        assert_eq!(german, answered);
    }
}
