//! Secrets that are asked for: on the terminal without showing them, or from standard input. Never
//! as an argument: every user of the machine sees those.

use std::{
    io::{self, BufRead, IsTerminal},
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use signal_hook::consts::SIGINT;

use crate::{
    exit::{Context, Failure},
    file::read_private,
    terminal::Terminal,
};

/// Asks for a secret; where `twice`, once more to be sure of it.
///
/// # Errors
/// Returns a failure if there is none, or if the two differ.
pub fn ask(what: &str, twice: bool) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        return first_line(&mut io::stdin().lock()).and_then(|line| filled(what, line));
    }
    // Ctrl-C is looked for, so that the terminal is not left silent.
    let stop = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGINT, stop.clone()).or_failed("signals")?;
    let terminal =
        Terminal::open(&stop).ok_or_else(|| Failure::failed("there is no terminal to ask on"))?;
    let ask = |question: &str| {
        let typed = terminal.ask_hidden(question).or_failed("the terminal")?;
        typed.map(|typed| typed.text().to_owned()).ok_or_else(|| Failure::failed("broken off"))
    };
    let secret = ask(&format!("{what}: "))?;
    if twice && ask("once more: ")? != secret {
        return Err(Failure::failed("the two are not the same").remedy("try again"));
    }
    filled(what, secret)
}

/// The first line of a file that holds a secret.
///
/// # Errors
/// Returns a failure that names the file.
pub fn from_file(what: &str, path: &Path) -> Result<String, Failure> {
    let text = read_private(path)?;
    filled(what, text.lines().next().unwrap_or_default().to_owned())
}

fn first_line(from: &mut impl BufRead) -> Result<String, Failure> {
    let mut line = String::new();
    from.read_line(&mut line).or_failed("standard input")?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

fn filled(what: &str, secret: String) -> Result<String, Failure> {
    if secret.is_empty() {
        return Err(Failure::usage(format!("{what} is empty")));
    }
    Ok(secret)
}
