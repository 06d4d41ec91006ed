//! `ebp`: the command line over the crates.
//!
//! Enters: arguments, configuration files, signals. Leaves: data on standard output, everything
//! else on standard error, and an exit code ([`exit::Code`]). Absent: logic of the domain.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod command;
mod exit;
mod failure_log;
mod file;
mod log;
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
    log::start(cli.verbose, cli.logs_json());
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure.code != exit::Code::Done {
                log::fail(&failure);
            }
            ExitCode::from(failure.code as u8)
        }
    }
}
