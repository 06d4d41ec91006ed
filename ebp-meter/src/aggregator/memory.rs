//! What is remembered of a meter's troubles from one process to the next, so that a timer's
//! one-shots come to the same decisions as a daemon.
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
    /// So many.
    pub slots: u32,
    /// The last of them, so that no slot counts twice.
    pub last: Option<i64>,
    /// When it first failed of which the time is known, seconds since the Unix epoch.
    pub since: Option<i64>,
    /// When it first failed in the last slot of which the time is known, likewise.
    pub until: Option<i64>,
}

impl Failing {
    /// It failed in that slot, at that time where it is known. What is kept changes once in a slot.
    pub fn failed(&mut self, slot: i64, at: Option<i64>) {
        if self.last != Some(slot) {
            self.slots = self.slots.saturating_add(1);
            self.last = Some(slot);
            self.until = at.or(self.until);
            self.since = self.since.or(at);
        }
    }

    /// As an incident keeps it; `last` is when it last failed, where that is known better.
    pub fn failures(&self, last: Option<i64>) -> Failures {
        let instant = |second: i64| Timestamp::from_second(second).ok();
        Failures {
            first: self.since.and_then(instant),
            last: last.max(self.until).and_then(instant),
            slots: self.slots,
        }
    }

    /// It worked.
    pub fn worked(&mut self) {
        *self = Self::default();
    }
}

/// What is remembered of a meter.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// No telegram came: the port is gone, hangs or is silent.
    pub port: Failing,
    /// Telegrams came without the survey's codes.
    pub codes: Failing,
    /// Unlocking has worked before: when the codes are missing again, the power was cut.
    pub was_unlocked: bool,
    /// Its detail did not outlast the open list: it wants its PIN before each reading.
    pub per_reading: bool,
    /// The detail of the last unlocking has not been seen to last yet.
    pub unproven: bool,
    /// No further try to unlock before this time, seconds since the Unix epoch.
    pub not_before: Option<i64>,
    /// The registers that it has shown.
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
