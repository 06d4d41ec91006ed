//! `ebp errors`: the errors of this machine's programs, by groups; a report to try the service with.
//!
//! Enters: a configuration, or the folder of ledger and queue. Leaves: a list; one report. Absent: errors
//! of other machines, which the service has.

mod list;
mod test;

use std::path::PathBuf;

use clap::Subcommand;
use ebp_errors::{Component, ErrorsConfig};

use crate::{
    error_report::Reported,
    exit::{CommandResult, Failure},
};

/// List the errors of this machine's programs, and try the service that they are reported to.
///
/// Errors are counted in groups of one type at one place. With a DSN under [errors] in the
/// configuration they are sent to a Sentry-compatible service as well.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(list::Arguments),
    Test(test::Arguments),
}

/// Whose errors are meant.
#[derive(Debug, clap::Args)]
struct Whose {
    /// The configuration of a device, of its page or of a server.
    #[arg(long, value_name = "FILE", required_unless_present = "folder")]
    config: Option<PathBuf>,

    /// The folder of errors, if there is no configuration file.
    #[arg(long, value_name = "FOLDER", conflicts_with = "config")]
    folder: Option<PathBuf>,
}

impl Whose {
    fn find(&self) -> Result<Reported, Failure> {
        match (&self.config, &self.folder) {
            (Some(path), _) => Reported::from_file(Component::Command, path).ok_or_else(|| {
                Failure::usage(format!(
                    "{} is no configuration of a device, its page or a server",
                    path.display()
                ))
                .remedy("`ebp read --print-example` and `ebp serve --print-config` show them")
            }),
            (None, folder) => {
                let folder = folder.clone().unwrap_or_default();
                let config =
                    ErrorsConfig { folder: Some(folder.clone()), ..ErrorsConfig::default() };
                Ok(Reported::new(Component::Command, config, &folder))
            }
        }
    }
}

/// Runs the subcommand.
pub fn run(arguments: &Arguments) -> CommandResult {
    match &arguments.action {
        Action::List(arguments) => list::run(arguments),
        Action::Test(arguments) => test::run(arguments),
    }
}
