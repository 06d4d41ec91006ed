//! The menu that the right PIN opened, and since when.

use std::time::Duration;

use super::{InfSwitch, Lasting, Unlocked, Variant};
use crate::readout::Readout;

/// The menu that the right PIN opened.
pub(super) struct Open {
    /// The last telegram with details.
    pub readout: Readout,
    /// When the last press ended.
    pub last_press: Duration,
    /// When that telegram came.
    pub seen_at: Duration,
}

impl Open {
    fn seen(&self) -> Duration {
        self.seen_at.saturating_sub(self.last_press)
    }

    pub(super) fn into_unlocked(
        self,
        variant: Variant,
        lasting: Lasting,
        inf: InfSwitch,
    ) -> Unlocked {
        let seen = Some(self.seen());
        Unlocked { variant: Some(variant), lasting, seen, inf, ..Unlocked::now(self.readout) }
    }
}
