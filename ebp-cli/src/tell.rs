//! Telling people something on standard error.
//!
//! Enters: text. Leaves: one line, written at once. Absent: failing. If standard error is closed
//! (`ebp simulate 2>&1 | head -1`, a log's reader that was restarted), that must not end a meter or
//! a daemon, as `eprintln!` would.

use std::{
    fmt,
    io::{self, Write},
};

/// Writes one line to standard error, if anybody listens there.
macro_rules! tell {
    ($($argument:tt)*) => { $crate::tell::line(format_args!($($argument)*)) };
}
pub(crate) use tell;

/// The implementation of [`tell!`].
pub fn line(text: fmt::Arguments<'_>) {
    let _ = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}
