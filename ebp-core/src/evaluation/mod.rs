//! How well a survey met its targets (thesis chapter 5): measurement and report target fulfilment,
//! cycles, measurements per report, for each meter and for all.
//!
//! Enters: when each meter was measured and when the server had it; the window, the cycles.
//! Leaves: an [`Evaluation`]; [`chart`] draws it. Absent: where the instants come from; what was
//! measured.
//!
//! The terms, where they need saying more exactly than the thesis does:
//! - The window consists of whole slots of the measurement cycle. For each meter it begins with the
//!   slot of the first measurement that was ever made of it, if that lies within (footnote 53):
//!   devices start one after the other. A meter that was measured before and is silent now is not
//!   excused, nor is one that never was measured though it might have been.
//! - The *measurement target* is one measurement a slot. Its fulfilment is the number of
//!   measurements in percent of it, as in table 5.2: a slot measured twice counts twice, and shows
//!   among `doubled`; one without a measurement among `missed`.
//! - A *report* is what the server received of a meter at one instant. The *report target* is one
//!   report a cycle, at the phase in the cycle at which the meter's device reports; a cycle is
//!   fulfilled when a report came nearer to its instant than to another's. It cannot be fulfilled
//!   twice: more reports than cycles do not hide a silence.
//! - What is not *due* is not missing: a slot is due with the first report behind it, a report with a
//!   tenth of a cycle. What was due by an instant is asked only of [`Terms::due_by`].
//! - Mean, median and deviation over all meters are given twice: pooled, which is of all values
//!   together, and as the mean of the meters' figures, as the thesis has them (footnotes 62, 63).
//!   The means are the same where all meters have as many values; deviations are not.

pub mod chart;
mod distribution;
mod meter;
mod report;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use uuid::Uuid;

use crate::cycle::Cycle;

pub use distribution::{Distribution, Statistics};

/// Milliseconds in a minute: intervals are counted in milliseconds and told in minutes.
const MINUTE: f64 = 60_000.0;

/// When a measurement was made, and when the server had it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observation {
    /// When the meter was read.
    pub measured_at: Timestamp,
    /// When the server had it; the same for all that came in one report.
    pub received_at: Timestamp,
}

/// A stretch of time, the end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub to: Timestamp,
}

impl Stretch {
    /// Whether the instant is one of it.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
}

/// A meter and what is known of its measurements.
#[derive(Debug, Clone, Default)]
pub struct MeterRecord {
    /// Its identifier in the survey.
    pub meter: Uuid,
    /// Its model's name.
    pub model: String,
    /// Its measurements, in any order: at least all that [`Terms::needs`].
    pub observations: Vec<Observation>,
    /// When it was measured for the first time, if that is not among the observations.
    pub first: Option<Timestamp>,
    /// When it was allowed to be measured, by its household's consent; always, if absent. Where it
    /// never was measured its part of the window begins no sooner, and nothing is due at its end.
    pub allowed: Option<Stretch>,
    /// Whether it is to be counted and not to be named.
    pub withheld: bool,
    /// When it could not be measured at all, for reasons outside the system: slots that lie wholly
    /// therein are no target.
    pub unmeasurable: Vec<Stretch>,
    /// When nothing could be reported, for such reasons: report cycles that touch it are no target.
    pub unreportable: Vec<Stretch>,
}

/// What is evaluated, and against which targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    window: Stretch,
    measurement: Cycle,
    report: Cycle,
    due_by: Timestamp,
}

impl Terms {
    /// The whole slots of the measurement cycle from `from` to `to`.
    ///
    /// # Errors
    /// [`EmptyWindow`] if there is none.
    pub fn new(
        from: Timestamp,
        to: Timestamp,
        measurement: Cycle,
        report: Cycle,
    ) -> Result<Self, EmptyWindow> {
        let begun = measurement.slot(from);
        let first = if begun.start() == from { begun.start() } else { begun.end() };
        let last = measurement.slot(to).start();
        if first >= last {
            return Err(EmptyWindow { cycle: measurement });
        }
        let window = Stretch { from: first, to: last };
        Ok(Self { window, measurement, report, due_by: Timestamp::MAX })
    }

