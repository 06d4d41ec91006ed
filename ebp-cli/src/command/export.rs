//! `ebp export`: the survey's data set as files, and whether a folder of them is whole.
//!
//! Enters: arguments. Leaves: a folder, or findings on standard output. Absent: what is in the files,
//! which is `ebp_survey::dataset` and `ebp_dataset::files`.

mod release;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use ebp_core::clock::{Clock, SystemClock};
use ebp_dataset::files::{Verdict, check_folder};
use ebp_store::{Database, open_store};
use ebp_survey::dataset::{ExportOrder, Exported, Progress, Resolution, begun_as_of, export};
use indicatif::{ProgressBar, ProgressStyle};

use release::{Confirm, ReleaseArguments};

use super::{export_options::ExportOptions, server_data::ServerData};
use crate::{
    exit::{CommandResult, Failure, export::failed},
    output::phrase::counted,
    stdout::print,
};

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

    #[command(flatten)]
    options: ExportOptions,
}

#[derive(Debug, Subcommand)]
enum Action {
    Confirm(Confirm),
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
    let now = SystemClock.now();
    let mut request = arguments.options.request()?;
    request.as_of = request.as_of.or_else(|| begun_as_of(output));
    let order = ExportOrder::from_request(&request, now, &settings.zone);
    let order = order.map_err(|error| failed(error.into()))?;
    order.check(now).map_err(failed)?;
    if let Some(tier) = arguments.release.release {
        if order.fill || order.resolution != Resolution::Quarter {
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
        counted(households.len(), "household"),
        counted(usize::try_from(files).unwrap_or(usize::MAX), "file"),
        output.display(),
    ))
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
        Ok(())
    };
    let exported = crate::runtime::on_this_thread()?.block_on(async {
        let store = open_store(database).await?;
        let exported = export(&store, order, output, &mut tell).await?;
        store.close().await?;
        Ok(exported)
    });
    bar.finish_and_clear();
    exported.map_err(failed)
}

fn check(folder: &Path) -> CommandResult {
    let Verdict { files, rows, findings } =
        check_folder(folder).map_err(|error| failed(error.into()))?;
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
