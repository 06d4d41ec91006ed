//! Compares one meter's reports with the cycles in which they are due.
//!
//! Enters: when reports were received. Leaves: how many were expected and received, and what is
//! due. Absent: their content.

use jiff::Timestamp;

use super::{figures::Target, terms::Stretch};
use crate::cycle::Cycle;

/// When a meter's device reports.
pub struct Reports<'a> {
    /// When reports were received, in order.
    instants: &'a [Timestamp],
    /// A cycle, milliseconds.
    length: i64,
    /// Where in the cycle the device reports; unknown of one that never did.
    phase: Option<i64>,
    /// Reports that are due after this time are not missing, milliseconds.
    due_by: i64,
}

impl<'a> Reports<'a> {
    /// Of reports that came at these instants.
    pub fn new(instants: &'a [Timestamp], cycle: Cycle, due_by: Timestamp) -> Self {
        let length = i64::try_from(cycle.duration().as_millis()).unwrap_or(i64::MAX);
        let phase = (!instants.is_empty()).then(|| phase(instants, length));
        Self { instants, length, phase, due_by: due_by.as_millisecond() }
    }

    /// Cycles are numbered by the instant nearest to their report.
    fn number(&self, at: Timestamp, phase: i64) -> i64 {
        (at.as_millisecond() - phase + self.length / 2).div_euclid(self.length)
    }

    /// Whether a report that is due then counts as missing if it was not received.
    const fn is_due(&self, due: i64) -> bool {
        due.saturating_add(self.length / 10) <= self.due_by
    }

    /// Whether what was measured before `end` is due: its report has come, or should have.
    pub fn are_due(&self, end: Timestamp) -> bool {
        let end = end.as_millisecond();
        let Some(phase) = self.phase else { return end.saturating_add(self.length) <= self.due_by };
        // The first that is due at or after the end.
        let next = (end - phase + self.length - 1).div_euclid(self.length);
        let came = self.instants.last().is_some_and(|&last| self.number(last, phase) >= next);
        came || self.is_due(phase + next * self.length)
    }

    /// One report in each cycle whose report is due in `part`.
    pub fn target(&self, part: Stretch, unreportable: &[Stretch]) -> Target {
        let (from, to) = (part.from.as_millisecond(), part.to.as_millisecond());
        // Without any report the phase is unknown: each cycle counts from the beginning of the
        // part.
        let phase = self.phase.unwrap_or(from + self.length / 2);
        let begin = (from - phase + self.length - 1).div_euclid(self.length);
        let mut target = Target::default();
        let mut rest = self.instants.iter().peekable();
        for cycle in begin.. {
            let due = phase + cycle * self.length;
            if due >= to {
                break;
            }
            while rest.next_if(|&&at| self.number(at, phase) < cycle).is_some() {}
            let mut came = false;
            while rest.next_if(|&&at| self.number(at, phase) == cycle).is_some() {
                came = true;
            }
            let (early, late) = (due - self.length / 2, due + self.length / 2);
            let is_excused = !self.is_due(due)
                || unreportable
                    .iter()
                    .any(|u| u.from.as_millisecond() < late && early < u.to.as_millisecond());
            if came || !is_excused {
                target.expected += 1;
                target.reached += u64::from(came);
            }
        }
        target
    }
}

/// Where in the cycle the device usually reports, in milliseconds: the middle of the tenth of the
/// cycle that has most reports, so that single ones at odd times do not count.
fn phase(reports: &[Timestamp], length: i64) -> i64 {
    let mut phases: Vec<i64> =
        reports.iter().map(|at| at.as_millisecond().rem_euclid(length)).collect();
    phases.sort_unstable();
    let count = phases.len();
    // The beginning is appended once more, so that a tenth that wraps around is counted completely.
    phases.extend_from_within(..);
    phases[count..].iter_mut().for_each(|phase| *phase += length);
    let (mut best, mut end) = ((0, 0), 0);
    for start in 0..count {
        end = end.max(start);
        while end < phases.len().min(start + count) && phases[end] - phases[start] <= length / 10 {
            end += 1;
        }
        if end - start > best.1 - best.0 {
            best = (start, end);
        }
    }
    phases[best.0 + (best.1 - best.0 - 1) / 2].rem_euclid(length)
}
