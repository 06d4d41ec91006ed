//! The server's metrics, for Prometheus.
//!
//! Enters: requests answered, outcomes of uploads, counts of devices. Leaves: the text that
//! Prometheus reads (OpenMetrics 1.0). Absent: anything about a single household or device.

mod alert;
mod classic;
mod gauge;
mod machine;
mod rollout;
mod tunnel;

use std::{fmt, time::Duration};

use rustls::HandshakeKind;

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

use ebp_core::contract::JobState;
use ebp_store::{AlertCounts, DeviceCounts, JobCounts, PoolStatus};
use jiff::Timestamp;

use crate::machine::MachineState;

pub use alert::AlertMetrics;
pub use classic::classic;
use gauge::{OutcomeLabels, StateLabels, signed};
use machine::MachineMetrics;
pub use tunnel::TunnelMetrics;

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
struct AttemptLabels {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

/// How a TLS handshake ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handshake {
    /// In a new session.
    Full,
    /// In an earlier session.
    Resumed,
    /// In none: the client was broken, or not trusted.
    Failed,
    /// In none: the client took too long.
    Slow,
}

impl Handshake {
    /// One that came to its end.
    #[must_use]
    pub fn from_kind(kind: Option<HandshakeKind>) -> Self {
        if kind == Some(HandshakeKind::Resumed) { Self::Resumed } else { Self::Full }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Resumed => "resumed",
            Self::Failed => "failed",
            Self::Slow => "timeout",
        }
    }
}

