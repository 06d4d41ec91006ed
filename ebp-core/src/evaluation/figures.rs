//! Targets, their fulfilment, and the figures of a meter or of all meters.

use serde::Serialize;

use super::distribution::{Distribution, Statistics};

/// Milliseconds in a minute: intervals are counted in milliseconds and shown in minutes.
const MINUTE: f64 = 60_000.0;

/// A target and how much of it was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Target {
    /// The expected number.
    pub expected: u64,
    /// The number reached.
    pub reached: u64,
}

impl Target {
    /// What was reached in percent of what was expected; `None` if nothing was expected.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn fulfilment(self) -> Option<f64> {
        (self.expected > 0).then(|| self.reached as f64 / self.expected as f64 * 100.0)
    }

    const fn plus(self, other: Self) -> Self {
        Self { expected: self.expected + other.expected, reached: self.reached + other.reached }
    }
}

/// The figures of a meter, or of all of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Measurements.
    pub measurements: Target,
    /// Slots that should have a measurement and have none.
    pub missed: u64,
    /// Measurements in slots that had one already.
    pub doubled: u64,
    /// Report cycles with a report.
    pub reports: Target,
    /// From measurement to measurement, milliseconds.
    pub measurement_cycle: Distribution,
    /// From report to report, milliseconds.
    pub report_cycle: Distribution,
    /// Measurements in each report.
    pub per_report: Distribution,
}

impl Figures {
    /// From measurement to measurement, in minutes.
    #[must_use]
    pub fn measurement_cycle_minutes(&self) -> Option<Statistics> {
        self.measurement_cycle.statistics(MINUTE)
    }

    /// From report to report, in minutes.
    #[must_use]
    pub fn report_cycle_minutes(&self) -> Option<Statistics> {
        self.report_cycle.statistics(MINUTE)
    }

    /// Measurements in each report.
    #[must_use]
    pub fn measurements_per_report(&self) -> Option<Statistics> {
        self.per_report.statistics(1.0)
    }

    /// The statistics of table 5.1 by name.
    #[must_use]
    pub fn statistics(&self) -> [(&'static str, Option<Statistics>); 3] {
        [
            ("measurement cycle (min)", self.measurement_cycle_minutes()),
            ("report cycle (min)", self.report_cycle_minutes()),
            ("measurements per report", self.measurements_per_report()),
        ]
    }

    /// The targets of table 5.2 by name.
    #[must_use]
    pub const fn targets(&self) -> [(&'static str, Target); 2] {
        [("measurement target", self.measurements), ("report target", self.reports)]
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.measurements = self.measurements.plus(other.measurements);
        self.missed += other.missed;
        self.doubled += other.doubled;
        self.reports = self.reports.plus(other.reports);
        self.measurement_cycle.merge(&other.measurement_cycle);
        self.report_cycle.merge(&other.report_cycle);
        self.per_report.merge(&other.per_report);
    }
}
