//! `ebp export`: the survey's data set as files, and whether a folder of them is whole.
//!
//! Enters: arguments. Leaves: a folder, or findings on standard output. Absent: what is in the files,
//! which is `ebp_survey::dataset` and `ebp_dataset::files`.

mod release;

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use ebp_core::clock::{Clock, SystemClock};
use ebp_dataset::files::{Decimal, Format, Verdict, check_folder};
use ebp_store::{Database, open_store};
use ebp_survey::dataset::{
    ExportOrder, Exported, LEAST_AGE, Progress, Resolution, begun_as_of, export,
};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::{Timestamp, Unit};

use release::{Confirm, ReleaseArguments};

use super::{heading::OUTPUT, report::instant, server_data::ServerData};
use crate::{
    exit::{self, CommandResult, Failure},
    output::phrase::counted,
    stdout::print,
};

/// The heading of the options for what is exported.
const EXPORTED: &str = "What is exported";

/// Export the survey's data set: energy per quarter hour, balances, households.
///
/// Reads the database of a server on this machine (--config or --data) and writes Parquet files with
/// their descriptions into a folder that only its owner may read: they are personal data. The same
/// data and --as-of make the same bytes. An export that was interrupted is continued by the same
/// command; one during which a household revokes its consent is removed.
///
/// What may leave the research group is made by --release: a draft that keeps fourteen rules, each of
/// which is counted, and that a second administrator confirms.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,

    #[command(flatten)]
    data: ServerData,

    #[command(flatten)]
    release: ReleaseArguments,

    /// The folder of the set, which is made; it must be empty, or hold an export that was interrupted.
    #[arg(long, short, value_name = "FOLDER", required_unless_present = "check")]
    output: Option<PathBuf>,

    /// Check a folder instead: types, keys, missing values, sums, hashes, references, balances.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["output", "as_of", "from", "to"])]
    check: Option<PathBuf>,

    /// Leave out intervals that begin before that day or instant (UTC).
    #[arg(long, value_name = "TIME", value_parser = instant, help_heading = EXPORTED)]
    from: Option<Timestamp>,

    /// Leave out intervals that begin on that day or at that instant, or later.
    #[arg(long, value_name = "TIME", value_parser = instant, help_heading = EXPORTED)]
    to: Option<Timestamp>,

    /// Leave out measurements that were received later; at least 10 minutes ago, which is the default.
    #[arg(long, value_name = "TIME", value_parser = instant, help_heading = EXPORTED)]
    as_of: Option<Timestamp>,

    /// How long rows of energy and balance last. Hours and days come as one file each.
    #[arg(long, value_enum, default_value_t = Rows::Quarter, help_heading = EXPORTED)]
    resolution: Rows,

    /// Fill energies that are not measured by a constant power, and mark them `interpolated`.
    #[arg(long, help_heading = EXPORTED)]
    fill: bool,

    /// What the files are.
    #[arg(long, value_enum, default_value_t = Files::Parquet, help_heading = OUTPUT)]
    format: Files,

    /// How CSV writes decimals; with a comma, columns are separated by semicolons.
    #[arg(long, value_enum, default_value_t = Mark::Point, help_heading = OUTPUT)]
    decimal: Mark,

    /// The name of the set; by default `ebp-` and the day of --as-of.
    #[arg(long, value_parser = set_name, help_heading = OUTPUT)]
    name: Option<String>,

    /// Who publishes it, for citations.
    #[arg(long, default_value = "the research group of the survey", help_heading = OUTPUT)]
    publisher: String,
}

