//! What an attempt to unlock works with: light on the head, telegrams in between, the model's times.
//!
//! Enters: a meter at a link, plans. Leaves: [`Attempt`], what was seen, what became of a plan. Absent:
//! which plan follows which.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use ebp_core::clock::Clock;

use super::{
    Head, Link, Plan, Progress, Tries, UnlockError, UnlockOptions, press::execute, watched::Watched,
};
use crate::{
    pace::Pace,
    profile::{self, Profile},
    readout::Readout,
};

/// What the meter is given beyond its own time to return to normal: so owners do it.
pub(super) const REST_MARGIN: Duration = Duration::from_secs(10);
/// The longest wait for one telegram before the stop flag is looked at.
const SLICE: Duration = Duration::from_millis(250);

/// An attempt with everything that it needs.
pub struct Attempt<'a> {
    /// The model.
    pub profile: &'a Profile,
    /// What was tried before.
    pub tries: &'a Tries,
    /// The time of day, for the memory of tries.
    pub clock: &'a dyn Clock,
    /// The monotonic time, for light.
    pub pace: &'a dyn Pace,
    /// How the head is driven.
    pub head: Head,
    /// What is asked.
    pub options: &'a UnlockOptions,
    /// Raised to stop: the light goes off, and the try stays counted.
    pub stop: &'a AtomicBool,
}

pub(super) type Report<'a> = &'a mut dyn FnMut(Progress);

impl Attempt<'_> {
    /// When the last press of a plan ended that has just come to its end.
    pub(super) fn last_press(&self, plan: &Plan) -> Duration {
        self.pace.now().saturating_sub(plan.last_pause())
    }

    pub(super) fn execute(
        &self,
        link: &mut dyn Link,
        plan: &Plan,
        progress: Report<'_>,
    ) -> Result<Executed, UnlockError> {
        let head = Head { line: link.line().unwrap_or(self.head.line), ..self.head };
        let mut watched = Watched::new(self.profile, self.stop, link, plan, progress);
        let done = execute(plan, &mut watched, &head, self.pace)?;
        Ok(match watched.into_detailed() {
            Some(readout) => Executed::Detailed { readout, whole: done.finished },
            None if done.finished => Executed::Whole,
            None => Executed::Stopped { presses: done.presses },
        })
    }

    /// Reads telegrams until one is the wanted one.
    pub(super) fn look(
        &self,
        link: &mut dyn Link,
        wait: Duration,
        mut wanted: impl FnMut(&Readout) -> bool,
    ) -> Result<Looked, UnlockError> {
        let until = self.pace.now() + wait;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(Looked::Stopped);
            }
            let left = until.saturating_sub(self.pace.now());
            match link.next(left.min(SLICE))? {
                Some(readout) if wanted(&readout) => return Ok(Looked::Seen(readout)),
                _ if left.is_zero() => return Ok(Looked::Not),
                _ => {}
            }
        }
    }

    pub(super) fn interval(&self) -> Duration {
        self.profile.line.push_interval().unwrap_or(Duration::from_secs(4))
    }

    /// Five telegrams, at least ten seconds; but the list must still be open for `InF` then.
    pub(super) fn verify(&self, timing: &profile::Pin) -> Duration {
        let five = self.interval() * 5;
        let most = Duration::from_secs(u64::from(timing.return_to_normal_s) / 2);
        self.options.verify.unwrap_or(five.max(Duration::from_secs(10))).min(most)
    }
}

/// How long a meter is left alone after light.
pub(super) fn rest(timing: &profile::Pin) -> Duration {
    list_open(timing) + REST_MARGIN
}

/// How long the list stays open without a press, as the profile says.
pub(super) fn list_open(timing: &profile::Pin) -> Duration {
    Duration::from_secs(timing.return_to_normal_s.into())
}

pub(super) enum Looked {
    Seen(Readout),
    Not,
    Stopped,
}

pub(super) enum Executed {
    Whole,
    /// Detail was seen, at the end of the plan or before.
    Detailed {
        readout: Readout,
        whole: bool,
    },
    Stopped {
        presses: usize,
    },
}