    /// Expects only what was due at that instant; all of the window otherwise.
    #[must_use]
    pub const fn due_by(self, at: Timestamp) -> Self {
        Self { due_by: at, ..self }
    }

    /// When measurements were received that belong to a report of the window: half a report cycle
    /// more on either side, since a report belongs to the instant that it came nearest to.
    #[must_use]
    pub fn reception(&self) -> Stretch {
        let half = SignedDuration::try_from(self.report.duration() / 2).unwrap_or_default();
        let Stretch { from, to } = self.window;
        Stretch {
            from: from.checked_sub(half).unwrap_or(Timestamp::MIN),
            to: to.checked_add(half).unwrap_or(Timestamp::MAX),
        }
    }

    /// Whether an observation counts for anything: it was measured in the window, or came in one of
    /// its reports, however long ago it was measured.
    #[must_use]
    pub fn needs(&self, observation: &Observation) -> bool {
        self.window.contains(observation.measured_at)
            || self.reception().contains(observation.received_at)
    }

    /// The window, in whole slots.
    #[must_use]
    pub const fn window(&self) -> Stretch {
        self.window
    }

    /// The measurement cycle.
    #[must_use]
    pub const fn measurement_cycle(&self) -> Cycle {
        self.measurement
    }

    /// The report cycle.
    #[must_use]
    pub const fn report_cycle(&self) -> Cycle {
        self.report
    }
}

/// A window that holds nothing to evaluate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the window does not hold a single whole slot of {cycle}")]
pub struct EmptyWindow {
    cycle: Cycle,
}

/// A target and what was reached of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Target {
    /// So many there should be.
    pub expected: u64,
    /// So many there are.
    pub reached: u64,
}

impl Target {
    /// What was reached in percent of what was expected; none where nothing was expected.
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

    fn add(&mut self, other: &Self) {
        self.measurements = self.measurements.plus(other.measurements);
        self.missed += other.missed;
        self.doubled += other.doubled;
        self.reports = self.reports.plus(other.reports);
        self.measurement_cycle.merge(&other.measurement_cycle);
        self.report_cycle.merge(&other.report_cycle);
        self.per_report.merge(&other.per_report);
    }
}

/// A meter's part of the evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct MeterEvaluation {
    /// Its identifier in the survey.
    pub meter: Uuid,
    /// Its model's name.
    pub model: String,
    /// Whether it is to be counted and not to be named.
    pub withheld: bool,
    /// Where its part of the window begins; absent where it has none.
    pub begins: Option<Timestamp>,
    /// Its figures.
    pub figures: Figures,
    /// When it was silent: missed slots, those that adjoin as one.
    pub silences: Vec<Stretch>,
    /// When it was silent and nothing was expected: such slots, those that adjoin as one.
    pub excused: Vec<Stretch>,
    /// When it was measured more than once in a slot: those slots.
    pub doubles: Vec<Timestamp>,
}

/// The whole evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// What was evaluated, against which targets.
    pub terms: Terms,
    /// Each meter, in the order in which they were given.
    pub meters: Vec<MeterEvaluation>,
    /// All of them.
    pub overall: Figures,
}

impl Evaluation {
    /// Begins an evaluation without any meter.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self { terms, meters: Vec::new(), overall: Figures::default() }
    }

    /// The mean of the meters' statistics, each as [`Figures::statistics`] names it: how the thesis
    /// sums up tables C.1 and C.2 in table 5.1.
    #[must_use]
    pub fn mean_of_meters(&self) -> [(&'static str, Option<Statistics>); 3] {
        let all: Vec<_> = self.meters.iter().map(|meter| meter.figures.statistics()).collect();
        let mut means = Figures::default().statistics();
        for (place, (_, mean)) in means.iter_mut().enumerate() {
            *mean = Statistics::mean(all.iter().filter_map(|meter| meter[place].1));
        }
        means
    }

    /// Evaluates a meter and adds it.
    pub fn add(&mut self, record: MeterRecord) {
        let meter = meter::evaluate(record, &self.terms);
        self.overall.add(&meter.figures);
        self.meters.push(meter);
    }
}

#[cfg(test)]
mod tests;
