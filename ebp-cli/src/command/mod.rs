//! The subcommands, one file each.
//!
//! Enters: parsed arguments. Leaves: output, and [`Outcome`]. Absent: logic of its own.

mod anonymize;
mod ca;
mod completions;
mod cycle;
mod demo;
pub mod device;
mod geodata;
mod household;
mod man;
mod meter;
mod models;
mod raw;
mod read;
mod report;
mod secret;
mod serve;
mod server_data;
mod silence;
mod simulate;
mod transmit;
mod unlock;

use clap::{Parser, Subcommand};
use ebp_server::LogFormat;

use crate::exit::Outcome;

/// Read household electricity meters for research, privately and reliably.
#[derive(Debug, Parser)]
#[command(name = "ebp", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    command: Command,

    /// Tell more on standard error; twice for details.
    #[arg(short, long, global = true, display_order = 998, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    Read(read::Arguments),
    Unlock(unlock::Arguments),
    Meter(meter::Arguments),
    Transmit(transmit::Arguments),
    Simulate(simulate::Arguments),
    Serve(serve::Arguments),
    Anonymize(anonymize::Arguments),
    Geodata(geodata::Arguments),
    Ca(ca::Arguments),
    Household(household::Arguments),
    Report(report::Arguments),
    Device(device::Arguments),
    Demo(demo::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

impl Cli {
    /// How log lines are to look; a server's configuration says.
    pub fn log_format(&self) -> LogFormat {
        match &self.command {
            Command::Serve(arguments) => arguments.log_format(),
            _ => LogFormat::Text,
        }
    }

    /// Runs the subcommand to its end.
    pub fn run(self) -> Outcome {
        match self.command {
            Command::Read(arguments) => read::run(&arguments),
            Command::Unlock(arguments) => unlock::run(&arguments),
            Command::Meter(arguments) => meter::run(&arguments),
            Command::Transmit(arguments) => transmit::run(&arguments),
            Command::Simulate(arguments) => simulate::run(&arguments),
            Command::Serve(arguments) => serve::run(&arguments),
            Command::Anonymize(arguments) => anonymize::run(&arguments),
            Command::Geodata(arguments) => geodata::run(&arguments),
            Command::Ca(arguments) => ca::run(&arguments),
            Command::Household(arguments) => household::run(&arguments),
            Command::Report(arguments) => report::run(&arguments),
            Command::Device(arguments) => device::run(&arguments),
            Command::Demo(arguments) => demo::run(&arguments),
            Command::Completions(arguments) => completions::run(&arguments),
            Command::Man(arguments) => man::run(&arguments),
        }
    }
}
