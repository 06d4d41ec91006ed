//! Priorities for systemd's journal: `<4>` before a line, which the journal takes off again
//! (`sd-daemon(3)`). `journalctl -p warning` then finds warnings.

use std::{env, fmt, io};

use rustix::fs::fstat;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::tell as terminal;

/// Where systemd says which stream is the journal's: `DEVICE:INODE`.
const VARIABLE: &str = "JOURNAL_STREAM";

/// Whether standard error is the journal, and not a terminal or a file that it was redirected to.
pub fn is_journal() -> bool {
    let Ok(named) = env::var(VARIABLE) else { return false };
    fstat(io::stderr()).is_ok_and(|own| named == format!("{}:{}", own.st_dev, own.st_ino))
}

/// A format with each event's priority before it.
pub struct WithPriority<F>(pub F);

impl<S, N, F> FormatEvent<S, N> for WithPriority<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        write!(writer, "<{}>", priority(*event.metadata().level()))?;
        self.0.format_event(context, writer, event)
    }
}

const fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => terminal::ERROR,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}
