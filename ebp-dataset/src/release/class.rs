//! A household's attributes in classes, and how they are made coarser step by step (rule R5).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What is not shown.
pub(super) const ANY: &str = "any";
/// A household without photovoltaic systems.
pub(super) const NONE: &str = "none";
/// A household with photovoltaic systems, of which no more is said.
pub(super) const SOME: &str = "some";
/// What the household did not say.
pub(super) const UNKNOWN: &str = "unknown";

pub(super) const KWP: [(&str, f64); 6] =
    [("<3", 3.0), ("3-5", 5.0), ("5-7", 7.0), ("7-10", 10.0), ("10-15", 15.0), ("15-30", 30.0)];
pub(super) const LARGEST: &str = ">=30";
pub(super) const DIRECTIONS: [&str; 8] = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"];
pub(super) const SEVERAL: &str = "several";
pub(super) const TILTS: [(&str, f64); 3] = [("<20", 20.0), ("20-40", 40.0), ("40-60", 60.0)];
pub(super) const STEEPEST: &str = ">=60";
pub(super) const PERSONS: [&str; 4] = ["1", "2", "3", "4+"];

/// A photovoltaic system.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SystemFacts {
    /// Nominal power, kWp.
    pub kwp: f64,
    /// Degrees clockwise from north.
    pub azimuth: f64,
    /// Degrees from the horizontal.
    pub tilt: f64,
    /// The year of its installation.
    pub year: i16,
}

/// A household's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Answers {
    /// Whether there is a charger for electric vehicles.
    pub charger: bool,
    /// Whether there is a heat pump.
    pub heat_pump: bool,
    /// Whether there is a battery.
    pub battery: bool,
}

/// What is stored of a household.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profile {
    /// Its NUTS-3 region, if its location is known.
    pub nuts3: Option<String>,
    /// Its photovoltaic systems.
    pub systems: Vec<SystemFacts>,
    /// How many persons live there, if that is known.
    pub persons: Option<u8>,
    /// Its answers, if it gave any.
    pub answers: Option<Answers>,
}

/// How much of a household is shown, from fine to coarse. Each step takes one thing more away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detail {
    /// All classes, with the NUTS-3 region.
    Nuts3,
    /// The NUTS-2 region.
    Nuts2,
    /// The NUTS-1 region.
    Nuts1,
    /// The country.
    Country,
    /// Also without the year of installation.
    NoYear,
    /// Also without the tilt.
    NoTilt,
    /// Also without the direction.
    NoAzimuth,
    /// Also without the number of persons.
    NoPersons,
    /// Also without the nominal power, but whether there is a system.
    NoPower,
    /// Nothing but whether there is a system, which the series show.
    Nothing,
}

impl Detail {
    /// From fine to coarse.
    pub const ALL: [Self; 10] = [
        Self::Nuts3,
        Self::Nuts2,
        Self::Nuts1,
        Self::Country,
        Self::NoYear,
        Self::NoTilt,
        Self::NoAzimuth,
        Self::NoPersons,
        Self::NoPower,
        Self::Nothing,
    ];

    /// The next coarser one.
    #[must_use]
    pub fn coarser(self) -> Option<Self> {
        Self::ALL.get(self as usize + 1).copied()
    }

    /// The name in files and in the ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nuts3 => "nuts3",
            Self::Nuts2 => "nuts2",
            Self::Nuts1 => "nuts1",
            Self::Country => "country",
            Self::NoYear => "no-year",
            Self::NoTilt => "no-tilt",
            Self::NoAzimuth => "no-azimuth",
            Self::NoPersons => "no-persons",
            Self::NoPower => "no-power",
            Self::Nothing => "nothing",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|detail| detail.name() == name)
    }

    /// How many characters of a region's code are shown.
    #[must_use]
    pub const fn region_length(self) -> usize {
        match self {
            Self::Nuts3 => 5,
            Self::Nuts2 => 4,
            Self::Nuts1 => 3,
            _ => 2,
        }
    }
}

