//! `ebp meter`: what is known of models, and of the meter at hand.
//!
//! Enters: parsed arguments. Leaves: lists, descriptions, a support bundle. Absent: unlocking.

mod bundle;
mod identify;
mod list;
pub mod listen;
mod show;

use clap::Subcommand;

use crate::exit::CommandResult;

/// Show known models, identify a meter, and save a report of what does not work.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the known models.
    List(list::Arguments),
    /// Print everything that is known about a model, with the sources.
    Show(show::Arguments),
    /// Identify a meter: its model, whether it is locked, and what to do next.
    Identify(identify::Arguments),
    /// Save telegrams without identifying numbers, for a report of what does not work.
    Bundle(bundle::Arguments),
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> CommandResult {
    match &arguments.action {
        Action::List(arguments) => list::run(arguments),
        Action::Show(arguments) => show::run(arguments),
        Action::Identify(arguments) => identify::run(arguments),
        Action::Bundle(arguments) => bundle::run(arguments),
    }
}
