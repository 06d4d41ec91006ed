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
mod figures;
mod meter;
mod report;
mod terms;

pub use distribution::{Distribution, Statistics};
pub use figures::{Figures, Target};
pub use meter::{MeterEvaluation, MeterRecord};
pub use terms::{EmptyWindow, Observation, Stretch, Terms};

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
