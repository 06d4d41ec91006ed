//! Standard output: only the requested data.
//!
//! Enters: finished text. Leaves: it, or why it could not be written. Absent: how it looks, which
//! [`crate::output`] knows for readouts.

use std::io::{self, Write};

use crate::exit::{CommandResult, Failure};

/// Prints.
pub fn print(text: impl AsRef<[u8]>) -> CommandResult {
    quiet_at_closed_pipe(io::stdout().lock().write_all(text.as_ref()))
}

/// Prints it as one line of JSON.
#[cfg(feature = "server")]
pub fn print_json(value: &impl serde::Serialize) -> CommandResult {
    let mut text = serde_json::to_string(value).map_err(Failure::failed)?;
    text.push('\n');
    print(&text)
}

/// A closed pipe ends a command without a word, as every well-behaved filter does.
pub fn quiet_at_closed_pipe(result: io::Result<()>) -> CommandResult {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| Failure::failed(format!("standard output: {error}"))),
    }
}