#[derive(Debug, Subcommand)]
enum Action {
    Confirm(Confirm),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Rows {
    #[value(name = "15m")]
    Quarter,
    #[value(name = "1h")]
    Hour,
    #[value(name = "1d")]
    Day,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Files {
    Parquet,
    Csv,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mark {
    Point,
    Comma,
}

/// A name that every description may hold.
fn set_name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("write small letters, digits and `-`, such as ebp-2026-11".into())
    }
}

/// Exports or checks.
pub fn run(arguments: &Arguments) -> CommandResult {
    if let Some(Action::Confirm(confirm)) = &arguments.action {
        return confirm.run(&arguments.data);
    }
    if let Some(folder) = &arguments.check {
        return check(folder);
    }
    let Some(output) = &arguments.output else {
        return Err(Failure::usage("--output is missing"));
    };
    let settings = arguments.data.settings()?;
    if let Database::Sqlite(path) = &settings.database
        && !path.exists()
    {
        return Err(Failure::usage(format!("{} does not exist", path.display()))
            .remedy("name the server's folder with --data"));
    }
    let as_of = arguments.as_of.or_else(|| begun_as_of(output)).unwrap_or_else(latest);
    let order = arguments.order(as_of, settings.zone.clone());
    order.check(SystemClock.now()).map_err(exit::export::failed)?;
    if let Some(tier) = arguments.release.release {
        if arguments.fill || !matches!(arguments.resolution, Rows::Quarter) {
            return Err(Failure::usage("a release has measured quarter hours alone")
                .remedy("leave --fill and --resolution out"));
        }
        return arguments.release.run(tier, &settings, &order, output);
    }
    let Exported { households, rows, files, resumed } = write(&settings.database, &order, output)?;
    let again = if resumed { " (the export that was begun there before)" } else { "" };
    print(format!(
        "{} of {} in {}{again}: {}\n",
        counted(usize::try_from(rows).unwrap_or(usize::MAX), "row"),
        counted(usize::try_from(households).unwrap_or(usize::MAX), "household"),
        counted(usize::try_from(files).unwrap_or(usize::MAX), "file"),
        output.display(),
    ))
}

/// The latest instant that can be exported, to the second.
pub fn latest() -> Timestamp {
    let now = SystemClock.now();
    let latest = now.checked_sub(LEAST_AGE).unwrap_or(now);
    latest
        .round(jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Trunc))
        .unwrap_or(latest)
}

/// Writes the set, with a bar on a terminal.
pub fn write(database: &Database, order: &ExportOrder, output: &Path) -> Result<Exported, Failure> {
    let style = ProgressStyle::with_template("  {bar:40} {pos} of {len} {msg}  {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::no_length().with_style(style);
    let mut tell = |progress: Progress| {
        bar.set_length(progress.all);
        bar.set_position(progress.done);
        bar.set_message(progress.part);
    };
    let exported = crate::runtime::on_this_thread()?.block_on(async {
        let store = open_store(database).await?;
        let exported = export(&store, order, output, &mut tell).await?;
        store.close().await?;
        Ok(exported)
    });
    bar.finish_and_clear();
    exported.map_err(exit::export::failed)
}

fn check(folder: &Path) -> CommandResult {
    let Verdict { files, rows, findings } =
        check_folder(folder).map_err(|error| exit::export::failed(error.into()))?;
    for finding in &findings {
        print(format!("{finding}\n"))?;
    }
    if !findings.is_empty() {
        let found = counted(findings.len(), "finding");
        return Err(Failure::failed(format!("{} is not whole: {found}", folder.display()))
            .remedy("fetch or export it again"));
    }
    let rows = counted(usize::try_from(rows).unwrap_or(usize::MAX), "row");
    print(format!(
        "{} holds what it says: {rows} in {}\n",
        folder.display(),
        counted(files, "file")
    ))
}

impl Arguments {
    fn order(&self, as_of: Timestamp, zone: String) -> ExportOrder {
        let format = match (self.format, self.decimal) {
            (Files::Parquet, _) => Format::Parquet,
            (Files::Csv, Mark::Point) => Format::Csv(Decimal::Point),
            (Files::Csv, Mark::Comma) => Format::Csv(Decimal::Comma),
        };
        let resolution = match self.resolution {
            Rows::Quarter => Resolution::Quarter,
            Rows::Hour => Resolution::Hour,
            Rows::Day => Resolution::Day,
        };
        ExportOrder {
            name: self.name.clone().unwrap_or_else(|| default_name(as_of)),
            publisher: self.publisher.clone(),
            as_of,
            from: self.from,
            to: self.to,
            format,
            resolution,
            fill: self.fill,
            zone,
        }
    }
}

/// `ebp-` and the day.
pub fn default_name(as_of: Timestamp) -> String {
    format!("ebp-{}", as_of.to_string().chars().take(10).collect::<String>())
}
