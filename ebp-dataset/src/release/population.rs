//! How many photovoltaic systems of the population stand behind a combination (rule R8).

use std::collections::BTreeMap;

use super::{
    check::{Check, Rule},
    class::{ANY, Detail, NONE, Shown},
};

/// Systems that stand behind every combination at least.
pub const LEAST_SYSTEMS: u64 = 100;

/// Why a count of systems cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The first line does not say when the systems were counted.
    #[error("line 1: it is not `# as of YYYY-MM-DD`")]
    Date,
    /// The second line has other names.
    #[error("line 2: it is not `nuts3,kwp_class,installation_years,systems`")]
    Header,
    /// A line has other values.
    #[error("line {0}: it is no region, class, years and count")]
    Line(usize),
}

/// A count of the population's systems by region, class of nominal power, and years.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    date: String,
    counts: BTreeMap<(String, String, String), u64>,
}

impl Register {
    /// Reads `# as of YYYY-MM-DD`, then CSV with the columns `nuts3,kwp_class,installation_years,systems`.
    ///
    /// # Errors
    /// [`RegisterError`] names the line.
    pub fn parse(text: &str) -> Result<Self, RegisterError> {
        let mut lines = text.lines().map(str::trim).enumerate();
        let date = lines.next().and_then(|(_, line)| line.strip_prefix("# as of "));
        let date = date.map(str::trim).filter(|date| date.parse::<jiff::civil::Date>().is_ok());
        let date = date.ok_or(RegisterError::Date)?.to_owned();
        let header = lines.next().map(|(_, line)| line);
        if header != Some("nuts3,kwp_class,installation_years,systems") {
            return Err(RegisterError::Header);
        }
        let mut counts = BTreeMap::new();
        for (place, line) in lines.filter(|(_, line)| !line.is_empty()) {
            let wrong = RegisterError::Line(place + 1);
            let parts: Vec<_> = line.split(',').map(str::trim).collect();
            let [region, kwp, years, systems] = parts.as_slice() else { return Err(wrong) };
            let systems: u64 = systems.parse().map_err(|_| wrong)?;
            let key = ((*region).to_owned(), (*kwp).to_owned(), (*years).to_owned());
            *counts.entry(key).or_insert(0) += systems;
        }
        Ok(Self { date, counts })
    }

    /// When the systems were counted.
    #[must_use]
    pub fn date(&self) -> &str {
        &self.date
    }

    /// How many systems could be the one that is shown.
    #[must_use]
    pub fn behind(&self, shown: &Shown) -> u64 {
        let fits = |(region, kwp, years): &(String, String, String)| {
            (shown.region == ANY || region.starts_with(&shown.region))
                && (!is_said(&shown.kwp) || *kwp == shown.kwp)
                && (!is_said(&shown.year) || *years == shown.year)
        };
        self.counts.iter().filter(|(key, _)| fits(key)).map(|(_, count)| count).sum()
    }
}

fn is_said(class: &str) -> bool {
    ![ANY, "some"].contains(&class)
}

/// Whether enough systems stand behind what is shown; without a count the region is NUTS-1 at finest.
pub(super) fn is_behind(shown: &Shown, register: Option<&Register>) -> bool {
    match register {
        None => shown.region == ANY || shown.region.len() <= Detail::Nuts1.region_length(),
        Some(_) if shown.kwp == NONE => true,
        Some(register) => register.behind(shown) >= LEAST_SYSTEMS,
    }
}

/// Rule R8: at least 100 systems stand behind every combination.
#[must_use]
pub fn check_population<'a>(
    shown: impl IntoIterator<Item = &'a Shown>,
    register: Option<&Register>,
) -> Check {
    let mut least = u64::MAX;
    for household in shown {
        if !is_behind(household, register) {
            let found = format!(
                "{} with {} of {} is too rare",
                household.region, household.kwp, household.year
            );
            return Check::failed(Rule::R8, found);
        }
        if let Some(register) = register.filter(|_| household.kwp != NONE) {
            least = least.min(register.behind(household));
        }
    }
    let found = register.map_or_else(
        || "no count of systems was given: regions are NUTS-1 at finest".to_owned(),
        |register| match least {
            u64::MAX => format!("no systems are shown; they were counted on {}", register.date),
            least => format!("at least {least} systems, as counted on {}", register.date),
        },
    );
    Check::passed(Rule::R8, found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::class::{Profile, SystemFacts};

    const COUNTS: &str = "# as of 2026-10-01\n\
        nuts3,kwp_class,installation_years,systems\n\
        DEA22,7-10,2020-2024,80\n\
        DEA22,7-10,2015-2019,30\n\
        DEA23,7-10,2020-2024,25\n\
        DEB11,>=30,2020-2024,3\n";

    fn shown(kwp: f64, detail: Detail) -> Shown {
        let system = SystemFacts { kwp, azimuth: 180.0, tilt: 30.0, year: 2021 };
        let nuts3 = Some(if kwp > 29.0 { "DEB11" } else { "DEA22" }.to_owned());
        Shown::classify(&Profile { nuts3, systems: vec![system], ..Profile::default() }, detail)
    }

    #[test]
    fn systems_are_counted_as_coarsely_as_they_are_shown() {
        let register = Register::parse(COUNTS).unwrap();
        assert_eq!(register.date(), "2026-10-01");
        let behind = |detail| register.behind(&shown(8.0, detail));
        assert_eq!(behind(Detail::Nuts3), 80);
        assert_eq!(behind(Detail::Nuts2), 105);
        assert_eq!(behind(Detail::NoYear), 135);
        assert_eq!(behind(Detail::NoPower), 138);
        assert_eq!(behind(Detail::Nothing), 138);
    }

    #[test]
    fn a_rare_combination_is_found() {
        let register = Register::parse(COUNTS).unwrap();
        let check = |shown: &Shown, register| check_population([shown], register);
        assert!(!check(&shown(8.0, Detail::Nuts3), Some(&register)).passed);
        let passed = check(&shown(8.0, Detail::Nuts2), Some(&register));
        assert!(
            passed.passed && passed.found.contains("105") && passed.found.contains("2026-10-01")
        );
        assert!(!check(&shown(30.0, Detail::NoYear), Some(&register)).passed);
        // Without a count, by the region alone.
        assert!(!check(&shown(8.0, Detail::Nuts2), None).passed);
        assert!(check(&shown(30.0, Detail::Nuts1), None).passed);
        assert!(
            check(&Shown::classify(&Profile::default(), Detail::Nuts3), Some(&register)).passed
        );
    }

    #[test]
    fn a_file_that_is_no_count_is_refused_with_its_line() {
        let error = |text: &str| Register::parse(text).unwrap_err().to_string();
        assert!(error("nuts3,kwp_class").starts_with("line 1"));
        assert!(error("# as of yesterday").starts_with("line 1"));
        assert!(error("# as of 2026-10-01\nregion,systems").starts_with("line 2"));
        assert!(error(&COUNTS.replace(",30", ",few")).starts_with("line 4"));
    }
}
