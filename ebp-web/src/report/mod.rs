//! The evaluation of a survey as one page that needs nothing but itself: no script, no other file.
//!
//! Enters: an evaluation, what the survey's households drew, fed in and generated, a map. Leaves: an
//! HTML document with a table beside each chart. Absent: where these come from.

mod coverage;
mod distribution;
mod profile;

use askama::Template;
use ebp_core::evaluation::{Evaluation, MeterEvaluation, Target};
use rust_decimal::{Decimal, prelude::FromPrimitive};

pub use distribution::{Distribution, Ratio};
pub use profile::{Hour, Profiles};

use crate::kit::{
    chart::escape,
    language::{Argument, Language},
    number::number,
};
use coverage::{Coverage, DayState};

/// What a survey's households drew, fed in and generated.
#[derive(Debug, Clone, Default)]
pub struct EnergyFigures {
    /// Households whose energies are in it.
    pub households: u64,
    /// By the hours of the day.
    pub profiles: Profiles,
    /// How households' self-consumption is distributed.
    pub self_consumption: Distribution,
    /// How their autarky is distributed.
    pub autarky: Distribution,
}

/// A map of masked locations.
#[derive(Debug, Clone, Default)]
pub struct RegionMap {
    /// The picture, an `<svg>`.
    pub svg: String,
    /// Regions with masked locations: code, name, how many.
    pub regions: Vec<(String, String, u64)>,
    /// Locations that lie in no region.
    pub outside: u64,
}

/// What is reported.
#[derive(Debug)]
pub struct ReportPage<'a> {
    /// How well the survey met its targets.
    pub evaluation: &'a Evaluation,
    /// Households that are counted and not named.
    pub withheld: usize,
    /// Energies, where the source has any.
    pub energy: Option<EnergyFigures>,
    /// The map, if any location is masked.
    pub map: Option<RegionMap>,
    /// The language of the page.
    pub language: Language,
}

impl ReportPage<'_> {
    /// The document.
    ///
    /// # Errors
    /// [`askama::Error`] if the template cannot be filled.
    pub fn html(&self) -> Result<String, askama::Error> {
        Document::new(self).render()
    }
}

#[derive(Template)]
#[template(path = "report/page.html")]
struct Document {
    language: Language,
    style: &'static str,
    report_style: &'static str,
    window: String,
    withheld: Option<String>,
    overall: Vec<(String, String)>,
    coverage: String,
    keys: Vec<(String, String)>,
    meters: Vec<MeterRow>,
    energy: Option<EnergySection>,
    map: Option<RegionMap>,
}

struct MeterRow {
    number: usize,
    name: String,
    model: String,
    figures: Vec<String>,
}

struct EnergySection {
    households: String,
    profiles: Vec<profile::Panel>,
    distributions: Vec<distribution::Panel>,
}

impl Document {
    fn new(page: &ReportPage<'_>) -> Self {
        let ReportPage { evaluation, withheld, energy, map, language } = page;
        let language = *language;
        let coverage = Coverage::new(evaluation);
        let terms = &evaluation.terms;
        let window = language.say_with(
            "report-window",
            [
                ("meters", count(evaluation.meters.len())),
                ("from", terms.window().from.to_string().into()),
                ("to", terms.window().to.to_string().into()),
                ("measured", terms.measurement_cycle().to_string().into()),
                ("reported", terms.report_cycle().to_string().into()),
            ],
        );
        let energy = energy.as_ref().map(|energy| EnergySection {
            households: language
                .say_with("report-energy-households", [("count", energy.households.into())]),
            profiles: energy.profiles.panels(language),
            distributions: vec![
                energy.autarky.panel(Ratio::Autarky, language),
                energy.self_consumption.panel(Ratio::SelfConsumption, language),
            ],
        });
        let meters = evaluation.meters.iter().zip(&coverage.meters).enumerate();
        Self {
            language,
            style: include_str!("../../assets/style.css"),
            report_style: include_str!("../../assets/report.css"),
            window,
            withheld: (*withheld > 0)
                .then(|| language.say_with("report-withheld", [("count", count(*withheld))])),
            overall: overall(evaluation, language),
            coverage: coverage.svg(language),
            keys: DayState::ALL.map(|state| (coverage::key(state), state.say(language))).to_vec(),
            meters: meters
                .map(|(place, (meter, days))| meter_row(place + 1, meter, days, language))
                .collect(),
            energy,
            map: map.clone().map(|map| named(map, language)),
        }
    }
}

/// The same, whose picture has a name for people who cannot see it.
fn named(map: RegionMap, language: Language) -> RegionMap {
    let name = format!("role=\"img\" aria-label=\"{}\"", escape(&language.say("report-map-text")));
    RegionMap { svg: map.svg.replacen("role=\"img\"", &name, 1), ..map }
}

fn count(number: usize) -> Argument {
    Argument::Count(number as u64)
}

/// The targets of all meters.
fn overall(evaluation: &Evaluation, language: Language) -> Vec<(String, String)> {
    let figures = &evaluation.overall;
    let target = |target: Target| {
        let of = language.say_with(
            "report-of",
            [
                ("reached", whole(language, target.reached).into()),
                ("expected", whole(language, target.expected).into()),
            ],
        );
        format!("{} ({of})", percent(target, language))
    };
    vec![
        (language.say("report-measurement-target"), target(figures.measurements)),
        (language.say("report-report-target"), target(figures.reports)),
        (language.say("report-missed"), whole(language, figures.missed)),
        (language.say("report-doubled"), whole(language, figures.doubled)),
    ]
}

fn meter_row(
    number: usize,
    meter: &MeterEvaluation,
    days: &[DayState],
    language: Language,
) -> MeterRow {
    let figures = &meter.figures;
    let (name, model) = match meter.withheld {
        true => (language.say("report-meter-withheld"), String::new()),
        false => (meter.meter.to_string(), meter.model.clone()),
    };
    let is_whole = |day: &&DayState| **day == DayState::Full;
    let is_expected = |day: &&DayState| **day != DayState::NotExpected;
    let days = |filter: &dyn Fn(&&DayState) -> bool| {
        whole(language, days.iter().filter(|day| filter(day)).count() as u64)
    };
    MeterRow {
        number,
        name,
        model,
        figures: vec![
            percent(figures.measurements, language),
            whole(language, figures.missed),
            whole(language, figures.doubled),
            days(&is_whole),
            days(&is_expected),
            percent(figures.reports, language),
        ],
    }
}

fn whole(language: Language, count: u64) -> String {
    number(language, count.into(), 0)
}

/// As the tables of `ebp report` write it.
fn percent(target: Target, language: Language) -> String {
    let share = target.fulfilment().and_then(Decimal::from_f64);
    share.map_or_else(|| "–".into(), |share| format!("{}\u{a0}%", number(language, share, 2)))
}
