//! What is known of the readings in each slot, until its row is complete.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{flag::Flags, rules::QUARTER};

/// The start of the slot that an instant lies in.
pub(crate) const fn slot_of(at: i64) -> i64 {
    at.div_euclid(QUARTER).saturating_mul(QUARTER)
}

/// A slot with readings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SlotFacts {
    slot: i64,
    /// The first reading that is used.
    pub first: Option<i64>,
    /// What else there is to say.
    pub flags: Flags,
    /// The power of the first reading that has one.
    pub power: Option<i64>,
}

/// Slots with readings, in the order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Slots(VecDeque<SlotFacts>);

impl Slots {
    /// The facts of the slot that an instant lies in; none noted before lies later.
    pub fn facts_at(&mut self, at: i64) -> &mut SlotFacts {
        let slot = slot_of(at);
        if self.0.back().is_none_or(|last| last.slot != slot) {
            self.0.push_back(SlotFacts { slot, ..SlotFacts::default() });
        }
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    /// The facts of a slot; those of earlier ones are forgotten.
    pub fn take(&mut self, slot: i64) -> SlotFacts {
        while let Some(first) = self.0.front() {
            if first.slot > slot {
                break;
            }
            let first = *first;
            self.0.pop_front();
            if first.slot == slot {
                return first;
            }
        }
        SlotFacts { slot, ..SlotFacts::default() }
    }
}
