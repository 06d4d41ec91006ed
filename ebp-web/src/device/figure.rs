//! The figures of a period, each with what it means, and beside it those of the period before.

use ebp_core::contract::{EnergyBounds, EnergySummary, ExactNumber};
use rust_decimal::Decimal;

use crate::kit::{language::Language, number};

/// A figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// What it is called.
    pub name: String,
    /// Its value with unit; a dash if it is not known.
    pub value: String,
    /// What stands below: why it is not known, or the period before.
    pub below: String,
    /// The class of its key in the chart, if it is drawn.
    pub key: &'static str,
    /// How it is computed.
    pub formula: String,
}

/// The figures, in the order in which pages show them.
#[must_use]
pub fn figures(
    language: Language,
    summary: &EnergySummary,
    previous: Option<&EnergySummary>,
) -> Vec<Figure> {
    let energy = |name: String, key, formula: String, member: &str, of: Member| {
        let before = previous.and_then(of.value).map(|value| kilowatt_hours(language, value));
        let bounds = (of.bounds)(summary);
        let (value, below) = match ((of.value)(summary), bounds) {
            (Some(value), _) => {
                let below =
                    before.map(|before| language.say_with("before", [("value", before.into())]));
                (kilowatt_hours(language, value), below.unwrap_or_default())
            }
            // A locked meter shows whole kilowatt hours.
            (None, Some([lo, hi])) => (
                language.say_with(
                    "from-to",
                    [
                        ("from", number::number(language, lo.0, 1).into()),
                        ("to", number::quantity(language, hi.0, 1, "kWh").into()),
                    ],
                ),
                language.say("range-why"),
            ),
            (None, None) => ("–".to_owned(), reason(language, summary, member)),
        };
        Figure { name, value, below, key, formula }
    };
    let share =
        |name: String, formula: String, member: &str, of: fn(&EnergySummary) -> Option<Decimal>| {
            let before = previous.and_then(of).map(|value| number::percent(language, value));
            let (value, below) = match of(summary) {
                Some(value) => {
                    let below = before
                        .map(|before| language.say_with("before", [("value", before.into())]));
                    (number::percent(language, value), below.unwrap_or_default())
                }
                None => ("–".to_owned(), reason(language, summary, member)),
            };
            Figure { name, value, below, key: "", formula }
        };
    let battery = if summary.has_battery {
        format!(" {}", language.say("formula-battery"))
    } else {
        String::new()
    };
    vec![
        energy(
            language.say("import"),
            "up",
            language.say("formula-import"),
            "import",
            Member { value: |s| decimal(s.import), bounds: |s| s.import_bounds },
        ),
        energy(
            language.say("export"),
            "down",
            language.say("formula-export"),
            "export",
            Member { value: |s| decimal(s.export), bounds: |s| s.export_bounds },
        ),
        energy(
            language.say("generation"),
            "line",
            language.say("formula-generation"),
            "generation",
            Member { value: |s| decimal(s.generation), bounds: |s| s.generation_bounds },
        ),
        share(
            language.say("own-share"),
            language.say("formula-own-share") + &battery,
            "self_consumption_share",
            |s| decimal(s.self_consumption_share),
        ),
        share(
            language.say("autarky"),
            language.say("formula-autarky") + &battery,
            "autarky",
            |s| decimal(s.autarky),
        ),
    ]
}

#[derive(Clone, Copy)]
struct Member {
    value: fn(&EnergySummary) -> Option<Decimal>,
    bounds: fn(&EnergySummary) -> Option<EnergyBounds>,
}

fn decimal(number: Option<ExactNumber>) -> Option<Decimal> {
    number.map(|number| number.0)
}

fn kilowatt_hours(language: Language, value: Decimal) -> String {
    number::quantity(language, value, 2, "kWh")
}

/// Why a member is not known.
fn reason(language: Language, summary: &EnergySummary, member: &str) -> String {
    match summary.reasons.get(member).map(String::as_str) {
        Some("no_generation_meter") => language.say("why-no-generation-meter"),
        Some("unmetered_system" | "full_feed_in" | "cascade") => language.say("why-topology"),
        Some("no_grid_meter") => language.say("why-no-grid-meter"),
        Some("several_grid_meters") => language.say("why-several-grid-meters"),
        Some("one_register") => language.say("why-one-register"),
        Some("coverage") => language.say("why-coverage"),
        Some("too_little") => language.say("why-too-little"),
        _ => language.say("why-not-measured"),
    }
}
