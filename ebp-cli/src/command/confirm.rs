//! Asking at the terminal before something is done that cannot be undone.

use std::{
    io::IsTerminal,
    sync::{Arc, atomic::AtomicBool},
};

use signal_hook::consts::SIGINT;

use crate::{
    exit::{CommandResult, Context, Failure},
    terminal::Terminal,
};

/// Whether there is somebody to ask; if not, what to do instead.
pub fn require_terminal(instead: &str) -> CommandResult {
    if std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Failure::usage("there is no terminal to ask on")
        .remedy(format!("type it at a terminal, or {instead}")))
}

/// Asks at the terminal, until Ctrl-C.
pub fn at_terminal<T>(ask: impl FnOnce(&Terminal<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGINT, stop.clone()).or_failed("signals")?;
    let terminal =
        Terminal::open(&stop).ok_or_else(|| Failure::failed("there is no terminal to ask on"))?;
    terminal.forget_typed();
    ask(&terminal)
}

/// What is typed as the answer; nothing if nobody answers any more.
pub fn type_word(terminal: &Terminal<'_>, question: &str) -> Result<Option<String>, Failure> {
    let typed = terminal.ask(question).or_failed("the terminal")?;
    Ok(typed.map(|typed| typed.text().to_owned()))
}

/// It was not confirmed.
pub fn unchanged(word: &str) -> Failure {
    Failure::failed("nothing was changed").remedy(format!("type {word} to confirm it"))
}