/// What is counted elsewhere and asked for when Prometheus asks.
#[derive(Debug, Clone)]
pub struct Gauges {
    /// Devices by state, of the whole survey.
    pub devices: DeviceCounts,
    /// Connections to clients.
    pub connections: usize,
    /// Jobs by state, of all servers of the database.
    pub jobs: JobCounts,
    /// Episodes of trouble with devices, and messages that wait, of all servers of the database.
    pub alerts: AlertCounts,
    /// How far the devices' updates are.
    pub rollout: ebp_survey::RolloutFigures,
    /// Connections to the database.
    pub pool: Option<PoolStatus>,
    /// Since when the oldest job that has not ended is there, of all servers of the database.
    pub oldest_job: Option<Timestamp>,
    /// The machine, and files that the server depends on.
    pub machine: MachineState,
    /// What time it is.
    pub now: Timestamp,
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
    telegrams: Family<OutcomeLabels, Counter>,
    devices: Family<StateLabels, Gauge>,
    clock_wrong: Gauge,
    handshakes: Family<OutcomeLabels, Counter>,
    connections: Gauge,
    refused: Counter,
    pool: Family<StateLabels, Gauge>,
    jobs: Family<StateLabels, Gauge>,
    job_age: Gauge,
    attempts: Family<AttemptLabels, Counter>,
    attempt_duration: Family<KindLabels, Histogram>,
    machine: MachineMetrics,
    rollout: rollout::RolloutMetrics,
    /// What is counted of alerts.
    pub alerts: AlertMetrics,
    /// What is counted of tunnels.
    pub tunnels: TunnelMetrics,
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
            telegrams: Family::default(),
            devices: Family::default(),
            clock_wrong: Gauge::default(),
            handshakes: Family::default(),
            connections: Gauge::default(),
            refused: Counter::default(),
            pool: Family::default(),
            jobs: Family::default(),
            job_age: Gauge::default(),
            attempts: Family::default(),
            // A tenth of a second to about an hour.
            attempt_duration: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.1, 2.0, 16))
            }),
            machine: MachineMetrics::register(&mut registry),
            rollout: rollout::RolloutMetrics::register(&mut registry),
            alerts: AlertMetrics::register(&mut registry),
            tunnels: TunnelMetrics::register(&mut registry),
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
            "Uploaded measurements by outcome",
            telemetry.measurements.clone(),
        );
        registry.register(
            "meter_telegrams",
            "Telegrams of meters that devices have heard, good and damaged",
            telemetry.telegrams.clone(),
        );
        registry.register(
            "devices",
            "Measurement devices by state, of the whole survey",
            telemetry.devices.clone(),
        );
        registry.register(
            "devices_clock_wrong",
            "Active devices whose clock is not synchronised, of the whole survey",
            telemetry.clock_wrong.clone(),
        );
        registry.register(
            "tls_handshakes",
            "How TLS handshakes ended",
            telemetry.handshakes.clone(),
        );
        registry.register(
            "connections",
            "Connections to clients that are open",
            telemetry.connections.clone(),
        );
        registry.register(
            "connections_refused",
            "Connections closed since their address had too many",
            telemetry.refused.clone(),
        );
        registry.register(
            "database_connections",
            "Connections to the database by state, and requests that wait for one",
            telemetry.pool.clone(),
        );
        registry.register(
            "jobs",
            "Jobs by state, of all servers of the database",
            telemetry.jobs.clone(),
        );
        registry.register(
            "job_age_seconds",
            "Since when the oldest job is there that has not ended; 0 without one",
            telemetry.job_age.clone(),
        );
        registry.register("job_attempts", "How attempts at jobs ended", telemetry.attempts.clone());
        registry.register(
            "job_attempt_duration_seconds",
            "From an attempt's beginning to its end",
            telemetry.attempt_duration.clone(),
        );
        // Counters start at 0, so that `rate()` sees the first increment.
        for outcome in [Handshake::Full, Handshake::Resumed, Handshake::Failed, Handshake::Slow] {
            drop(telemetry.handshakes.get_or_create(&OutcomeLabels { outcome: outcome.name() }));
        }
        for outcome in ["accepted", "duplicate", "refused"] {
            drop(telemetry.measurements.get_or_create(&OutcomeLabels { outcome }));
        }
        for outcome in ["good", "damaged"] {
            drop(telemetry.telegrams.get_or_create(&OutcomeLabels { outcome }));
        }
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

    /// A device has received that many telegrams of its meters, `damaged` of them damaged.
    pub fn heard(&self, telegrams: u64, damaged: u64) {
        let good = telegrams.saturating_sub(damaged);
        for (outcome, count) in [("good", good), ("damaged", damaged)] {
            self.telegrams.get_or_create(&OutcomeLabels { outcome }).inc_by(count);
        }
    }

    /// A handshake ended.
    pub fn handshake(&self, outcome: Handshake) {
        self.handshakes.get_or_create(&OutcomeLabels { outcome: outcome.name() }).inc();
    }

    /// A connection was closed since its address had too many.
    pub fn refused(&self) {
        self.refused.inc();
    }

    /// Begins the counters of attempts at jobs of these kinds at 0, so that `increase()` sees the first.
    pub fn expect_jobs(&self, kinds: impl IntoIterator<Item = &'static str>) {
        for kind in kinds {
            for outcome in ["succeeded", "failed", "cancelled", "put-off", "lost"] {
                drop(self.attempts.get_or_create(&AttemptLabels { kind, outcome }));
            }
        }
    }

    /// An attempt at a job ended.
    pub fn job_attempted(&self, kind: &'static str, outcome: &'static str, took: Duration) {
        self.attempts.get_or_create(&AttemptLabels { kind, outcome }).inc();
        self.attempt_duration.get_or_create(&KindLabels { kind }).observe(took.as_secs_f64());
    }

    /// The text for Prometheus.
    ///
    /// # Errors
    /// Never in practice: it is written to memory.
    pub fn text(&self, gauges: Gauges) -> Result<String, fmt::Error> {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.connections.set(number(gauges.connections));
        if let Some(PoolStatus { idle, used, waiting, most }) = gauges.pool {
            for (state, count) in
                [("idle", idle), ("used", used), ("waiting", waiting), ("most", most)]
            {
                self.pool.get_or_create(&StateLabels { state }).set(number(count));
            }
        }
        let DeviceCounts { active, silent, never, revoked, clock_wrong } = gauges.devices;
        self.clock_wrong.set(signed(clock_wrong));
        for (state, count) in
            [("active", active), ("silent", silent), ("never", never), ("revoked", revoked)]
        {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.devices.get_or_create(&StateLabels { state }).set(count);
        }
        for state in JobState::ALL {
            let counted = gauges.jobs.iter().find(|(of, _)| *of == state);
            let count = counted.map_or(0, |(_, count)| i64::try_from(*count).unwrap_or(i64::MAX));
            self.jobs.get_or_create(&StateLabels { state: state.name() }).set(count);
        }
        let age = gauges.oldest_job.map_or(0, |at| gauges.now.duration_since(at).as_secs().max(0));
        self.job_age.set(age);
        self.machine.set(&gauges.machine, gauges.now);
        self.alerts.set(&gauges.alerts);
        self.rollout.set(&gauges.rollout);
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
