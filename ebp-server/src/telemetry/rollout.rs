//! The metrics of updates: how far the devices of the survey are.

use ebp_core::contract::RolloutDeviceState;
use ebp_survey::RolloutFigures;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use super::gauge::{StateLabels, signed};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VersionLabels {
    version: String,
}

/// What is counted of updates.
#[derive(Debug, Default)]
pub struct RolloutMetrics {
    devices: Family<StateLabels, Gauge>,
    versions: Family<VersionLabels, Gauge>,
    halted: Gauge,
}

impl RolloutMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "update_devices",
            "Devices by where they stand in the latest roll-out, of the whole survey",
            metrics.devices.clone(),
        );
        registry.register(
            "update_device_versions",
            "Devices by the version that they report, of the whole survey; 20 versions at most",
            metrics.versions.clone(),
        );
        registry.register(
            "rollout_halted",
            "Whether a roll-out is halted, of the whole survey",
            metrics.halted.clone(),
        );
        metrics
    }

    /// What the database counts.
    pub(super) fn set(&self, figures: &RolloutFigures) {
        for state in RolloutDeviceState::ALL.iter().map(|state| state.name()) {
            let count = figures.devices.get(state).copied().unwrap_or(0);
            self.devices.get_or_create(&StateLabels { state }).set(signed(count));
        }
        // A version that no device reports any more is not named any more.
        self.versions.clear();
        self.versions.get_or_create(&VersionLabels { version: "other".to_owned() }).set(0);
        for (version, count) in &figures.versions {
            let labels = VersionLabels { version: version.clone() };
            self.versions.get_or_create(&labels).set(signed(*count));
        }
        self.halted.set(i64::from(figures.is_halted));
    }
}
