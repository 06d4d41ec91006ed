//! What the page says, and how large it is.

use ebp_core::{
    cycle::Cycle,
    evaluation::{MeterRecord, Observation, Stretch, Terms},
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use ebp_core::evaluation::Evaluation;
use ebp_web::{
    kit::language::Language,
    report::{EnergyFigures, Hour, RegionMap, ReportPage},
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn evaluation(from: &str, to: &str) -> Evaluation {
    Evaluation::new(Terms::new(at(from), at(to), Cycle::QUARTER_HOUR, Cycle::HOUR).unwrap())
}

/// Three days: the first is measured, of the second three quarters, of the third nothing.
fn three_days() -> Evaluation {
    let mut evaluation = evaluation("2026-03-01T00:00:00Z", "2026-03-04T00:00:00Z");
    let slots = (0..2 * 96).filter(|slot| *slot < 96 || slot % 4 != 1);
    let observations = slots.map(|slot| {
        let measured_at = at("2026-03-01T00:00:01Z") + SignedDuration::from_mins(15 * slot);
        Observation { measured_at, received_at: measured_at }
    });
    evaluation.add(MeterRecord {
        meter: Uuid::from_u128(7),
        model: "<MT175>".into(),
        observations: observations.collect(),
        ..MeterRecord::default()
    });
    evaluation
}

fn page(evaluation: &Evaluation, language: Language) -> String {
    let page = ReportPage { evaluation, withheld: 0, energy: None, map: None, language };
    page.html().unwrap()
}

/// The shapes of the picture of days, each with where it begins.
fn shapes(html: &str) -> Vec<String> {
    let picture =
        html.split("<div class=\"plot\">").nth(1).unwrap().split("</div>").next().unwrap();
    let paths = picture.split("<path class=\"").skip(1);
    paths
        .map(|path| {
            let (class, rest) = path.split_once('"').unwrap();
            let place = rest.split("d=\"").nth(1).unwrap().split(' ').next().unwrap();
            format!("{class} {place}")
        })
        .collect()
}

#[test]
fn days_are_what_the_figures_say() {
    let evaluation = three_days();
    let figures = &evaluation.meters[0].figures;
    assert_eq!((figures.missed, figures.measurements.expected), (24 + 96, 3 * 96));
    let html = page(&evaluation, Language::En);
    assert_eq!(shapes(&html), ["full M0", "part M10", "nothing M20"]);
    // 168 of 288.
    assert!(html.contains("<td>58.33\u{a0}%</td><td>120</td><td>0</td><td>1</td><td>3</td>"));
    let german = page(&evaluation, Language::De);
    assert!(german.contains("<td>58,33\u{a0}%</td>") && german.contains("lang=\"de\""));
    assert!(!html.contains("<MT175>") && html.contains("&#60;MT175&#62;"), "names are text");
}

#[test]
fn a_day_before_the_first_measurement_expects_nothing() {
    let mut evaluation = evaluation("2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z");
    let observations = (96..192)
        .map(|slot| {
            let measured_at = at("2026-03-01T00:00:01Z") + SignedDuration::from_mins(15 * slot);
            Observation { measured_at, received_at: measured_at }
        })
        .collect();
    evaluation.add(MeterRecord { observations, ..MeterRecord::default() });
    assert_eq!(shapes(&page(&evaluation, Language::De)), ["full M10", "none M0"]);
}

/// A year of a hundred meters, each with a gap of its own every other day.
#[test]
fn a_hundred_meters_and_a_year_stay_small_and_need_nothing_else() {
    let mut evaluation = evaluation("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
    evaluation.add(MeterRecord::default());
    let mut meter = evaluation.meters.remove(0);
    for number in 0..100 {
        meter.meter = Uuid::from_u128(number);
        meter.begins = Some(at("2026-01-01T00:00:00Z"));
        meter.silences = (0..365)
            .filter(|day| day % 2 == 0)
            .map(|day| {
                let from = at("2026-01-01T06:00:00Z") + SignedDuration::from_hours(24 * day);
                Stretch {
                    from,
                    to: from + SignedDuration::from_hours(1 + (day + number as i64) % 9),
                }
            })
            .collect();
        evaluation.meters.push(meter.clone());
    }
    let hour = |hour, load: &str| Hour {
        hour,
        month: 7,
        is_weekend: false,
        load: load.parse().ok(),
        export: "0.25".parse().ok(),
        generation: None,
    };
    let mut energy = EnergyFigures { households: 2, ..EnergyFigures::default() };
    energy.profiles.add(hour(12, "0.5"));
    energy.profiles.add(hour(12, "1"));
    for share in ["0.2", "0.31", "1", "-0.01"] {
        energy.autarky.add(share.parse().unwrap());
    }
    assert_eq!(energy.autarky.median(), "0.2".parse().ok());
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"><g></g></svg>".to_owned();
    let regions = vec![("DEA2C".to_owned(), "Rhein-Sieg-Kreis".to_owned(), 2)];
    let map = Some(RegionMap { svg, regions, outside: 1 });
    let page = ReportPage {
        evaluation: &evaluation,
        withheld: 1,
        energy: Some(energy),
        map,
        language: Language::En,
    };
    let html = page.html().unwrap();
    assert!(html.len() < 1_000_000, "{} octets", html.len());
    assert!(html.contains("<th scope=\"row\">12:00</th><td>0.750</td><td>0.250</td><td>–</td>"));
    assert!(html.contains("<th scope=\"row\">30% – 40%</th><td>1</td>"), "{html}");
    assert_eq!(html.matches("<th scope=\"row\">0% – 10%</th><td>1</td>").count(), 1);
    assert!(html.contains("Rhein-Sieg-Kreis") && html.contains("in no region"));
    for outer in ["<script", "src=", "href=", "url(http", "@import"] {
        assert!(!html.contains(outer), "{outer}");
    }
    let links = html.replace("http://www.w3.org/2000/svg", "");
    assert!(!links.contains("http"), "no outer reference");
}
