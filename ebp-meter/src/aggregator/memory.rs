//! The state of a meter's incidents that is stored from one process to the next, so that one-shot
//! commands make the same decisions as a daemon.
//!
//! Enters: slots in which something failed or worked. Leaves: for how many slots in a row it has
//! failed, and from when to when. Absent: times of day that are not known.

use ebp_core::model::Failures;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::canonical::KnownRegisters;

/// How many slots in a row something has failed in.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Failing {
    /// The number.
    pub slots: u32,
    /// The last slot, so that no slot counts twice.
    pub last: Option<i64>,
    /// The first failure whose time is known, seconds since the Unix epoch.
    pub since: Option<i64>,
    /// The first failure in the last slot whose time is known, in the same unit.
    pub until: Option<i64>,
}

impl Failing {
    /// Records a failure in that slot, with the time if it is known. The state changes at most once
    /// in a slot.
    pub fn failed(&mut self, slot: i64, at: Option<i64>) {
        if self.last != Some(slot) {
            self.slots = self.slots.saturating_add(1);
            self.last = Some(slot);
            self.until = at.or(self.until);
            self.since = self.since.or(at);
        }
    }

    /// As failures of an incident; `last` is the time of the last failure, if it is known more
    /// exactly.
    pub fn failures(&self, last: Option<i64>) -> Failures {
        let instant = |second: i64| Timestamp::from_second(second).ok();
        Failures {
            first: self.since.and_then(instant),
            last: last.max(self.until).and_then(instant),
            slots: self.slots,
        }
    }

    /// Records success.
    pub fn worked(&mut self) {
        *self = Self::default();
    }
}

/// The stored state of a meter.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// No telegram came: the port is gone, hangs or is silent.
    pub port: Failing,
    /// Telegrams came without the survey's codes.
    pub codes: Failing,
    /// Unlocking has worked before: when the codes are missing again, the power was cut.
    pub was_unlocked: bool,
    /// It needs its PIN before each reading.
    pub per_reading: bool,
    /// Its detailed values disappear when the menu closes: presses keep it open.
    pub by_pressing: bool,
    /// Its detailed values were seen after the menu had closed: they stay without presses.
    pub lasts: bool,
    /// It is not known yet whether the detailed values stay without presses.
    pub unproven: bool,
    /// No further attempt to unlock before this time, seconds since the Unix epoch.
    pub not_before: Option<i64>,
    /// The registers that it has ever sent.
    pub registers: KnownRegisters,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_counts_once() {
        let mut failing = Failing::default();
        for (slot, at) in [(1, None), (1, Some(7)), (2, Some(20)), (2, Some(21)), (3, Some(30))] {
            failing.failed(slot, at);
        }
        let expected = Failing { slots: 3, last: Some(3), since: Some(20), until: Some(30) };
        assert_eq!(failing, expected);
        let last = |second| failing.failures(second).last.map(|at| at.as_second());
        assert_eq!([last(None), last(Some(35))], [Some(30), Some(35)]);
        failing.worked();
        assert_eq!(failing, Failing::default());
    }

    #[test]
    fn a_memory_of_another_version_is_understood() {
        let memory: Memory = serde_json::from_str(r#"{"was_unlocked":true,"later":1}"#).unwrap();
        assert!(memory.was_unlocked && memory.not_before.is_none());
    }
}
