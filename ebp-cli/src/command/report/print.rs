//! The evaluation's figures as tables, JSON and CSV.
//!
//! Enters: an evaluation. Leaves: text. Absent: arithmetic.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, Table};
use ebp_core::evaluation::{Evaluation, Figures, MeterEvaluation, Statistics, Target};
use serde_json::{Value, json};

use crate::output::{
    new_table,
    phrase::{counted, counted_as},
};

/// Tables 5.1 and 5.2 of the thesis, then C.1 and C.2.
pub fn tables(
    evaluation: &Evaluation,
    withheld: usize,
    summary: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let Evaluation { terms, meters, overall } = evaluation;
    let window = terms.window();
    writeln!(
        out,
        "{} from {} to {}, measured every {}, reported every {}",
        counted(meters.len(), "meter"),
        window.from,
        window.to,
        terms.measurement_cycle(),
        terms.report_cycle(),
    )?;
    if withheld > 0 {
        let households = counted_as(
            withheld,
            "household is withheld: its meters are counted, and not named",
            "households are withheld: their meters are counted, and not named",
        );
        writeln!(out, "{households}")?;
    }
    let mut cycles = table(&["", "", "mean", "median", "deviation"]);
    for ((name, pooled), (_, mean)) in
        overall.statistics().into_iter().zip(evaluation.mean_of_meters())
    {
        cycles.add_row(row(vec![name.to_owned(), "pooled".to_owned()], three(pooled)));
        cycles.add_row(row(vec![String::new(), "mean of meters".to_owned()], three(mean)));
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
        let (name, model) = names(meter);
        let names = vec![number.clone(), name, model.to_owned()];
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

/// A meter's identifier and model, unless it is not to be named.
fn names(meter: &MeterEvaluation) -> (String, &str) {
    if meter.withheld {
        ("withheld".to_owned(), "")
    } else {
        (meter.meter.to_string(), &meter.model)
    }
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
pub fn json(
    evaluation: &Evaluation,
    withheld: usize,
    summary: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let terms = &evaluation.terms;
    let mut object = json!({
        "window": terms.window(),
        "measurement_cycle": terms.measurement_cycle().to_string(),
        "report_cycle": terms.report_cycle().to_string(),
        "withheld_households": withheld,
        "overall": figures(&evaluation.overall),
    });
    let [(_, measurement), (_, report), (_, per_report)] = evaluation.mean_of_meters();
    object["overall"]["mean_of_meters"] = json!({
        "measurement_cycle_minutes": measurement,
        "report_cycle_minutes": report,
        "measurements_per_report": per_report,
    });
    if !summary {
        object["meters"] = evaluation.meters.iter().map(meter).collect();
    }
    writeln!(out, "{object}")
}

fn meter(meter: &MeterEvaluation) -> Value {
    let mut object = figures(&meter.figures);
    let named = !meter.withheld;
    object["meter"] = json!(named.then_some(meter.meter));
    object["model"] = json!(named.then_some(&meter.model));
    object["withheld"] = json!(meter.withheld);
    object["begins"] = json!(meter.begins);
    object["silences"] = json!(meter.silences);
    object["excused"] = json!(meter.excused);
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

/// A line for each meter, `withheld` where it is not to be named, and one for all of them whose
/// `meter` is `all`: of pooled values, and with the means of the meters' deviations behind them.
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
        "measurement_cycle_mean_of_meters_deviation_min",
        "report_cycle_mean_of_meters_deviation_min",
        "measurements_per_report_mean_of_meters_deviation",
    ])?;
    let meters = evaluation.meters.iter().filter(|_| !summary);
    let means = evaluation.mean_of_meters().map(|(_, mean)| mean.map(|mean| mean.deviation));
    for ((name, model), figures, means) in meters
        .map(|meter| (names(meter), &meter.figures, [None; 3]))
        .chain([(("all".to_owned(), ""), &evaluation.overall, means)])
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
        record.extend(means.map(|mean| mean.map(|mean| mean.to_string()).unwrap_or_default()));
        writer.write_record(record)?;
    }
    writer.flush()
}
