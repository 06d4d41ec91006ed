//! Panics as reports: on the disk before anything else happens.

use std::panic::{self, PanicHookInfo};

use crate::{
    origin::Place,
    report::{Level, Report},
    reporter::Reporter,
};

/// Reports each panic of this process from now on, then does what was done before. A report has place and
/// stack; the panic's text only where it is one of the program's own sources (`&'static str`), because
/// any other one has values in it.
pub fn catch_panics(reporter: &Reporter) {
    let (reporter, before) = (reporter.clone(), panic::take_hook());
    panic::set_hook(Box::new(move |info| {
        reporter.report(describe(info));
        before(info);
    }));
}

fn describe(info: &PanicHookInfo<'_>) -> Report {
    let place = info.location().map_or_else(|| Place::new("", 0), Place::from);
    Report {
        level: Level::Fatal,
        text: info.payload().downcast_ref::<&'static str>().copied(),
        wants_stack: true,
        ..Report::new(vec!["panic".to_owned()], place)
    }
}
