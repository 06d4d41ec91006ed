//! Reads the PIN.
//!
//! Enters: a file's name, the environment, the terminal. Leaves: a [`Pin`]. Absent: the command line
//! as a source, for every user of the machine can read it.

use std::{path::Path, sync::atomic::AtomicBool};

use ebp_meter::unlock::Pin;

use crate::{
    exit::{Context, Failure},
    terminal::Terminal,
};

/// The environment variable.
const VARIABLE: &str = "EBP_PIN";

/// The PIN of file or environment, if either is given.
pub fn given(file: Option<&Path>) -> Result<Option<Pin>, Failure> {
    if let Some(file) = file {
        return Ok(Some(Pin::from_file(file)?));
    }
    match std::env::var(VARIABLE) {
        Ok(text) => Ok(Some(text.parse().map_err(|error| {
            Failure::from(error).remedy(format!("it was taken from {VARIABLE}"))
        })?)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure::usage(format!("{VARIABLE} contains no digits")))
        }
    }
}

/// The PIN of file, environment or terminal.
pub fn pin(file: Option<&Path>, stop: &AtomicBool) -> Result<Pin, Failure> {
    if let Some(pin) = given(file)? {
        return Ok(pin);
    }
    let Some(terminal) = Terminal::open(stop) else {
        return Err(Failure::usage("no PIN, and no terminal to ask for it").remedy(format!(
            "write it into a file that only you may read and name that with --pin-file, or set {VARIABLE}"
        )));
    };
    ask(&terminal)?
        .ok_or_else(|| Failure::failed("stopped before any light: the meter is as it was"))
}

/// Asks for the PIN; `None` if the owner enters nothing.
pub fn ask(terminal: &Terminal<'_>) -> Result<Option<Pin>, Failure> {
    match terminal.ask_hidden("PIN of the meter (it is not shown): ").or_failed("the terminal")? {
        Some(typed) => Ok(Some(typed.text().parse()?)),
        None => Ok(None),
    }
}
