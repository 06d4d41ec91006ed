//! The evaluation of a survey against its targets (thesis chapter 5): measurement and report target
//! fulfilment, cycles, measurements per report, for each meter and for all.
//!
//! Enters: when each meter was measured and when the server received it; the window, the cycles.
//! Leaves: an [`Evaluation`]; [`chart`] draws it. Absent: where the instants are read from;
//! measured values.
//!
//! Terms that need a more exact definition than in the thesis:
//! - The window consists of whole slots of the measurement cycle. For each meter it begins with the
//!   slot of its first measurement ever, if that lies within (footnote 53): devices start one after
//!   the other. A meter that was measured before and is silent now is not excused, nor is one that
//!   was never measured although it could have been.
//! - The *measurement target* is one measurement a slot. Its fulfilment is the number of
//!   measurements in percent of it, as in table 5.2: a slot measured twice counts twice and is
//!   listed in `doubled`; a slot without a measurement is listed in `missed`.
//! - A *report* is everything that the server received for a meter at one instant. The *report
//!   target* is one report a cycle, at the phase in the cycle at which the meter's device reports;
//!   a cycle is fulfilled when a report came nearer to its instant than to another's. It cannot be
//!   fulfilled twice: more reports than cycles do not hide a silence.
//! - What is not *due* is not missing: a slot is due with the first report after it, a report a
//!   tenth of a cycle after its instant. [`Terms::due_by`] sets the instant by which something must
//!   have been due.
//! - Mean, median and deviation over all meters are given twice: pooled, which is computed from all
//!   values together, and as the mean of the meters' figures, as in the thesis (footnotes 62, 63).
//!   The means are the same if all meters have the same number of values; the deviations are not.

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

    /// The mean of the meters' statistics, each as [`Figures::statistics`] names it: as table 5.1
    /// of the thesis summarises tables C.1 and C.2.
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
