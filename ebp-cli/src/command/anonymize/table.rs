//! A table of households: files, progress, and the report.
//!
//! Enters: the arguments, a masker, paths. Leaves: the masked and the rejected rows' files, whole or
//! not at all; a map; a summary. Absent: the masking, which `ebp-anon` does.

use std::{
    fs::File,
    io::{self, BufReader, IsTerminal, Read},
    path::Path,
};

use ebp_anon::{
    Masker, RiskSummary,
    batch::{BatchError, BatchReport, TableOptions, mask_table},
    map::MapFormat,
};
use indicatif::{ProgressBar, ProgressStyle};

use super::{
    arguments::Arguments,
    output::{Unfinished, begin_map, rejected_path},
};
use crate::{
    exit::{CommandResult, Context, Failure, chain},
    new_file::refuse_existing,
    output::{new_table, phrase::counted},
    stdout::print,
    tell::tell,
};

/// Masks the table at `input` into `output`.
pub fn mask(
    arguments: &Arguments,
    masker: &Masker<'_>,
    input: &Path,
    output: &Path,
    map_format: Option<MapFormat>,
) -> CommandResult {
    let rejected_path = rejected_path(output);
    for file in [output, &rejected_path] {
        refuse_existing(file)?;
    }
    let (reader, progress) = open(input)?;
    let written = Unfinished::create(output, 0o666)?;
    let rejected = Unfinished::create(&rejected_path, 0o666)?;
    let mut map = begin_map(arguments, masker.regions, map_format, None)?;
    let options = TableOptions {
        statistics: arguments.stats,
        audit: arguments.audit,
        spreadsheet_safe: arguments.spreadsheet_safe,
    };
    let report =
        mask_table(masker, options, reader, &written.file, &rejected.file, |origin, release| {
            map.as_mut().map_or(Ok(()), |(map, _)| map.add(origin, release))
        })
        .map_err(|error| explain(input, &error))?;
    progress.finish_and_clear();
    let map = match map {
        Some((map, file)) => map.end().or_failed("the map").map(|()| Some(file))?,
        None => None,
    };
    written.finish()?;
    rejected.finish()?;
    map.map_or(Ok(()), Unfinished::finish)?;
    let BatchReport { masked, rejected, risk, telling } = report;
    if !telling.is_empty() {
        tell!("warning: columns pass through as they are, also {}", telling.join(", "));
    }
    let masked = counted(masked, "row");
    match rejected {
        0 => tell!("{masked} masked, none rejected"),
        _ => {
            let list = rejected_path.display();
            tell!("{masked} masked, {rejected} rejected and listed in {list}");
        }
    }
    for notice in &masker.regions.provenance().notices {
        tell!("{notice}");
    }
    match risk {
        Some(risk) => print(summary(&risk)),
        None => Ok(()),
    }
}

/// The input, with a progress bar on a terminal.
fn open(input: &Path) -> Result<(Box<dyn Read>, ProgressBar), Failure> {
    if input == Path::new("-") {
        return Ok((Box::new(io::stdin().lock()), ProgressBar::hidden()));
    }
    let file = File::open(input).or_failed(input.display())?;
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let progress =
        if io::stderr().is_terminal() { ProgressBar::new(length) } else { ProgressBar::hidden() };
    let style = "{bar:40} {percent:>3} %  {decimal_bytes_per_sec}  {eta} left";
    if let Ok(style) = ProgressStyle::with_template(style) {
        progress.set_style(style);
    }
    Ok((Box::new(progress.wrap_read(BufReader::with_capacity(1 << 16, file))), progress))
}

fn explain(input: &Path, error: &BatchError) -> Failure {
    let failure = Failure::failed(format!("{}: {}", input.display(), chain(error)));
    match error {
        BatchError::Column(..) => {
            failure.remedy("name the columns id, latitude and longitude, separated by commas")
        }
        BatchError::Taken(_) => failure.remedy("rename or remove it: is the table masked already?"),
        BatchError::Quotes(_) | BatchError::Header => {
            failure.remedy("add the missing quotation mark, or double one that is part of a text")
        }
        BatchError::Copied(_) => failure.remedy("remove that column: it would not be masked"),
        _ => failure,
    }
}

/// The risk of all rows together.
fn summary(risk: &RiskSummary) -> String {
    let mut table = new_table();
    table.set_header(["of all masked rows", "5 %", "median", "95 %"]);
    let row = |of: &dyn Fn(f64) -> Option<f64>| {
        [0.05, 0.5, 0.95].map(|part| of(part).map_or("-".to_owned(), |value| format!("{value:.0}")))
    };
    let mut add = |what: &str, [low, middle, high]: [String; 3]| {
        table.add_row([what.to_owned(), low, middle, high]);
    };
    add("moved by, m", row(&|part| risk.displacement_m(part)));
    add("persons that a household may be (estimate)", row(&|part| risk.persons_possible(part)));
    add("the same to who knows its region (estimate)", row(&|part| risk.persons_in_region(part)));
    match (risk.left_region(), risk.left_country()) {
        (Some(region), Some(country)) => format!(
            "{table}\n{:.1} % lie in another region than the household, {:.1} % outside of its \
             country\n",
            100.0 * region,
            100.0 * country
        ),
        // Of few rows it would tell the true regions, as the quantiles would.
        _ => format!("{table}\nfigures of the true regions: from 20 rows on, or with --audit\n"),
    }
}
