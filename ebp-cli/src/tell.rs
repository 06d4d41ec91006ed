//! Telling people something on standard error.
//!
//! Enters: text. Leaves: one line, written at once. Absent: failing. If standard error is closed
//! (`ebp simulate 2>&1 | head -1`, a log's reader that was restarted), that must not end a meter or
//! a daemon, as `eprintln!` would.

use std::{
    fmt,
    io::{self, Write},
    sync::atomic::{AtomicBool, Ordering},
};

/// The priority of why the program ends, in systemd's journal (`sd-daemon(3)`).
pub const ERROR: u8 = 3;
/// The priority of what people are told.
const NOTICE: u8 = 5;

/// Whether each line begins with its priority.
static PRIORITIES: AtomicBool = AtomicBool::new(false);

/// Begins each line with its priority from now on, or does not.
pub fn write_priorities(yes: bool) {
    PRIORITIES.store(yes, Ordering::Relaxed);
}

/// Writes one line to standard error, if anybody listens there.
macro_rules! tell {
    ($($argument:tt)*) => { $crate::tell::line(format_args!($($argument)*)) };
}
pub(crate) use tell;

/// The implementation of [`tell!`].
pub fn line(text: fmt::Arguments<'_>) {
    line_of(NOTICE, text);
}

/// Writes one line of that priority.
pub fn line_of(priority: u8, text: fmt::Arguments<'_>) {
    let priority = match PRIORITIES.load(Ordering::Relaxed) {
        true => format!("<{priority}>"),
        false => String::new(),
    };
    let _ = io::stderr().lock().write_all(format!("{priority}{text}\n").as_bytes());
}
