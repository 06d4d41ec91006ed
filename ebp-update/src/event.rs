//! What happens in a step of the engine, and when the next one is due.

use std::time::Duration;

use crate::{
    proof::Demand,
    release::Release,
    state::{CommittedOn, RevertReason, Reverted},
    version::Version,
};

/// What happened in a step.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The state could not be read: the floor runs, and everything begins anew.
    StateLost(String),
    /// The package brought another floor, which runs from now on.
    FloorChanged(Version),
    /// The committed release is not there any more: the floor runs.
    ReleaseLost(Version),
    /// A release is fetched from there on, bytes.
    Fetching(Release, u64),
    /// A release is there, and has its hash.
    Fetched(Version),
    /// The release's test of itself fails, as does that of the version before.
    SelfTestNoBetter(String),
    /// Services were restarted with a release on trial; this has to work with it.
    Trying(Version, Vec<Demand>),
    /// Services could not be restarted or asked; it is tried again.
    ServicesFailed(String),
    /// This works now with the release on trial, and that is still missing.
    Proved(Version, Vec<Demand>),
    /// Only what needs the server is missing, and the judge does not reach it either.
    WaitingForServer(Version),
    /// A release is kept for good.
    Committed(Version, CommittedOn),
    /// Services go back to what they ran before.
    Returning(Version, RevertReason),
    /// A release is not run.
    Reverted(Reverted),
    /// The desired release is refused, since it was reverted.
    Refused(Version, RevertReason),
}

/// When to step again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At once.
    Now,
    /// After that time.
    In(Duration),
    /// In the next round.
    NextRound,
}
