//! The overview as it was answered last, for when the database does not answer.
//!
//! Participants' names are not kept: whoever revokes meanwhile is in no memory.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use ebp_survey::Fleet;
use jiff::{SignedDuration, Timestamp};

/// Pages that are kept.
const MOST: usize = 32;
/// How long.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// Pages of the overview, by their addresses.
#[derive(Debug, Default)]
pub struct KeptFleets(Mutex<VecDeque<(String, Fleet)>>);

impl KeptFleets {
    /// Keeps what was answered, without names.
    pub fn keep(&self, address: &str, fleet: &Fleet) {
        let mut fleet = fleet.clone();
        fleet.page.items.iter_mut().for_each(|device| device.participant = None);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(other, _)| other != address);
        kept.truncate(MOST - 1);
        kept.push_front((address.to_owned(), fleet));
    }

    /// What was answered last, if that is not long ago.
    pub fn find(&self, address: &str, now: Timestamp) -> Option<Fleet> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(other, _)| other == address);
        let found = found.map(|(_, fleet)| fleet);
        found.filter(|fleet| now.duration_since(fleet.page.judged_at) < LONGEST).cloned()
    }
}
