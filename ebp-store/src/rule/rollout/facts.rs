//! What the rule of roll-outs goes by, and what it decides.

use ebp_core::contract::{ReportedUpdate, RolloutHalt, RolloutState};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// A device that reported regularly, and took the version, is silent when its last report is older.
pub const ROLLOUT_SILENCE: SignedDuration = SignedDuration::from_hours(6);
/// A device that did not ask within this time is not expected.
pub(super) const PRESENT: SignedDuration = SignedDuration::from_hours(24);
/// Within this time a device that took the version has to try it.
pub(super) const TRIES: SignedDuration = SignedDuration::from_hours(24);

/// What was offered to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RolloutOffer {
    /// In which step.
    pub step: u8,
    /// When.
    pub offered_at: Timestamp,
    /// Whether the device reported regularly then.
    pub was_regular: bool,
    /// When it was first told so.
    pub taken_at: Option<Timestamp>,
    /// When it was first seen to have gone over.
    pub over_at: Option<Timestamp>,
    /// Whether others go before it, since it did not try the version.
    pub set_aside: bool,
    /// Whether its failure is known to an administrator, who went on.
    pub excused: bool,
}

/// What is known of a device whose household agrees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolloutFacts {
    /// The device.
    pub device: Uuid,
    /// Whether it was named to go first.
    pub is_first: bool,
    /// When it last reported.
    pub last_report: Option<Timestamp>,
    /// The version that its services last reported.
    pub running: Option<String>,
    /// What it last said of its updates, which is when it asked, too.
    pub update: Option<ReportedUpdate>,
    /// What was offered to it.
    pub offer: Option<RolloutOffer>,
}

/// Where a roll-out is from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RolloutPlace {
    /// The state.
    pub state: RolloutState,
    /// Why it is halted, if it is.
    pub halt: Option<RolloutHalt>,
    /// The step.
    pub step: u8,
    /// Since when.
    pub step_since: Timestamp,
}

/// What is to be stored of a roll-out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RolloutWrite {
    /// Where it is from then on; absent if it stays where it is.
    pub place: Option<RolloutPlace>,
    /// Devices to which the version is offered in its step, and whether each reports regularly.
    pub offer: Vec<(Uuid, bool)>,
    /// Devices that have gone over.
    pub over: Vec<Uuid>,
    /// Devices that others go before.
    pub set_aside: Vec<Uuid>,
    /// Devices whose failure is known.
    pub excuse: Vec<Uuid>,
    /// Whether devices that were set aside are waiting again.
    pub readmit: bool,
}

impl RolloutWrite {
    /// Whether nothing is to be stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
