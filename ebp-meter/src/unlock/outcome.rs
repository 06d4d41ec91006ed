//! Progress and results of unlocking.
//!
//! Enters: nothing. Leaves: [`Progress`], [`Unlocked`], [`UnlockError`]. Absent: unlocking itself;
//! the PIN, which none of these contain.

use std::{fmt, path::PathBuf, time::Duration};

use ebp_core::phrase::counted_as;

use super::{Phase, PlanError, PressError, TriesError, Variant};
use crate::{lock::Lock, port::PortError, readout::Readout};

/// The progress of an attempt. It does not reveal the PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// For the first telegram.
    Waiting,
    /// The meter is left alone until it has returned to its normal display.
    Resting {
        /// The duration.
        left: Duration,
    },
    /// An attempt begins; it counts as wrong until it has succeeded.
    Try {
        /// The number of attempts including this one.
        number: u8,
        /// The maximum number of attempts.
        of: u8,
    },
    /// A part of the plan begins.
    Step {
        /// Which, from 1.
        index: usize,
        /// Of how many.
        of: usize,
        /// What it is.
        phase: Phase,
    },
    /// Checking the telegrams for detailed values.
    Verifying,
    /// The first attempt failed: a slower one follows.
    SlowerVariant,
    /// On the way to `InF`.
    SwitchingInf,
    /// Checking whether the detailed values stay after the menu closes.
    Confirming {
        /// The duration.
        left: Duration,
    },
}

/// A line for people. It does not contain the number of presses.
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.write_str("waiting for the meter"),
            Self::Resting { left } => {
                write!(f, "letting the meter return to its normal display: {} s", left.as_secs())
            }
            Self::Try { number, of } => write!(f, "try {number} of at most {of}"),
            Self::Step { phase, .. } => phase.fmt(f),
            Self::Verifying => f.write_str("looking for details in the telegrams"),
            Self::SlowerVariant => f.write_str("no details: once more, slower"),
            Self::SwitchingInf => f.write_str("switching the extended data (InF) on"),
            Self::Confirming { left } => {
                write!(f, "watching whether the details last: {} s", left.as_secs())
            }
        }
    }
}

/// How long the detailed values are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// Also after the menu has closed: until a power failure.
    Permanent,
    /// While the menu is open: for this time after the last press, according to the model's
    /// profile. [`Unlocked::seen`] is the time that was observed.
    WhileOpen(Duration),
    /// Not observed.
    Unknown,
}

/// The effect of a long press at `InF`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InfSwitch {
    /// None was sent.
    Untouched,
    /// The detailed values stayed after the menu had closed.
    On,
    /// The detailed values disappeared when the menu closed: the press was at another item, which
    /// it may have changed, or had no effect.
    WithoutEffect,
    /// It was sent, and its effect was not observed.
    Unseen,
}

/// A meter that shows its details.
#[derive(Debug, Clone)]
pub struct Unlocked {
    /// It sent them before; nothing was done.
    pub already: bool,
    /// The variant that worked.
    pub variant: Option<Variant>,
    /// How long it lasts.
    pub lasting: Lasting,
    /// For how long after the last press details were seen.
    pub seen: Option<Duration>,
    /// What a long press did.
    pub inf: InfSwitch,
    /// The meter sent detailed values before the PIN was complete: it does not ask for one.
    pub pin_was_needless: bool,
    /// The telegram that shows it.
    pub readout: Readout,
}

impl Unlocked {
    /// A meter whose details a telegram shows; nothing more is known.
    #[must_use]
    pub const fn now(readout: Readout) -> Self {
        Self {
            already: false,
            variant: None,
            lasting: Lasting::Unknown,
            seen: None,
            inf: InfSwitch::Untouched,
            pin_was_needless: false,
            readout,
        }
    }

    /// A meter that showed its details before anything was done.
    #[must_use]
    pub fn already(readout: Readout) -> Self {
        Self { already: true, ..Self::now(readout) }
    }
}

/// What forbids an attempt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The maximum number of attempts failed.
    #[error(
        "{} on this meter, which may block itself after {limit}: when its PIN and \
         model are certain, forget them with --reset-tries (remembered in {})",
        counted_as(*wrong, "wrong try", "wrong tries"), file.display()
    )]
    TriesExhausted {
        /// Counted.
        wrong: u8,
        /// The meter's own limit, by its profile.
        limit: u8,
        /// The file with the count.
        file: PathBuf,
    },
    /// The meter has to return to its normal display first.
    #[error("an earlier try ended a short while ago: leave the meter alone for {} s", left.as_secs() + 1)]
    Resting {
        /// The duration.
        left: Duration,
    },
}

/// Why a meter was not unlocked.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// There is no plan for the profile or the PIN.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Nothing may be tried.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Attempts cannot be counted, so none is made.
    #[error(transparent)]
    Tries(#[from] TriesError),
    /// The light could not be switched.
    #[error(transparent)]
    Press(#[from] PressError),
    /// The port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// No telegram was received, so that success could not be checked; no light was sent.
    #[error("no telegram within {} s: nothing was tried", waited.as_secs())]
    NoTelegram {
        /// After so long.
        waited: Duration,
    },
    /// The PIN was entered and no detailed values appeared.
    #[error(
        "the PIN was entered {} and no detail appeared: the PIN or the model's timing is wrong, or the head's light is too weak",
        if *tries == 1 { "once".to_owned() } else { format!("{tries} times") }
    )]
    NotUnlocked {
        /// Attempts of this run.
        tries: u8,
        /// Attempts that remain.
        left: u8,
        /// The lock after the last one.
        lock: Lock,
    },
    /// The PIN was accepted, but the meter sends no power.
    #[error(
        "the PIN is right, for the energy has its decimals now; but the meter sends no power, because \
         its operator has switched the extended data off"
    )]
    OperatorOff,
    /// The stop flag was raised.
    #[error("stopped in the midst; the meter returns to its normal display within {} s", rest.as_secs())]
    Interrupted {
        /// The next attempt waits this long.
        rest: Duration,
    },
}

impl UnlockError {
    /// The lock, if the attempt has shown it.
    #[must_use]
    pub const fn lock(&self) -> Option<Lock> {
        match self {
            Self::OperatorOff => Some(Lock::OperatorOff),
            Self::NotUnlocked { lock: Lock::Unknown, .. } => None,
            Self::NotUnlocked { lock, .. } => Some(*lock),
            _ => None,
        }
    }
}
