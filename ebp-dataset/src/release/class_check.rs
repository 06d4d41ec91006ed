//! Whether attributes are the classes that may be shown (rule R5).

use super::{
    check::{Check, Rule},
    class::{
        ANY, DIRECTIONS, KWP, LARGEST, NONE, PERSONS, SEVERAL, SOME, STEEPEST, Shown, TILTS,
        UNKNOWN,
    },
};

fn is_region(text: &str) -> bool {
    let is_code = (2..=5).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        && text.chars().take(2).all(|c| c.is_ascii_uppercase());
    text == ANY || is_code
}

fn is_year_band(text: &str) -> bool {
    let years = text
        .split_once('-')
        .and_then(|(first, last)| Some((first.parse::<i16>().ok()?, last.parse::<i16>().ok()?)));
    [ANY, NONE].contains(&text)
        || years.is_some_and(|(first, last)| first % 5 == 0 && last == first + 4)
}

/// Whether a value is one of the classes of its column.
fn is_class(column: &str, value: &str) -> bool {
    let named = |classes: &[(&str, f64)]| classes.iter().any(|(name, _)| *name == value);
    match column {
        "region" => is_region(value),
        "kwp_class" => named(&KWP) || [LARGEST, NONE, SOME].contains(&value),
        "installation_years" => is_year_band(value),
        "azimuth" => DIRECTIONS.contains(&value) || [SEVERAL, NONE, ANY].contains(&value),
        "tilt_class" => named(&TILTS) || [STEEPEST, NONE, ANY].contains(&value),
        "persons" => PERSONS.contains(&value) || [UNKNOWN, ANY].contains(&value),
        _ => ["yes", "no", UNKNOWN, ANY].contains(&value),
    }
}

/// Rule R5: every value is in the list of its classes.
#[must_use]
pub fn check_classes<'a>(shown: impl IntoIterator<Item = &'a Shown>) -> Check {
    let mut count = 0;
    for household in shown {
        for (column, value) in household.values() {
            if !is_class(column, value) {
                return Check::failed(Rule::R5, format!("{value:?} is no class of {column}"));
            }
            count += 1;
        }
    }
    Check::passed(Rule::R5, format!("{count} values are classes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::class::{Answers, Detail, Profile, SystemFacts};

    #[test]
    fn a_value_that_is_no_class_is_found() {
        let system = SystemFacts { kwp: 8.0, azimuth: 180.0, tilt: 30.0, year: 2020 };
        let answers = Answers { charger: true, heat_pump: false, battery: true };
        let profile = Profile {
            nuts3: Some("DEA22".into()),
            systems: vec![system],
            persons: Some(5),
            answers: Some(answers),
        };
        let mut shown = Shown::classify(&profile, Detail::Nuts3);
        shown.kwp = "8.0".into();
        let check = check_classes([&shown]);
        assert!(!check.passed && check.found.contains("kwp_class"), "{check:?}");
        shown.kwp = "7-10".into();
        shown.year = "2019-2023".into();
        assert!(!check_classes([&shown]).passed);
        shown.year = ANY.into();
        shown.region = "Bonn".into();
        assert!(!check_classes([&shown]).passed);
    }
}
