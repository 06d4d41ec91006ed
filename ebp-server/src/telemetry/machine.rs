//! The metrics of the machine and of the files that the server depends on.

use jiff::Timestamp;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::machine::MachineState;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfLabels {
    of: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RoleLabels {
    role: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ComponentLabels {
    component: &'static str,
}

/// What is found when Prometheus asks. What cannot be found has no series, as it has no value.
#[derive(Debug, Default)]
pub struct MachineMetrics {
    free: Family<OfLabels, Gauge>,
    size: Family<OfLabels, Gauge>,
    backup: Family<OfLabels, Gauge>,
    certificates: Family<OfLabels, Gauge>,
    releases: Family<RoleLabels, Gauge>,
    errors: Family<ComponentLabels, Gauge>,
    newest_error: Gauge,
}

impl MachineMetrics {
    /// Registers them.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        for (name, about, family) in [
            ("disk_free_bytes", "Bytes of the disk that are free for the server", &metrics.free),
            ("disk_size_bytes", "Bytes of the disk", &metrics.size),
            (
                "backup_age_seconds",
                "Since the newest backup in their folder was written; since 1970 without one",
                &metrics.backup,
            ),
            (
                "certificate_expires_seconds",
                "Until a certificate is not valid any more",
                &metrics.certificates,
            ),
        ] {
            registry.register(name, about, family.clone());
        }
        registry.register(
            "release_expires_seconds",
            "Until a role of the repository of the program's releases is not valid any more",
            metrics.releases.clone(),
        );
        registry.register(
            "errors",
            "Errors of this server's program that are in its ledger, by component",
            metrics.errors.clone(),
        );
        registry.register(
            "newest_error_timestamp_seconds",
            "When an error occurred that had not occurred before; 0 without one",
            metrics.newest_error.clone(),
        );
        for component in ["server", "jobs"] {
            drop(metrics.errors.get_or_create(&ComponentLabels { component }));
        }
        metrics
    }

    /// Takes what was found at that instant.
    pub(super) fn set(&self, state: &MachineState, now: Timestamp) {
        let number = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        if let Some((free, size)) = state.disk {
            self.free.get_or_create(&OfLabels { of: "data" }).set(number(free));
            self.size.get_or_create(&OfLabels { of: "data" }).set(number(size));
        }
        if let Some(written) = state.backup {
            let age = now.duration_since(written).as_secs().max(0);
            self.backup.get_or_create(&OfLabels { of: "database" }).set(age);
        }
        for (component, count) in &state.errors {
            self.errors.get_or_create(&ComponentLabels { component }).set(number(*count));
        }
        self.newest_error.set(state.newest_error.map_or(0, Timestamp::as_second));
        for (of, end) in &state.certificates {
            let left = end.duration_since(now).as_secs();
            self.certificates.get_or_create(&OfLabels { of }).set(left);
        }
        for (role, end) in &state.releases {
            let left = end.duration_since(now).as_secs();
            self.releases.get_or_create(&RoleLabels { role }).set(left);
        }
    }
}
