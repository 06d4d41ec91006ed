//! What the server counts of itself, for Prometheus.
//!
//! Enters: requests answered, outcomes of uploads, counts of devices. Leaves: the text that
//! Prometheus reads (OpenMetrics 1.0). Absent: anything that tells of one household or device.

use std::{fmt, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

use crate::store::DeviceCounts;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

/// Of how many measurements of an upload what became.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UploadCounts {
    /// Stored.
    pub accepted: u64,
    /// There already.
    pub duplicate: u64,
    /// Refused.
    pub refused: u64,
}

/// The counts of this process.
pub struct Telemetry {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    latency: Family<RouteLabels, Histogram>,
    uploads: Counter,
    measurements: Family<OutcomeLabels, Counter>,
    devices: Family<StateLabels, Gauge>,
}

impl Default for Telemetry {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("ebp");
        // A millisecond to about half a minute.
        let histogram = || Histogram::new(exponential_buckets(0.001, 2.0, 16));
        let telemetry = Self {
            requests: Family::default(),
            latency: Family::new_with_constructor(histogram),
            uploads: Counter::default(),
            measurements: Family::default(),
            devices: Family::default(),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests answered", telemetry.requests.clone());
        registry.register(
            "request_duration_seconds",
            "From a request's headers to its answer",
            telemetry.latency.clone(),
        );
        registry.register("uploads", "Reports taken in", telemetry.uploads.clone());
        registry.register(
            "measurements",
            "What became of uploaded measurements",
            telemetry.measurements.clone(),
        );
        registry.register(
            "devices",
            "Measurement devices by state, of the whole survey",
            telemetry.devices.clone(),
        );
        Self { registry, ..telemetry }
    }
}

impl Telemetry {
    /// A request was answered. `route` is the template, `method` one of the known ones.
    pub fn answered(&self, method: &'static str, route: &'static str, status: u16, took: Duration) {
        self.requests.get_or_create(&RequestLabels { method, route, status }).inc();
        self.latency.get_or_create(&RouteLabels { route }).observe(took.as_secs_f64());
    }

    /// A report was taken in.
    pub fn uploaded(&self, counts: UploadCounts) {
        self.uploads.inc();
        let UploadCounts { accepted, duplicate, refused } = counts;
        for (outcome, count) in
            [("accepted", accepted), ("duplicate", duplicate), ("refused", refused)]
        {
            self.measurements.get_or_create(&OutcomeLabels { outcome }).inc_by(count);
        }
    }

    /// The text for Prometheus.
    ///
    /// # Errors
    /// Never in practice: it is written to memory.
    pub fn text(&self, devices: DeviceCounts) -> Result<String, fmt::Error> {
        let DeviceCounts { active, silent, never, revoked } = devices;
        for (state, count) in
            [("active", active), ("silent", silent), ("never", never), ("revoked", revoked)]
        {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.devices.get_or_create(&StateLabels { state }).set(count);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
