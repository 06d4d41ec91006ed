//! Secrets that are asked for: on the terminal without showing them, or from standard input. Never
//! as an argument: every user of the machine sees those.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, IsTerminal, Write},
    path::Path,
};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::{
    config::read_text,
    exit::{Context, Failure},
};

/// Asks for a secret; where `twice`, once more to be sure of it.
///
/// # Errors
/// If there is none, or the two differ.
pub fn ask(what: &str, twice: bool) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        return first_line(&mut io::stdin().lock()).and_then(|line| filled(what, line));
    }
    let mut terminal = Terminal::open().or_failed("the terminal")?;
    let secret = terminal.ask(&format!("{what}: ")).or_failed("the terminal")?;
    if twice && terminal.ask("once more: ").or_failed("the terminal")? != secret {
        return Err(Failure::failed("the two are not the same").remedy("try again"));
    }
    filled(what, secret)
}

/// The first line of a file that holds a secret.
///
/// # Errors
/// Names the file.
pub fn from_file(what: &str, path: &Path) -> Result<String, Failure> {
    let text = read_text(path)?;
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

/// The terminal, silent while it lives.
struct Terminal {
    file: File,
    before: Termios,
}

impl Terminal {
    fn open() -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        let before = tcgetattr(&file)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&file, OptionalActions::Flush, &silent)?;
        Ok(Self { file, before })
    }

    fn ask(&mut self, prompt: &str) -> io::Result<String> {
        write!(self.file, "{prompt}")?;
        let mut line = String::new();
        BufReader::new(&self.file).read_line(&mut line)?;
        writeln!(self.file)?;
        Ok(line.trim_end_matches(['\n', '\r']).to_owned())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Nothing more can be done about a terminal that is gone.
        let _ = tcsetattr(&self.file, OptionalActions::Flush, &self.before);
    }
}
