//! The log on standard error: of what, and in which form.
//!
//! Enters: level and format. Leaves: log lines. Absent: the messages, which every crate writes,
//! without personal data.

mod journal;

use std::{
    io::{self, IsTerminal},
    sync::atomic::{AtomicBool, Ordering},
};

use ebp_errors::{ErrorLayer, Reporter};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::tell as terminal;
use journal::WithPriority;

/// Whether standard error has nothing but JSON on it.
static JSON: AtomicBool = AtomicBool::new(false);

/// Starts logging; events of level ERROR go to the reporter, too. Logged are warnings by default, more with `-v`, or as `EBP_LOG` says. In JSON the server's
/// requests are logged without `-v`, too, because programs read it.
pub fn start(verbose: u8, as_json: bool, reporter: Option<Reporter>) {
    let level = match (verbose, as_json) {
        (0, false) => "warn",
        (0, true) => "ebp=info,ebp_server=info,ebp_survey=info,ebp_web=info,warn",
        (1, _) => {
            "ebp=info,ebp_core=info,ebp_meter=info,ebp_server=info,ebp_survey=info,ebp_web=info,warn"
        }
        _ => {
            "ebp=debug,ebp_core=debug,ebp_meter=debug,ebp_server=debug,ebp_survey=debug,ebp_web=debug,info"
        }
    };
    // Of the filters the one without regular expressions: they would be a tenth of what a device
    // has to load.
    let asked = std::env::var("EBP_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let filter = asked.or_else(|| level.parse().ok()).unwrap_or_default();
    let log = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        // It would report that on the same standard error that cannot be written to, and panic.
        .log_internal_errors(false);
    // Its filter is its own: it switches nothing else on.
    let errors = reporter.map(|own| ErrorLayer::new(own).with_filter(LevelFilter::ERROR));
    let registry = tracing_subscriber::registry().with(errors);
    let is_journal = journal::is_journal();
    terminal::write_priorities(is_journal);
    if !as_json {
        let log = match is_journal {
            true => log.map_event_format(WithPriority).with_filter(filter).boxed(),
            false => log.with_filter(filter).boxed(),
        };
        return registry.with(log).init();
    }
    JSON.store(true, Ordering::Relaxed);
    let json = log.json().with_target(true).with_ansi(false);
    let json = json.flatten_event(true).with_current_span(true).with_span_list(false);
    let json = match is_journal {
        true => json.map_event_format(WithPriority).with_filter(filter).boxed(),
        false => json.with_filter(filter).boxed(),
    };
    registry.with(json).init();
}

/// Tells people something, in the log's form.
pub fn tell(text: std::fmt::Arguments<'_>) {
    if JSON.load(Ordering::Relaxed) {
        tracing::info!("{text}");
    } else {
        terminal::line(format_args!("ebp: {text}"));
    }
}

/// Tells why the program ends, in the log's form.
pub fn fail(failure: &crate::exit::Failure) {
    if JSON.load(Ordering::Relaxed) {
        tracing::error!("{failure}");
    } else {
        terminal::line_of(terminal::ERROR, format_args!("ebp: {failure}"));
    }
}
