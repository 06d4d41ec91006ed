//! `ebp completions`: what a shell needs to complete the command line.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{exit::Outcome, stdout::print};

/// Print shell completions.
///
/// For bash: ebp completions bash > ~/.local/share/bash-completion/completions/ebp
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// For which shell.
    shell: Shell,
}

/// Prints the completions to standard output.
pub fn run(arguments: &Arguments) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Cli::command(), "ebp", &mut text);
    print(&text)
}
