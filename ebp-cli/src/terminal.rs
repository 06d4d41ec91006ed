//! Asking the person in front of the terminal.
//!
//! Enters: questions, a request to stop. Leaves: a typed line, or `None` if there is no terminal
//! any more. Absent: what the questions are about. The terminal is put back as it was in any case.

use std::{
    hint::black_box,
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    termios::{LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr},
};

/// How often a stop is looked for.
const SLICE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// A terminal: a person who reads standard error and types on standard input.
pub struct Terminal<'a> {
    stop: &'a AtomicBool,
}

/// What was typed; wiped when it is dropped, for it may be a secret.
pub struct Typed(Vec<u8>);

impl Typed {
    /// As text, without the line's end.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("\u{fffd}").trim()
    }
}

impl Drop for Typed {
    fn drop(&mut self) {
        self.0.fill(0);
        // Without a look at them the compiler may leave the zeros out.
        black_box(&self.0);
    }
}

impl<'a> Terminal<'a> {
    /// The terminal, if there is one to type on and one to read on. `stop` is raised by Ctrl-C.
    pub fn open(stop: &'a AtomicBool) -> Option<Self> {
        (io::stdin().is_terminal() && io::stderr().is_terminal()).then_some(Self { stop })
    }

    /// Asks for a line; nothing at Ctrl-C or the input's end.
    ///
    /// # Errors
    /// Returns an error if the terminal cannot be read or configured.
    pub fn ask(&self, question: &str) -> io::Result<Option<Typed>> {
        io::stderr().write_all(question.as_bytes())?;
        self.line()
    }

    /// Asks for a line that is not shown while it is typed.
    ///
    /// # Errors
    /// Returns an error if the terminal cannot be read or configured.
    pub fn ask_hidden(&self, question: &str) -> io::Result<Option<Typed>> {
        let hidden = Hidden::new()?;
        let typed = self.ask(question);
        drop(hidden);
        // The line's end was hidden too.
        io::stderr().write_all(b"\n")?;
        typed
    }

    /// Forgets what was typed before it was asked for.
    pub fn forget_typed(&self) {
        // Only a terminal that is gone refuses; the next question finds that out.
        let _ = tcflush(io::stdin(), QueueSelector::IFlush);
    }

    fn line(&self) -> io::Result<Option<Typed>> {
        let stdin = io::stdin();
        let mut line = Typed(Vec::with_capacity(256));
        let mut buffer = Typed(vec![0; 256]);
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
            match poll(&mut fds, Some(&SLICE)) {
                Ok(0) | Err(Errno::INTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
            // Past std's buffer, which would keep a copy of what was typed.
            let count = match rustix::io::read(&stdin, &mut buffer.0[..]) {
                Err(Errno::INTR) => continue,
                other => other?,
            };
            line.0.extend_from_slice(&buffer.0[..count]);
            if count == 0 && line.0.is_empty() {
                return Ok(None);
            }
            if count == 0 || line.0.ends_with(b"\n") {
                return Ok(Some(line));
            }
        }
    }
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Hidden(Termios);

impl Hidden {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // The error cannot be reported if the terminal itself is gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}
