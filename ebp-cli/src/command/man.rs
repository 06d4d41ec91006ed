//! `ebp man`: manual pages of the program and each of its subcommands.
//!
//! Enters: the command line as clap knows it. Leaves: pages in roff. Absent: what the options mean,
//! which their `--help` prints.

mod sections;

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Command;
use clap_mangen::Man;

use crate::{
    exit::{CommandResult, Context, Failure},
    stdout::print,
};

/// Print a manual page, or write one for each subcommand to a folder.
///
/// To read one at once: ebp man read | man -l -
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The subcommand whose page is printed, such as `read` or `meter show`; by default the
    /// program's own.
    subcommand: Vec<String>,

    /// Write all pages (ebp.1, ebp-read.1 …) to this folder instead.
    #[arg(long, value_name = "FOLDER", conflicts_with = "subcommand")]
    output: Option<PathBuf>,
}

/// Prints or writes the pages of that command line.
pub fn run(arguments: &Arguments, command_line: Command) -> CommandResult {
    // Its pages would be those of the commands over again.
    let mut cli = command_line.disable_help_subcommand(true);
    cli.build();
    if let Some(folder) = &arguments.output {
        fs::create_dir_all(folder).or_failed(folder.display())?;
        return write_all(&cli, &mut Vec::new(), folder).or_failed(folder.display());
    }
    let mut page = &cli;
    for name in &arguments.subcommand {
        page = page.find_subcommand(name).ok_or_else(|| {
            let above = page.get_bin_name().unwrap_or("ebp").to_owned();
            Failure::usage(format!("there is no subcommand `{above} {name}`"))
                .remedy(format!("`{above} --help` lists them"))
        })?;
    }
    let path: Vec<&str> = arguments.subcommand.iter().map(String::as_str).collect();
    let mut text = Vec::new();
    render(page, &path, &mut text).or_failed("the manual page")?;
    print(&text)
}

/// Writes a command's page and those of all below it.
fn write_all<'a>(command: &'a Command, path: &mut Vec<&'a str>, folder: &Path) -> io::Result<()> {
    let mut text = Vec::new();
    render(command, path, &mut text)?;
    fs::write(folder.join(Man::new(command.clone()).get_filename()), text)?;
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        path.push(below.get_name());
        write_all(below, path, folder)?;
        path.pop();
    }
    Ok(())
}

/// A page: clap's description of the command line, and the additional sections.
fn render(command: &Command, path: &[&str], out: &mut Vec<u8>) -> io::Result<()> {
    let man = Man::new(command.clone());
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(out)?;
    }
    section(out, "EXIT STATUS", sections::EXIT_STATUS)?;
    section(out, "ENVIRONMENT", &sections::environment(path))?;
    section(out, "FILES", &sections::files(path))?;
    section(out, "EXAMPLES", sections::examples(path))?;
    man.render_version_section(out)
}

/// A section of things and what they are.
fn section(out: &mut Vec<u8>, name: &str, entries: &[(&str, &str)]) -> io::Result<()> {
    writeln!(out, ".SH \"{name}\"")?;
    for (thing, what) in entries {
        writeln!(out, ".TP\n\\fB{}\\fR\n{}", escape(thing), escape(what))?;
    }
    Ok(())
}

/// Text as troff takes it: no escapes, no requests, and `-` as it is typed.
fn escape(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-");
    match escaped.starts_with(['.', '\'']) {
        true => format!("\\&{escaped}"),
        false => escaped,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_leaf_has_a_whole_page() {
        let mut cli = crate::command::Cli::command().disable_help_subcommand(true);
        cli.build();
        let mut leaves = 0;
        walk(&cli, &mut Vec::new(), &mut leaves);
        assert!(leaves >= 10, "{leaves}");
    }

    fn walk<'a>(command: &'a Command, path: &mut Vec<&'a str>, leaves: &mut usize) {
        let mut page = Vec::new();
        render(command, path, &mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        for name in ["NAME", "SYNOPSIS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"] {
            let head = page
                .lines()
                .position(|line| line.trim_start_matches(".SH ").trim_matches('"') == name);
            let head = head.unwrap_or_else(|| panic!("no {name} in the page of {path:?}"));
            let next = page.lines().nth(head + 1).unwrap_or_default();
            assert!(!next.is_empty() && !next.starts_with(".SH"), "{name} of {path:?} is empty");
        }
        *leaves += usize::from(!command.has_subcommands());
        for below in command.get_subcommands() {
            assert_ne!(below.get_name(), "help", "{path:?}");
            path.push(below.get_name());
            walk(below, path, leaves);
            path.pop();
        }
    }

    #[test]
    fn text_is_no_request() {
        assert_eq!(escape(".SH a-b\\"), "\\&.SH a\\-b\\e");
    }
}
