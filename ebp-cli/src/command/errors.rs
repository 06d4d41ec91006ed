//! `ebp errors`: the errors of this machine's programs, by groups; a report to try the service with.
//!
//! Enters: a configuration, or the folder of ledger and queue. Leaves: a list; one report. Absent: errors
//! of other machines, which the service has.

mod list;
mod test;
mod whose;

use clap::Subcommand;

use crate::exit::CommandResult;

/// List the errors of this machine's programs, and try the service that they are reported to.
///
/// Errors are counted in groups of one type at one place. With a DSN under `[errors]` in the
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

/// Runs the subcommand.
pub fn run(arguments: &Arguments) -> CommandResult {
    match &arguments.action {
        Action::List(arguments) => list::run(arguments),
        Action::Test(arguments) => test::run(arguments),
    }
}
