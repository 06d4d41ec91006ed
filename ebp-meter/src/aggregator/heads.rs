//! The reading heads as the cycle sees them: what it has done at a meter, and what came of it.
//!
//! Enters: nothing. Leaves: [`Heads`], the jobs and their reports. Absent: doing a job, which
//! [`super::Threads`] does for real heads and a simulation for virtual meters.

use std::time::Duration;

use ebp_core::clock::Moment;

use super::ReadError;
use crate::{
    readout::Readout,
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

/// Which telegram is wanted: the first that is complete at `from` or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// From then on, by the time since the machine's start. The port is opened at once, so that a
    /// telegram which is under way then is not cut.
    pub from: Duration,
    /// How long is waited, by the same time.
    pub until: Duration,
    /// How long is waited at most for an answer that is under way at [`Self::until`]: at 300 baud one
    /// takes minutes.
    pub latest: Duration,
    /// Find protocol and line settings out, whatever the model's profile says of them.
    pub detect: bool,
}

/// A telegram and when it was complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telegram {
    /// What it says.
    pub readout: Readout,
    /// When it was known to be complete.
    pub at: Moment,
    /// How much earlier its last byte may have been there: nothing for a whole telegram, which is known
    /// to be complete with it.
    pub late: Duration,
}

/// How many telegrams came, whichever of them was wanted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// Whole ones.
    pub good: u32,
    /// Such whose checksum was wrong, that said nothing readable, or that were salvaged.
    pub damaged: u32,
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
