//! Reads a meter's telegrams while light is sent to it.
//!
//! Enters: the steps of a plan as they begin, bytes of its pauses. Leaves: progress, the last
//! telegram, a request to stop. Absent: light; conclusions.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::{Link, Phase, Plan, Progress, Step, is_detailed, press::Stage};
use crate::{
    port::{Port, PortError},
    profile::Profile,
    readout::Readout,
};

/// Reads the telegrams between presses and reports progress.
pub(super) struct Watched<'a> {
    profile: &'a Profile,
    stop: &'a AtomicBool,
    link: &'a mut dyn Link,
    phases: Vec<Phase>,
    index: usize,
    progress: &'a mut dyn FnMut(Progress),
    /// The last telegram heard, if it was a detailed one.
    detailed: Option<Readout>,
}

impl<'a> Watched<'a> {
    pub(super) fn new(
        profile: &'a Profile,
        stop: &'a AtomicBool,
        link: &'a mut dyn Link,
        plan: &Plan,
        progress: &'a mut dyn FnMut(Progress),
    ) -> Self {
        Self { profile, stop, link, phases: plan.phases(), index: 0, progress, detailed: None }
    }

    /// The last telegram heard, if it was a detailed one.
    pub(super) fn into_detailed(self) -> Option<Readout> {
        self.detailed
    }

    /// Detailed values during PIN entry: the meter does not ask for a PIN, and each further press
    /// steps through its menu.
    fn needs_no_pin(&self) -> bool {
        let in_pin = matches!(
            self.phases.get(self.index.saturating_sub(1)),
            Some(Phase::Digit { number, of }) if number < of
        );
        in_pin && self.detailed.is_some()
    }
}

impl Stage for Watched<'_> {
    fn port(&mut self) -> &mut dyn Port {
        self.link.port()
    }

    fn step(&mut self, step: &Step) {
        let before = self.index.checked_sub(1).and_then(|index| self.phases.get(index));
        if before != Some(&step.phase) {
            self.index += 1;
            let (index, of) = (self.index, self.phases.len());
            (self.progress)(Progress::Step { index, of, phase: step.phase });
        }
    }

    fn heard(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.link.hear(bytes)?;
        while let Some(readout) = self.link.next(Duration::ZERO)? {
            self.detailed = Some(readout).filter(|readout| is_detailed(self.profile, readout));
        }
        Ok(())
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.needs_no_pin()
    }
}
