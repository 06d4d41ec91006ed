//! `ebp meter`: what is known of models, and of the meter at hand.
//!
//! Enters: parsed arguments. Leaves: lists, descriptions, a support bundle. Absent: unlocking.

mod bundle;
mod identify;
mod list;
pub mod listen;
mod show;
mod tar;

use clap::Subcommand;

use crate::exit::CommandResult;

/// Look models up, find out which meter is at hand, and report what does not work.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the models that are known.
    List(list::Arguments),
    /// Print all that is known of a model, with its sources.
    Show(show::Arguments),
    /// Say which meter this is, whether it is locked, and what to do next.
    Identify(identify::Arguments),
    /// Save telegrams without identifying numbers, for a report of what does not work.
    Bundle(bundle::Arguments),
}

/// Does as the arguments say.
pub fn run(arguments: &Arguments) -> CommandResult {
    match &arguments.action {
        Action::List(arguments) => list::run(arguments),
        Action::Show(arguments) => show::run(arguments),
        Action::Identify(arguments) => identify::run(arguments),
        Action::Bundle(arguments) => bundle::run(arguments),
    }
}
