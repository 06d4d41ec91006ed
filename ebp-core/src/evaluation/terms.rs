//! The window of an evaluation, its cycles, and the observations that count in it.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::cycle::Cycle;

/// When a measurement was taken, and when the server received it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observation {
    /// When the meter was read.
    pub measured_at: Timestamp,
    /// When the server received it; the same for all measurements of one report.
    pub received_at: Timestamp,
}

/// A period of time, the end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub to: Timestamp,
}

impl Stretch {
    /// Whether it contains the instant.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
}

/// What is evaluated, and against which targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    pub(super) window: Stretch,
    pub(super) measurement: Cycle,
    pub(super) report: Cycle,
    pub(super) due_by: Timestamp,
}

impl Terms {
    /// The whole slots of the measurement cycle from `from` to `to`.
    ///
    /// # Errors
    /// Returns [`EmptyWindow`] if there is none.
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

    /// Sets the instant by which something must have been due to be expected; without it the whole
    /// window is expected.
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

/// A window without a whole slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the window does not contain a single whole slot of {cycle}")]
pub struct EmptyWindow {
    cycle: Cycle,
}
