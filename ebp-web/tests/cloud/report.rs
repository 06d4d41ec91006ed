//! The page of a report in headless Chromium, from a file: at three widths, in both languages and themes,
//! and without script.

use std::{fs, thread, time::Duration};

use ebp_core::{
    cycle::Cycle,
    evaluation::{Evaluation, MeterRecord, Observation, Terms},
};
use ebp_needs::needs;
use ebp_testkit::browser::{Browser, View};
use ebp_web::{
    kit::language::Language,
    report::{EnergyFigures, Hour, RegionMap, ReportPage},
};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

const AXE: &str = include_str!("../axe/axe.min.js");

fn evaluation() -> Evaluation {
    let start: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let end = start + SignedDuration::from_hours(24 * 30);
    let terms = Terms::new(start, end, Cycle::QUARTER_HOUR, Cycle::HOUR).unwrap();
    let mut evaluation = Evaluation::new(terms);
    for meter in 0..4_i64 {
        let slots = (96 * meter..96 * 30).filter(|slot| meter == 0 || slot % (11 * meter) != 0);
        let observations = slots.map(|slot| {
            let measured_at = start + SignedDuration::from_secs(900 * slot + 1);
            Observation { measured_at, received_at: measured_at }
        });
        evaluation.add(MeterRecord {
            meter: Uuid::from_u128(meter.unsigned_abs().into()),
            model: "MT175".into(),
            observations: observations.collect(),
            withheld: meter == 3,
            ..MeterRecord::default()
        });
    }
    evaluation
}

fn energy() -> EnergyFigures {
    let mut energy = EnergyFigures { households: 3, ..EnergyFigures::default() };
    for hour in 0..24_usize {
        for (month, is_weekend) in [(1, false), (4, true), (7, false), (10, true)] {
            let value = |factor: i64| Some(Decimal::new(factor * (hour as i64 + 1), 2));
            let (load, export, generation) = (value(3), value(2), value(4));
            energy.profiles.add(Hour { hour, month, is_weekend, load, export, generation });
        }
    }
    for share in [10, 35, 36, 90] {
        energy.autarky.add(Decimal::new(share, 2));
        energy.self_consumption.add(Decimal::new(100 - share, 2));
    }
    energy
}

fn map() -> RegionMap {
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 100 60\">\
               <g fill=\"#f4f1e8\" stroke=\"#8a8a8a\"><path id=\"DEA2C\" d=\"M5 5h90v40h-90z\">\
               <title>Rhein-Sieg-Kreis</title></path></g><circle class=\"masked\" cx=\"50\" cy=\"25\" \
               r=\"2\"/><g fill=\"#595959\" font-size=\"4\"><text y=\"55\">© Somebody</text></g></svg>"
        .to_owned();
    RegionMap { svg, regions: vec![("DEA2C".into(), "Rhein-Sieg-Kreis".into(), 1)], outside: 0 }
}

#[needs(chromium)]
#[test]
fn the_page_of_a_report_is_sound() {
    let folder = tempfile::tempdir().unwrap();
    let evaluation = evaluation();
    for (code, language) in [("de", Language::De), ("en", Language::En)] {
        let (energy, map) = (Some(energy()), Some(map()));
        let page = ReportPage { evaluation: &evaluation, withheld: 1, energy, map, language };
        let file = folder.path().join(format!("{code}.html"));
        fs::write(&file, page.html().unwrap()).unwrap();
        for width in [320, 390, 1280] {
            let view = View { hosts: &[], width, language: code, has_script: true, switches: &[] };
            let browser = Browser::open(view);
            for theme in ["light", "dark"] {
                browser.open_address(&format!("file://{}", file.display()));
                let theme_is = "document.documentElement.dataset.theme = ";
                let _ = browser.run(&format!("{theme_is}'{theme}'"));
                look(&browser, &format!("report-{code}-{theme}-{width}"));
            }
            assert!(browser.asked_hosts().is_empty(), "{:?}", browser.asked_hosts());
        }
        let view =
            View { hosts: &[], width: 1280, language: code, has_script: false, switches: &[] };
        let browser = Browser::open(view);
        browser.open_address(&format!("file://{}", file.display()));
        let text = browser.text();
        assert!(text.contains("Rhein-Sieg-Kreis") && text.contains("MT175"), "{text}");
    }
}

fn look(browser: &Browser, name: &str) {
    let over = browser.run("return document.documentElement.scrollWidth - innerWidth");
    assert!(over.as_i64().unwrap() <= 0, "{name} scrolls sideways by {over} px");
    let _ = browser.run(AXE);
    let _ = browser.run(
        "window.found = null;
         const nodes = found => found.flatMap(v => v.nodes.map(n => v.id + ': ' + n.html.slice(0, 200)));
         axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
            .then(r => window.found = nodes(r.violations), e => window.found = [String(e)]);",
    );
    let mut found = Value::Null;
    while found.is_null() {
        thread::sleep(Duration::from_millis(50));
        found = browser.run("return window.found");
    }
    assert_eq!(found, serde_json::json!([]), "{name}");
    assert_eq!(browser.console(&[]), Vec::<String>::new(), "{name}");
    if let Some(folder) = std::env::var_os("EBP_PICTURES") {
        let file = std::path::PathBuf::from(folder).join(format!("{name}.png"));
        fs::write(file, browser.picture()).unwrap();
    }
}
