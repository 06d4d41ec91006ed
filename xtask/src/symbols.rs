//! Names of functions in the programs that are handed out: without them the stacks of error reports say
//! nothing.
//!
//! Enters: a program with all names, binutils' `strip` for its architecture. Leaves: the program with the
//! names of this project's functions, and no others. Absent: lines, which the places of errors have.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::{
    image::Architecture,
    run::{succeed, works},
};

/// The names of this project's functions as the compiler writes them: those of its crates, and those of
/// traits for its types. What drops its values, by far the most names, is not among them.
const OWN: [&str; 5] = [
    "_ZN[0-9]ebp*",
    "_ZN[0-9][0-9]ebp*",
    "_ZN[0-9][0-9]_$LT$ebp*",
    "_ZN[0-9][0-9][0-9]_$LT$ebp*",
    "_R*ebp*",
];

/// A function that is on every stack of the program.
const MAIN: &str = "ebp::main";

/// An error tracking service that nobody reaches: what is reported stays in the queue.
const NO_SERVICE: &str = "http://0123456789abcdef0123456789abcdef@127.0.0.1:1/1";

/// Debian's `strip` for programs of that architecture.
pub fn strip_of(architecture: Architecture) -> String {
    format!("{}-strip", architecture.gnu())
}

/// Whether that is there.
pub fn can_strip(architecture: Architecture) -> bool {
    works(Command::new(strip_of(architecture)).arg("--version"))
}

/// Leaves of a program's names those of this project's functions.
pub fn keep_own(program: &Path, architecture: Architecture) -> Result<()> {
    let mut strip = Command::new(strip_of(architecture));
    strip.args(["--strip-all", "--remove-section=.comment", "--wildcard"]);
    strip.args(OWN.map(|names| format!("--keep-symbol={names}")));
    succeed(strip.arg(program))
}

/// Fails unless a stack of that program, as `command` starts it, names its functions.
pub fn check(mut command: Command) -> Result<()> {
    let folder = tempfile::tempdir()?;
    command.args(["errors", "test", "--folder"]).arg(folder.path());
    command.env("EBP_ERRORS_DSN", NO_SERVICE).stderr(Stdio::null());
    // It fails, since it reaches nobody.
    command.status()?;
    let queue = folder.path().join("queue");
    let mut events = fs::read_dir(&queue).with_context(|| queue.display().to_string())?;
    let event = events.next().context("no event waits to be sent")??;
    let text = fs::read_to_string(event.path())?;
    ensure!(text.contains(MAIN), "no `{MAIN}` in the stack of {text}");
    Ok(())
}
