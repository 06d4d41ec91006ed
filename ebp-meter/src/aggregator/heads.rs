//! The reading heads as the cycle sees them: what it has done at a meter, and what came of it.
//!
//! Enters: nothing. Leaves: [`Heads`], the jobs and their reports. Absent: doing a job, which
//! [`super::Threads`] does for real heads and a simulation for virtual meters.

use std::time::Duration;

use crate::{
    interface::{Heard, ReadError, Reading, Telegram},
    unlock::{PinError, UnlockError, Unlocked},
};

/// What is to be done at a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Read one telegram.
    Read(Reading),
    /// Enter the PIN, and make the detail last where the model can.
    Unlock {
        /// The time until then may be used; with enough of it a slower try follows one in vain.
        until: Duration,
        /// Whether to switch `InF` on where its place is known; not where that was seen not to help.
        inf: bool,
    },
    /// One short press, which keeps an open list open.
    Press,
    /// Reset the USB device of the head.
    Reset,
}

/// Why a meter was not unlocked.
#[derive(Debug, thiserror::Error)]
pub enum NotUnlocked {
    /// No PIN is configured.
    #[error("no PIN is known")]
    NoPin,
    /// The PIN's file is of no use.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// It failed.
    #[error(transparent)]
    Failed(#[from] UnlockError),
}

/// What came of a job.
#[derive(Debug)]
pub enum Done {
    /// Of [`Job::Read`].
    Read {
        /// The telegram.
        telegram: Result<Box<Telegram>, ReadError>,
        /// What else was heard.
        heard: Heard,
    },
    /// Of [`Job::Unlock`].
    Unlock(Result<Box<Unlocked>, NotUnlocked>),
    /// Of [`Job::Press`].
    Press(Result<(), NotUnlocked>),
    /// Of [`Job::Reset`]; the error says what hinders it.
    Reset(Result<(), String>),
    /// The job ended by a fault of this program.
    Crashed,
}

/// The meters' reading heads, by the meters' index.
///
/// Promises: nothing here waits; each job that was begun and not left is reported once; a job at one
/// meter does not delay that of another.
pub trait Heads {
    /// Begins a job. There is none under way at that meter, but for such that was left.
    fn begin(&mut self, meter: usize, job: Job);

    /// Takes no more interest in the job under way at that meter: it hangs. Nothing is reported of
    /// it. Whatever holds it is left behind once, not once more for each time.
    fn leave(&mut self, meter: usize);

    /// Until when the job under way at that meter has said that it goes on beyond its time, by the time
    /// since the machine's start: its meter is answering.
    fn goes_on_until(&self, meter: usize) -> Option<Duration> {
        let _ = meter;
        None
    }

    /// The next report, if there is one.
    fn report(&mut self) -> Option<(usize, Done)>;
}
