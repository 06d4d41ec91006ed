//! How unlocking goes on and what can come of it.
//!
//! Enters: nothing. Leaves: [`Progress`], [`Unlocked`], [`UnlockError`]. Absent: doing it; the PIN,
//! which none of these can tell.

use std::{fmt, path::PathBuf, time::Duration};

use ebp_core::phrase::counted_as;

use super::{Phase, PlanError, PressError, TriesError, Variant};
use crate::{lock::Lock, port::PortError, readout::Readout};

/// How an attempt goes on. None of it tells the PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// For the first telegram.
    Waiting,
    /// The meter is left alone until it has returned to its normal display.
    Resting {
        /// For so long.
        left: Duration,
    },
    /// A try begins; it is counted as wrong until it is seen to work.
    Try {
        /// Tries counted with this one.
        number: u8,
        /// Nothing is tried beyond so many.
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
    /// Looking for detail in the telegrams.
    Verifying,
    /// The first try did not work: the slower one follows.
    SlowerVariant,
    /// On the way to `InF`.
    SwitchingInf,
    /// Looking whether the detail outlasts the open list.
    Confirming {
        /// For so long.
        left: Duration,
    },
}

/// A line for people. It tells no count of presses.
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

/// How long the detail lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// Past the open list: until a power failure.
    Permanent,
    /// As long as the list is open: so long after the last press, by the model's profile.
    /// [`Unlocked::seen`] says how much of it was seen.
    WhileOpen(Duration),
    /// Nobody looked.
    Unknown,
}

/// What a long press on the way to `InF` did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InfSwitch {
    /// None was sent.
    Untouched,
    /// The details outlasted the open list.
    On,
    /// The details went with the list: the press met another item, which it may have changed, or one
    /// that it does nothing to.
    WithoutEffect,
    /// It was sent, and nobody looked what it did.
    Unseen,
}

/// A meter that shows its details.
#[derive(Debug, Clone)]
pub struct Unlocked {
    /// It was so before; nothing was done.
    pub already: bool,
    /// The variant that worked.
    pub variant: Option<Variant>,
    /// How long it lasts.
    pub lasting: Lasting,
    /// For how long after the last press details were seen.
    pub seen: Option<Duration>,
    /// What a long press did.
    pub inf: InfSwitch,
    /// The meter showed its details before the PIN was entered whole: it asks for none.
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

/// What forbids a try.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// As many tries failed as may.
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
        /// Where they are remembered.
        file: PathBuf,
    },
    /// The meter has to return to its normal display first.
    #[error("an earlier try ended a short while ago: leave the meter alone for {} s", left.as_secs() + 1)]
    Resting {
        /// For so long.
        left: Duration,
    },
}

/// Why a meter was not unlocked.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// The profile or the PIN gives no plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Nothing may be tried.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Tries cannot be remembered, so none is made.
    #[error(transparent)]
    Tries(#[from] TriesError),
    /// Light could not be made.
    #[error(transparent)]
    Press(#[from] PressError),
    /// The port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// No telegram came, so that nothing could be verified; no light was made.
    #[error("no telegram within {} s: nothing was tried", waited.as_secs())]
    NoTelegram {
        /// After so long.
        waited: Duration,
    },
    /// Everything was done and no detail appeared.
    #[error(
        "the PIN was entered {} and no detail appeared: the PIN or the model's timing is wrong, or the head's light is too weak",
        if *tries == 1 { "once".to_owned() } else { format!("{tries} times") }
    )]
    NotUnlocked {
        /// Tries of this run.
        tries: u8,
        /// Tries that remain before the stop.
        left: u8,
        /// What the meter held back after the last.
        lock: Lock,
    },
    /// The PIN was taken, and the meter sends no power all the same.
    #[error(
        "the PIN is right, for the energy has its decimals now; but the meter sends no power, because \
         its operator has switched the extended data off"
    )]
    OperatorOff,
    /// The stop flag was raised.
    #[error("stopped in the midst; the meter returns to its normal display within {} s", rest.as_secs())]
    Interrupted {
        /// The next try waits so long by itself.
        rest: Duration,
    },
}

impl UnlockError {
    /// What the meter holds back, where trying has shown it.
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
