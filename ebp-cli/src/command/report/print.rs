//! The evaluation's figures as tables, JSON and CSV.
//!
//! Enters: an evaluation. Leaves: text. Absent: arithmetic.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, Table};
use ebp_core::evaluation::{Evaluation, Figures, MeterEvaluation, Statistics, Target};
use serde_json::{Value, json};

use crate::output::new_table;

/// Tables 5.1 and 5.2 of the thesis, then C.1 and C.2.
pub fn tables(evaluation: &Evaluation, summary: bool, out: &mut impl Write) -> io::Result<()> {
    let Evaluation { terms, meters, overall } = evaluation;
    let window = terms.window();
    writeln!(
        out,
        "{} meters from {} to {}, measured every {}, reported every {}",
        meters.len(),
        window.from,
        window.to,
        terms.measurement_cycle(),
        terms.report_cycle(),
    )?;
    let mut cycles = table(&["", "mean", "median", "deviation"]);
    for (name, statistics) in overall.statistics() {
        cycles.add_row(row(vec![name.to_owned()], three(statistics)));
    }
    writeln!(out, "{cycles}")?;
    let mut targets = table(&["", "fulfilment (%)", "reached", "expected"]);
    for (name, target) in overall.targets() {
        let counts = [target.reached.to_string(), target.expected.to_string()];
        let figures = [percent(target)].into_iter().chain(counts);
        targets.add_row(row(vec![name.to_owned()], figures));
    }
    writeln!(out, "{targets}")?;
    writeln!(
        out,
        "slots without a measurement: {}; measurements beyond the first of a slot: {}",
        overall.missed, overall.doubled
    )?;
    if summary {
        return Ok(());
    }
    let mut cycles = table(&[
        "#",
        "meter",
        "model",
        "target (%)",
        "missed",
        "doubled",
        "mean",
        "median",
        "dev.",
    ]);
    let mut reports = table(&[
        "#",
        "target (%)",
        "cycle: mean",
        "median",
        "dev.",
        "per report: mean",
        "median",
        "dev.",
    ]);
    for (place, meter) in meters.iter().enumerate() {
        let (number, figures) = ((place + 1).to_string(), &meter.figures);
        let names = vec![number.clone(), meter.meter.to_string(), meter.model.clone()];
        let counts = [
            percent(figures.measurements),
            figures.missed.to_string(),
            figures.doubled.to_string(),
        ];
        let all = counts.into_iter().chain(three(figures.measurement_cycle_minutes()));
        cycles.add_row(row(names, all));
        let all = [percent(figures.reports)]
            .into_iter()
            .chain(three(figures.report_cycle_minutes()))
            .chain(three(figures.measurements_per_report()));
        reports.add_row(row(vec![number], all));
    }
    writeln!(out, "\nmeasurements by meter (cycle in minutes)\n{cycles}")?;
    writeln!(out, "\nreports by meter (cycle in minutes)\n{reports}")
}

fn table(header: &[&str]) -> Table {
    let mut table = new_table();
    table.set_header(header);
    table
}

fn row(names: Vec<String>, figures: impl IntoIterator<Item = String>) -> Vec<Cell> {
    let figures =
        figures.into_iter().map(|text| Cell::new(text).set_alignment(CellAlignment::Right));
    names.into_iter().map(Cell::new).chain(figures).collect()
}

fn percent(target: Target) -> String {
    target.fulfilment().map_or_else(|| "-".into(), |percent| format!("{percent:.2}"))
}

fn three(statistics: Option<Statistics>) -> [String; 3] {
    match statistics {
        Some(Statistics { mean, median, deviation }) => {
            [mean, median, deviation].map(|figure| format!("{figure:.2}"))
        }
        None => ["-", "-", "-"].map(str::to_owned),
    }
}

/// One object: the terms, `overall`, and `meters`.
pub fn json(evaluation: &Evaluation, summary: bool, out: &mut impl Write) -> io::Result<()> {
    let terms = &evaluation.terms;
    let mut object = json!({
        "window": terms.window(),
        "measurement_cycle": terms.measurement_cycle().to_string(),
        "report_cycle": terms.report_cycle().to_string(),
        "overall": figures(&evaluation.overall),
    });
    if !summary {
        object["meters"] = evaluation.meters.iter().map(meter).collect();
    }
    writeln!(out, "{object}")
}

fn meter(meter: &MeterEvaluation) -> Value {
    let mut object = figures(&meter.figures);
    object["meter"] = json!(meter.meter);
    object["model"] = json!(meter.model);
    object["begins"] = json!(meter.begins);
    object["silences"] = json!(meter.silences);
    object["doubles"] = json!(meter.doubles);
    object
}

fn figures(figures: &Figures) -> Value {
    json!({
        "measurements": target(figures.measurements),
        "missed": figures.missed,
        "doubled": figures.doubled,
        "reports": target(figures.reports),
        "measurement_cycle_minutes": figures.measurement_cycle_minutes(),
        "report_cycle_minutes": figures.report_cycle_minutes(),
        "measurements_per_report": figures.measurements_per_report(),
    })
}

fn target(target: Target) -> Value {
    json!({
        "expected": target.expected,
        "reached": target.reached,
        "fulfilment_percent": target.fulfilment(),
    })
}

/// A line for each meter, and one for all of them whose `meter` is `all`.
pub fn csv(evaluation: &Evaluation, summary: bool, out: &mut impl Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record([
        "meter",
        "model",
        "measurements",
        "measurements_expected",
        "measurement_target_percent",
        "missed",
        "doubled",
        "measurement_cycle_mean_min",
        "measurement_cycle_median_min",
        "measurement_cycle_deviation_min",
        "reports",
        "reports_expected",
        "report_target_percent",
        "report_cycle_mean_min",
        "report_cycle_median_min",
        "report_cycle_deviation_min",
        "measurements_per_report_mean",
        "measurements_per_report_median",
        "measurements_per_report_deviation",
    ])?;
    let meters = evaluation.meters.iter().filter(|_| !summary);
    for (name, model, figures) in meters
        .map(|meter| (meter.meter.to_string(), meter.model.as_str(), &meter.figures))
        .chain([("all".to_owned(), "", &evaluation.overall)])
    {
        let mut record = vec![name, model.to_owned()];
        let target = |target: Target| {
            let percent = target.fulfilment().map(|percent| percent.to_string());
            [target.reached.to_string(), target.expected.to_string(), percent.unwrap_or_default()]
        };
        let three = |statistics: Option<Statistics>| match statistics {
            Some(of) => [of.mean, of.median, of.deviation].map(|figure| figure.to_string()),
            None => Default::default(),
        };
        record.extend(target(figures.measurements));
        record.extend([figures.missed.to_string(), figures.doubled.to_string()]);
        record.extend(three(figures.measurement_cycle_minutes()));
        record.extend(target(figures.reports));
        record.extend(three(figures.report_cycle_minutes()));
        record.extend(three(figures.measurements_per_report()));
        writer.write_record(record)?;
    }
    writer.flush()
}
