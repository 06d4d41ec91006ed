//! The metrics of alerts.

use ebp_core::contract::{AlertChannel, AlertKind};
use ebp_store::AlertCounts;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::gauge::{OutcomeLabels, signed};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    channel: &'static str,
    outcome: &'static str,
}

/// What is counted of alerts.
#[derive(Debug, Default)]
pub struct AlertMetrics {
    episodes: Family<KindLabels, Gauge>,
    pending: Gauge,
    error_groups: Gauge,
    looks: Counter,
    attempts: Family<AttemptLabels, Counter>,
    heartbeats: Family<OutcomeLabels, Counter>,
}

impl AlertMetrics {
    /// Counters start at 0, so that `rate()` sees the first increment.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "alert_episodes",
            "Open episodes of trouble with devices by kind, of the whole survey",
            metrics.episodes.clone(),
        );
        registry.register(
            "alert_deliveries_pending",
            "Messages about devices that are not sent yet, of the whole survey",
            metrics.pending.clone(),
        );
        registry.register(
            "device_error_groups",
            "Groups of errors that devices have reported, of the whole survey",
            metrics.error_groups.clone(),
        );
        registry.register(
            "alert_looks",
            "How often this server looked at all devices",
            metrics.looks.clone(),
        );
        registry.register(
            "alert_attempts",
            "How attempts of this server to send messages about devices ended",
            metrics.attempts.clone(),
        );
        registry.register(
            "alert_heartbeats",
            "How calls of the watchdog by this server ended",
            metrics.heartbeats.clone(),
        );
        for outcome in ["accepted", "failed", "refused", "dropped"] {
            for channel in AlertChannel::ALL.map(AlertChannel::name) {
                drop(metrics.attempts.get_or_create(&AttemptLabels { channel, outcome }));
            }
        }
        for outcome in ["reached", "failed"] {
            drop(metrics.heartbeats.get_or_create(&OutcomeLabels { outcome }));
        }
        metrics
    }

    /// All devices were looked at.
    pub fn looked(&self) {
        self.looks.inc();
    }

    /// An attempt to send a message ended.
    pub fn attempted(&self, channel: &'static str, outcome: &'static str) {
        self.attempts.get_or_create(&AttemptLabels { channel, outcome }).inc();
    }

    /// The watchdog was called.
    pub fn called(&self, is_reached: bool) {
        let outcome = if is_reached { "reached" } else { "failed" };
        self.heartbeats.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// What the database counts.
    pub(super) fn set(&self, counts: &AlertCounts) {
        for kind in AlertKind::ALL {
            let open = counts.open.iter().find(|(of, _)| *of == kind);
            let count = open.map_or(0, |(_, count)| signed(*count));
            self.episodes.get_or_create(&KindLabels { kind: kind.name() }).set(count);
        }
        self.pending.set(signed(counts.pending));
        self.error_groups.set(signed(counts.error_groups));
    }
}
