//! `ebp report`: how well a survey met its targets.
//!
//! Enters: arguments. Leaves: figures on standard output, a picture. Absent: arithmetic, which is
//! `ebp_core::evaluation`.

mod cycles;
#[cfg(feature = "export")]
mod energy;
mod page;
mod print;
mod source;

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use ebp_core::{
    cycle::Cycle,
    evaluation::{Evaluation, MeterRecord, Terms, chart},
};
use jiff::Timestamp;

use super::{heading::OUTPUT, server_data::ServerData};
use crate::{
    exit::{Code, CommandResult, Context, Failure},
    new_file::{place, refuse_existing},
    output::Format,
    stdout::quiet_at_closed_pipe,
    tell::tell,
};
use page::PageLanguage;
use source::Source;

/// The heading of the options for the window.
const EVALUATED: &str = "What is evaluated";

/// Evaluate a survey: was every meter measured in every slot and reported in every cycle?
///
/// A meter counts from its first measurement ever, or from the beginning of the window, whichever
/// is later; a silent meter lowers the figures. Reads the database of a server on this machine
/// (--config or --data), or a table of measurements (--input).
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    data: ServerData,

    /// A table (CSV) with columns meter, measured_at, received_at and optionally model, instead of
    /// a server's database; `-` is standard input.
    #[arg(long, value_name = "CSV", conflicts_with = "config")]
    input: Option<PathBuf>,

    /// The beginning of the window: a day or an instant (UTC), such as 2026-03-01 or
    /// 2026-03-01T12:00:00Z. By default the first measurement.
    #[arg(long, value_name = "TIME", value_parser = instant, help_heading = EVALUATED)]
    from: Option<Timestamp>,

    /// The end of the window; that day or instant is not part of it. By default the end of the last
    /// measurement's slot; what was not due yet when that one was received does not count as
    /// missing.
    #[arg(long, value_name = "TIME", value_parser = instant, help_heading = EVALUATED)]
    to: Option<Timestamp>,

    /// How often meters should be measured.
    #[arg(long, value_name = "CYCLE", default_value = "15m", help_heading = EVALUATED)]
    measurement_cycle: Cycle,

    /// How often devices should report.
    #[arg(long, value_name = "CYCLE", default_value = "60m", help_heading = EVALUATED)]
    report_cycle: Cycle,

    /// How the values are printed.
    #[arg(long, value_enum, default_value_t = Format::Table, help_heading = OUTPUT)]
    format: Format,

    /// Omit the tables of single meters.
    #[arg(long, help_heading = OUTPUT)]
    summary: bool,

    /// Draw a chart of the gaps of each meter.
    #[arg(long, value_name = "SVG", help_heading = OUTPUT)]
    plot: Option<PathBuf>,

    /// Write a page with charts, tables beside them and, of a database, profiles of energy and a map
    /// of masked locations. It needs no other file and no script, and only its owner may read it.
    #[arg(long, value_name = "HTML", help_heading = OUTPUT)]
    html: Option<PathBuf>,

    /// The language of the page.
    #[arg(long, value_enum, default_value_t = PageLanguage::De, help_heading = OUTPUT)]
    language: PageLanguage,
}

/// The window ends with the last received measurement: warn if that is long ago.
fn tell_of_silence(received: Timestamp, now: Timestamp, cycle: Cycle) {
    let silent = received.duration_until(now).unsigned_abs();
    if now > received && silent > cycle.duration() * 2 {
        tell!("ebp: nothing was received since {received}: --to {now:.0} evaluates until now");
    }
}

/// A day's beginning, or an instant.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse::<Timestamp>().or_else(|_| format!("{text}T00:00:00Z").parse()).map_err(|_| {
        "write a day such as 2026-03-01, or an instant such as 2026-03-01T12:00:00Z".into()
    })
}

/// Refuses outputs that exist, or are one file, before anything is evaluated.
fn check_outputs(arguments: &Arguments) -> CommandResult {
    let outputs: Vec<&PathBuf> = [&arguments.plot, &arguments.html].into_iter().flatten().collect();
    outputs.iter().try_for_each(|file| refuse_existing(file))?;
    match outputs[..] {
        [plot, html] if place(plot) == place(html) => {
            Err(Failure::usage(format!("{} would be written twice", html.display()))
                .remedy("give each output a name of its own"))
        }
        _ => Ok(()),
    }
}

/// Evaluates and prints.
pub fn run(arguments: &Arguments) -> CommandResult {
    check_outputs(arguments)?;
    let source = match &arguments.input {
        Some(path) => Source::table(path)?,
        None => Source::database(&arguments.data)?,
    };
    let Some((first, last)) = source.span() else {
        return Err(Failure::new(Code::NothingRead, "there is no measurement to evaluate"));
    };
    let cycle = arguments.measurement_cycle;
    let from = arguments.from.unwrap_or_else(|| cycle.slot(first).start());
    let to = arguments.to.unwrap_or_else(|| cycle.slot(last.measured_at).end());
    let mut terms = Terms::new(from, to, cycle, arguments.report_cycle)
        .map_err(|error| Failure::usage(error).remedy("widen it with --from and --to"))?;
    if arguments.to.is_none() {
        terms = terms.due_by(last.received_at);
        if let Some(now) = source.now() {
            tell_of_silence(last.received_at, now, arguments.report_cycle);
        }
    }
    let withheld = source.withheld_households();
    if let Some(regions) = source.masked_by()? {
        tell!("households that revoked their consent were masked by {regions}");
    }
    let mut evaluation = Evaluation::new(terms);
    source.each(&terms, |record: MeterRecord| evaluation.add(record))?;
    for doubt in cycles::doubts(&evaluation) {
        tell!("ebp: {doubt}");
    }

    if let Some(path) = &arguments.plot {
        let context = || format!("cannot write {}", path.display());
        let mut file = BufWriter::new(File::create_new(path).or_failed(context())?);
        chart::draw(&evaluation, &mut file).or_failed(context())?;
        file.flush().or_failed(context())?;
    }
    if let Some(path) = &arguments.html {
        let settings = match arguments.input {
            Some(_) => None,
            None => Some(arguments.data.settings()?),
        };
        page::write(path, &evaluation, withheld, settings.as_ref(), arguments.language)?;
    }
    let mut out = io::stdout().lock();
    quiet_at_closed_pipe(match arguments.format {
        Format::Table => print::tables(&evaluation, withheld, arguments.summary, &mut out),
        Format::Json => print::json(&evaluation, withheld, arguments.summary, &mut out),
        Format::Csv => print::csv(&evaluation, arguments.summary, &mut out),
    })
}
