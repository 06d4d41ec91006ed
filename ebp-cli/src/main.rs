//! `ebp`: the command line over the crates.
//!
//! Enters: arguments, configuration files, signals. Leaves: data on standard output, everything
//! else on standard error, and an exit code ([`exit::Code`]). Absent: logic of the domain.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod command;
mod error_report;
mod exit;
mod failure_log;
mod file;
mod log;
#[cfg(feature = "server")]
mod new_file;
mod output;
mod owner;
mod runtime;
mod state;
mod stdout;
mod tell;
mod terminal;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

fn main() -> ExitCode {
    command::completions::answer(command::Cli::command);
    let cli = command::Cli::parse();
    let (reporter, unsent) = error_report::start(cli.reported());
    log::start(cli.verbose, cli.logs_json(), reporter);
    if let Some(failure) = unsent {
        error_report::explain_unsent(&failure);
    }
    let result = cli.run();
    let code = match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure.code != exit::Code::Done {
                log::fail(&failure);
                error_report::ended(&failure);
            }
            ExitCode::from(failure.code as u8)
        }
    };
    error_report::finish();
    code
}