/// What a release shows of a household.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Shown {
    /// The code of its region.
    pub region: String,
    /// Nominal power of all its systems together.
    pub kwp: String,
    /// When the first of them was installed.
    pub year: String,
    /// Where they face.
    pub azimuth: String,
    /// The tilt of the largest.
    pub tilt: String,
    /// Persons.
    pub persons: String,
    /// `yes`, `no`, `unknown` or `any`.
    pub charger: String,
    /// The same.
    pub heat_pump: String,
    /// The same.
    pub battery: String,
}

impl Shown {
    /// A household in that detail.
    #[must_use]
    pub fn classify(profile: &Profile, detail: Detail) -> Self {
        let shown = |until: Detail, value: String| {
            if detail < until { value } else { ANY.to_owned() }
        };
        let answer = |of: fn(&Answers) -> bool| {
            let word = profile.answers.as_ref().map_or(UNKNOWN, |all| yes_or_no(of(all)));
            shown(Detail::Nothing, word.to_owned())
        };
        let kwp = kwp_class(&profile.systems);
        Self {
            region: shown(Detail::Nothing, region(profile, detail.region_length())),
            kwp: match (detail < Detail::NoPower, profile.systems.is_empty()) {
                (true, _) | (_, true) => kwp.to_owned(),
                (false, false) => SOME.to_owned(),
            },
            year: shown(Detail::NoYear, year_band(&profile.systems)),
            azimuth: shown(Detail::NoAzimuth, direction(&profile.systems).to_owned()),
            tilt: shown(Detail::NoTilt, tilt_class(&profile.systems).to_owned()),
            persons: shown(Detail::NoPersons, persons_class(profile.persons).to_owned()),
            charger: answer(|all| all.charger),
            heat_pump: answer(|all| all.heat_pump),
            battery: answer(|all| all.battery),
        }
    }

    /// Its values with the names of their columns, in their order.
    #[must_use]
    pub fn values(&self) -> [(&'static str, &str); 9] {
        [
            ("region", &self.region),
            ("kwp_class", &self.kwp),
            ("installation_years", &self.year),
            ("azimuth", &self.azimuth),
            ("tilt_class", &self.tilt),
            ("persons", &self.persons),
            ("charger", &self.charger),
            ("heat_pump", &self.heat_pump),
            ("battery", &self.battery),
        ]
    }

    /// The same, from values in the order of [`values`](Self::values).
    #[must_use]
    pub fn from_values(values: [String; 9]) -> Self {
        let [region, kwp, year, azimuth, tilt, persons, charger, heat_pump, battery] = values;
        Self { region, kwp, year, azimuth, tilt, persons, charger, heat_pump, battery }
    }

    /// The answers.
    #[must_use]
    pub fn answers(&self) -> [&str; 3] {
        [&self.charger, &self.heat_pump, &self.battery]
    }

    /// Everything but the answers.
    #[must_use]
    pub fn without_answers(&self) -> [&str; 6] {
        [&self.region, &self.kwp, &self.year, &self.azimuth, &self.tilt, &self.persons]
    }
}

fn yes_or_no(answer: bool) -> &'static str {
    if answer { "yes" } else { "no" }
}

/// The first characters of a region's code; a code that is shorter says as much as it can.
fn region(profile: &Profile, length: usize) -> String {
    profile
        .nuts3
        .as_ref()
        .map_or_else(|| ANY.to_owned(), |code| code.chars().take(length).collect())
}

fn below<'a>(classes: &[(&'a str, f64)], last: &'a str, value: f64) -> &'a str {
    classes.iter().find(|(_, end)| value < *end).map_or(last, |(name, _)| name)
}

fn kwp_class(systems: &[SystemFacts]) -> &'static str {
    if systems.is_empty() {
        return NONE;
    }
    below(&KWP, LARGEST, systems.iter().map(|system| system.kwp).sum())
}

/// Five years, of the first system.
fn year_band(systems: &[SystemFacts]) -> String {
    systems.iter().map(|system| system.year).min().map_or_else(
        || NONE.to_owned(),
        |year| {
            let first = year - year.rem_euclid(5);
            format!("{first}-{}", first + 4)
        },
    )
}

