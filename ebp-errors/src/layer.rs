//! `tracing` events of level ERROR as reports.
//!
//! An event's message is formatted with values, so it is left out. Of its fields those on a list pass,
//! if they are numbers or names; an error that is recorded as one passes with its types alone.

use std::{collections::BTreeMap, error::Error, fmt};

use tracing::{
    Event, Level as TracingLevel, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

use crate::{
    origin::Place,
    report::{Component, Report},
    reporter::Reporter,
    types::error_types,
};

/// The fields that may leave, by name: none of them is about a person, a device or a place.
const FIELDS: [&str; 6] = ["attempt", "count", "kind", "method", "seconds", "status"];

/// The longest value, bytes.
const LONGEST: usize = 40;

/// What begins the targets of this project.
const OWN: &str = "ebp";

/// Targets that are not reported: this crate's own, and how the program says why it ends, which is
/// reported with its type.
const LEFT_OUT: [&str; 2] = ["ebp_errors", "ebp::log"];

/// The target of a server's jobs.
const JOBS: &str = "ebp_server::job";

/// Turns `tracing` events of level ERROR into reports. Give it a filter for that level, so that it does
/// not switch others on.
#[derive(Debug, Clone)]
pub struct ErrorLayer(Reporter);

impl ErrorLayer {
    /// To that reporter.
    #[must_use]
    pub const fn new(reporter: Reporter) -> Self {
        Self(reporter)
    }
}

impl<S: Subscriber> Layer<S> for ErrorLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let target = metadata.target();
        let is_left_out = LEFT_OUT.iter().any(|own| target.starts_with(own));
        if *metadata.level() != TracingLevel::ERROR || !target.starts_with(OWN) || is_left_out {
            return;
        }
        let mut found = Found::default();
        event.record(&mut found);
        let types = match found.types {
            types if types.is_empty() => vec![target.to_owned()],
            types => types,
        };
        let place =
            Place::new(metadata.file().unwrap_or_default(), metadata.line().unwrap_or_default());
        self.0.report(Report {
            fields: found.fields,
            component: target.starts_with(JOBS).then_some(Component::Jobs),
            wants_stack: true,
            ..Report::new(types, place)
        });
    }
}

/// What of an event may leave.
#[derive(Default)]
struct Found {
    fields: BTreeMap<&'static str, String>,
    types: Vec<String>,
}

impl Found {
    fn keep(&mut self, field: &Field, value: String) {
        if let Some(name) = FIELDS.iter().find(|name| **name == field.name()) {
            self.fields.insert(name, value);
        }
    }

    fn keep_number(&mut self, field: &Field, value: impl fmt::Display) {
        self.keep(field, value.to_string());
    }
}

impl Visit for Found {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.keep_number(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.keep_number(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.keep_number(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.keep_number(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let is_name = |byte: u8| byte.is_ascii_lowercase() || b"-_".contains(&byte);
        if value.len() <= LONGEST && value.bytes().all(is_name) {
            self.keep(field, value.to_owned());
        }
    }

    fn record_error(&mut self, _: &Field, value: &(dyn Error + 'static)) {
        self.types = error_types(value);
    }

    /// Texts that are made of values.
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
