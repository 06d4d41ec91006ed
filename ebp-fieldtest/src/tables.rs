//! The field test's result as people read it.
//!
//! Enters: the survey, its account. Leaves: text. Absent: arithmetic.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use comfy_table::{Cell, CellAlignment, Table, presets};
use ebp_core::{
    evaluation::{Evaluation, Statistics, Target},
    phrase::counted,
};
use jiff::SignedDuration;

use crate::{account::Account, world::Survey};

/// So many faults are told with their history.
const TOLD: usize = 5;

/// Everything.
///
/// # Errors
/// Of the output.
pub fn print(survey: &Survey, account: &Account, out: &mut impl Write) -> io::Result<()> {
    let options = &survey.options;
    if !account.faults.is_empty() {
        let faults = counted(account.faults.len(), "fault");
        writeln!(out, "FAILED: {faults}, seed {}; told below.\n", options.seed)?;
    }
    writeln!(
        out,
        "{} on {} in {}, {} from {}, seed {}",
        counted(survey.meters.len(), "meter"),
        counted(survey.devices.len(), "device"),
        counted(survey.households, "household"),
        counted(options.days, "day"),
        options.start,
        options.seed
    )?;
    drawn(survey, account, out)?;
    evaluation(&account.evaluation, out)?;
    counts(account, out)?;
    for fault in account.faults.iter().take(TOLD) {
        writeln!(out, "\nFAULT at device {} around {}: {}", fault.device, fault.at, fault.what)?;
        let around = SignedDuration::from_mins(40);
        for line in survey.devices[fault.device].life.history(fault.at - around, fault.at + around)
        {
            writeln!(out, "    {line}")?;
        }
    }
    match account.faults.len() {
        0 => writeln!(out, "\nThe field test is passed."),
        faults => {
            let faults = counted(faults, "fault");
            writeln!(out, "\nThe field test FAILS: {faults}, seed {}.", options.seed)
        }
    }
}

fn drawn(survey: &Survey, account: &Account, out: &mut impl Write) -> io::Result<()> {
    let mut text = String::new();
    for (name, count) in &survey.plan.drawn {
        let _ = write!(text, "{}{count} x {name}", if text.is_empty() { "" } else { ", " });
    }
    writeln!(out, "faults drawn: {}", if text.is_empty() { "none" } else { &text })?;
    let sum = |of: fn(&crate::life::Life) -> u64| -> u64 {
        survey.devices.iter().map(|device| of(&device.life)).sum()
    };
    writeln!(
        out,
        "requests that arrived: {}, their answers lost: {}; PINs entered: {} in success, {} in vain; \
         measured without a time: {}, of which the time became known: {}; corrected rows: {}",
        sum(|life| life.requests),
        sum(|life| life.lost_answers),
        sum(|life| life.unlocked[0]),
        sum(|life| life.unlocked[1]),
        sum(|life| life.kept_unplaced),
        sum(|life| life.placed),
        account.corrected,
    )?;
    writeln!(
        out,
        "spools that were gone: {}, opened again: {}; certificates that expired: {}, of which a person \
         had to replace: {}",
        sum(|life| life.spools_lost),
        sum(|life| life.spools_reopened),
        survey.expired_certificates(),
        sum(|life| life.enrolled_anew),
    )
}

fn counts(account: &Account, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "slots: {} of {} count, {} measured beyond them; unplaced: {}, {}, of runs \
         that never knew the time; lost with a damaged file: {}; purged by a revocation: {}",
        account.slots[0],
        account.slots[1],
        account.extra,
        counted(account.unplaced, "measurement"),
        counted(account.unplaced_slots, "slot"),
        account.lost,
        account.purged,
    )?;
    writeln!(
        out,
        "rows at the server: {}, each held against what its meter said; the furthest instant is \
         {:.3} s off, but for {} that bear a bound of their own, the furthest of them {:.1} s off",
        account.rows,
        account.furthest.as_secs_f64(),
        account.bounded,
        account.furthest_bounded.as_secs_f64(),
    )
}

/// Tables 5.1 and 5.2 of the thesis, then C.1 and C.2.
fn evaluation(evaluation: &Evaluation, out: &mut impl Write) -> io::Result<()> {
    let overall = &evaluation.overall;
    let mut cycles = table(&["", "mean", "median", "deviation"]);
    for (name, statistics) in overall.statistics() {
        cycles.add_row(row(&[name], three(statistics)));
    }
    let mut targets = table(&["", "fulfilment (%)", "reached", "expected"]);
    for (name, target) in overall.targets() {
        let counts = [target.reached.to_string(), target.expected.to_string()];
        targets.add_row(row(&[name], [percent(target)].into_iter().chain(counts)));
    }
    writeln!(out, "{cycles}\n{targets}")?;
    let mut meters =
        table(&["model", "slots (%)", "mean", "median", "dev.", "reports (%)", "mean", "dev."]);
    for meter in &evaluation.meters {
        let figures = &meter.figures;
        let reports = three(figures.report_cycle_minutes());
        let all = [percent(figures.measurements)]
            .into_iter()
            .chain(three(figures.measurement_cycle_minutes()))
            .chain([percent(figures.reports), reports[0].clone(), reports[2].clone()]);
        meters.add_row(row(&[&meter.model], all));
    }
    writeln!(out, "{meters}")
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(header);
    table
}

fn row(names: &[&str], figures: impl IntoIterator<Item = String>) -> Vec<Cell> {
    let figures =
        figures.into_iter().map(|text| Cell::new(text).set_alignment(CellAlignment::Right));
    names.iter().map(Cell::new).chain(figures).collect()
}

fn percent(target: Target) -> String {
    // Nearly all is not all.
    let most = if target.reached == target.expected { 100.0 } else { 99.99 };
    target.fulfilment().map_or_else(|| "-".into(), |percent| format!("{:.2}", percent.min(most)))
}

fn three(statistics: Option<Statistics>) -> [String; 3] {
    match statistics {
        Some(Statistics { mean, median, deviation }) => {
            [mean, median, deviation].map(|figure| format!("{figure:.3}"))
        }
        None => ["-", "-", "-"].map(str::to_owned),
    }
}