fn direction(systems: &[SystemFacts]) -> &'static str {
    let of = |system: &SystemFacts| {
        let eighths = (system.azimuth.rem_euclid(360.0) / 45.0).round();
        // From 0 to 8, so it fits.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 8")]
        DIRECTIONS[eighths as usize % 8]
    };
    let all: BTreeSet<_> = systems.iter().map(of).collect();
    match all.len() {
        0 => NONE,
        1 => all.first().copied().unwrap_or(NONE),
        _ => SEVERAL,
    }
}

fn tilt_class(systems: &[SystemFacts]) -> &'static str {
    let largest = systems.iter().max_by(|a, b| a.kwp.total_cmp(&b.kwp));
    largest.map_or(NONE, |system| below(&TILTS, STEEPEST, system.tilt))
}

fn persons_class(persons: Option<u8>) -> &'static str {
    match persons {
        None => UNKNOWN,
        Some(0 | 1) => PERSONS[0],
        Some(2) => PERSONS[1],
        Some(3) => PERSONS[2],
        Some(_) => PERSONS[3],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::check_classes;

    fn system(kwp: f64, azimuth: f64, tilt: f64, year: i16) -> SystemFacts {
        SystemFacts { kwp, azimuth, tilt, year }
    }

    fn profile(systems: Vec<SystemFacts>) -> Profile {
        let answers = Answers { charger: true, heat_pump: false, battery: true };
        Profile { nuts3: Some("DEA22".into()), systems, persons: Some(5), answers: Some(answers) }
    }

    #[test]
    fn classes_have_their_lower_ends() {
        let shown = |kwp, azimuth, tilt, year| {
            let shown =
                Shown::classify(&profile(vec![system(kwp, azimuth, tilt, year)]), Detail::Nuts3);
            [shown.kwp, shown.azimuth, shown.tilt, shown.year].join(" ")
        };
        assert_eq!(shown(2.99, 22.4, 19.9, 2004), "<3 N <20 2000-2004");
        assert_eq!(shown(3.0, 22.6, 20.0, 2005), "3-5 NE 20-40 2005-2009");
        assert_eq!(shown(9.999, 180.0, 40.0, 2019), "7-10 S 40-60 2015-2019");
        assert_eq!(shown(29.9, 337.6, 60.0, 2020), "15-30 N >=60 2020-2024");
        assert_eq!(shown(30.0, 350.0, 90.0, 2024), ">=30 N >=60 2020-2024");
        let two = vec![system(4.0, 90.0, 30.0, 2021), system(5.0, 270.0, 10.0, 2013)];
        let shown = Shown::classify(&profile(two), Detail::Nuts3);
        assert_eq!(shown.values().map(|(_, value)| value.to_owned()).join(" "), {
            "DEA22 7-10 2010-2014 several <20 4+ yes no yes"
        });
        let none = Shown::classify(&Profile::default(), Detail::Nuts3);
        let values = none.values().map(|(_, value)| value.to_owned()).join(" ");
        assert_eq!(values, "any none none none none unknown unknown unknown unknown");
    }

    #[test]
    fn each_step_takes_more_away() {
        let of = profile(vec![system(8.0, 180.0, 30.0, 2020)]);
        let regions = Detail::ALL.map(|detail| Shown::classify(&of, detail).region);
        assert_eq!(regions.join(" "), "DEA22 DEA2 DEA DE DE DE DE DE DE any");
        let mut hidden = 0;
        for detail in Detail::ALL {
            let shown = Shown::classify(&of, detail);
            let now = shown.values().iter().filter(|(_, it)| [ANY, SOME].contains(it)).count();
            assert!(now >= hidden, "{detail:?}");
            hidden = now;
            assert!(check_classes([&shown]).passed);
            assert_eq!(Detail::from_name(detail.name()), Some(detail));
            assert!(detail.coarser().is_none_or(|next| next > detail));
        }
        assert_eq!(Shown::classify(&of, Detail::Nothing).kwp, SOME);
    }
}
