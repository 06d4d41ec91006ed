//! `ebp man`: manual pages of the program and each of its subcommands.

use std::{fs, path::PathBuf};

use clap::CommandFactory;

use crate::{
    exit::{Context, Outcome},
    stdout::print,
};

/// Print the manual page, or write one for each subcommand to a folder.
///
/// To read one at once: ebp man read | man -l -
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The subcommand whose page is printed; the program's own without it.
    subcommand: Option<String>,

    /// Write all pages (ebp.1, ebp-read.1 …) to this folder instead.
    #[arg(long, value_name = "FOLDER", conflicts_with = "subcommand")]
    output: Option<PathBuf>,
}

/// Prints or writes the pages.
pub fn run(arguments: &Arguments) -> Outcome {
    let mut cli = super::Cli::command();
    cli.build();
    if let Some(folder) = &arguments.output {
        fs::create_dir_all(folder).or_failed(folder.display())?;
        return clap_mangen::generate_to(cli, folder).or_failed(folder.display());
    }
    let page = match &arguments.subcommand {
        None => cli,
        Some(name) => cli.find_subcommand(name).cloned().ok_or_else(|| {
            crate::exit::Failure::usage(format!("there is no subcommand `{name}`"))
                .remedy("`ebp help` lists them")
        })?,
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text).or_failed("the manual page")?;
    print(&text)
}
