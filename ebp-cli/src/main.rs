//! `ebp`: the command line over the crates.
//!
//! Enters: arguments, configuration files, signals. Leaves: data on standard output, everything
//! else on standard error, and an exit code ([`exit::Code`]). Absent: any logic of its own.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod command;
mod config;
mod device;
mod exit;
mod output;
mod runtime;
mod tell;
mod terminal;

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

use clap::Parser;
use tracing_subscriber::EnvFilter;

use tell::tell;

fn main() -> ExitCode {
    let cli = command::Cli::parse();
    log_to_standard_error(cli.verbose);
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure.code != exit::Code::Done {
                tell!("ebp: {failure}");
            }
            ExitCode::from(failure.code as u8)
        }
    }
}

/// Logs go to standard error: warnings by default, more with `-v`, or as `EBP_LOG` says.
fn log_to_standard_error(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "ebp=info,ebp_core=info,ebp_meter=info,ebp_server=info,warn",
        _ => "ebp=debug,ebp_core=debug,ebp_meter=debug,ebp_server=debug,info",
    };
    let filter = EnvFilter::try_from_env("EBP_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        // It would say so on the very standard error that cannot be written to, and panic.
        .log_internal_errors(false)
        .init();
}
