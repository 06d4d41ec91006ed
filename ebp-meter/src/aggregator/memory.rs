//! What is remembered of a meter's troubles from one process to the next, so that a timer's
//! one-shots come to the same decisions as a daemon.
//!
//! Enters: slots in which something failed or worked. Leaves: for how many slots in a row it has
//! failed. Absent: times of day, which a device without a clock does not have.

use serde::{Deserialize, Serialize};

/// How many slots in a row something has failed in.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Failing {
    /// So many, counted no further than it matters.
    pub slots: u32,
    /// The last of them, so that no slot counts twice.
    pub last: Option<i64>,
}

impl Failing {
    /// It failed in that slot; counts to `most`.
    pub fn failed(&mut self, slot: i64, most: u32) {
        if self.slots < most && self.last != Some(slot) {
            self.slots += 1;
            self.last = Some(slot);
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_counts_once_and_the_count_ends() {
        let mut failing = Failing::default();
        for slot in [1, 1, 2, 2, 3, 4, 5] {
            failing.failed(slot, 3);
        }
        assert_eq!(failing, Failing { slots: 3, last: Some(3) });
        failing.worked();
        assert_eq!(failing, Failing::default());
    }

    #[test]
    fn a_memory_of_another_version_is_understood() {
        let memory: Memory = serde_json::from_str(r#"{"was_unlocked":true,"later":1}"#).unwrap();
        assert!(memory.was_unlocked && memory.not_before.is_none());
    }
}
