//! The rule of roll-outs: which devices are offered a version, when a step is over, when it halts.
//!
//! A device counts as gone over only by its own reports: its services report the version, and it says
//! that it has kept it. In each step no more devices are unproven at a time than two and a twentieth of
//! those that were offered the version in it. So whatever the version does, no more than that many
//! devices have it and do not work when the roll-out halts.
//!
//! Enters: a roll-out, what is known of each device, an instant. Leaves: what is to be stored. Absent:
//! databases, and doing it: [`RolloutWrite`] is stored only if the roll-out is still of that revision.

mod device;
mod facts;
mod steer;
#[cfg(test)]
mod tests;

use ebp_core::contract::{Rollout, RolloutDeviceState, RolloutHalt, RolloutState, UpdateWish};
use jiff::{SignedDuration, Timestamp};
use ring::digest::{Context, SHA256};
use uuid::Uuid;

pub use device::judge_device;
pub use facts::{ROLLOUT_SILENCE, RolloutFacts, RolloutOffer, RolloutPlace, RolloutWrite};
pub use steer::{RolloutRefusal, steer_rollout};

/// A device reports regularly if its last report is no older than this.
const REGULAR: SignedDuration = SignedDuration::from_mins(150);
/// The version is offered to devices that asked within this time: they ask once an hour.
const ASKS: SignedDuration = SignedDuration::from_hours(3);
/// So many devices of a step may be unproven at a time, however few it has.
const LEAST_UNPROVEN: usize = 2;
/// And one more for each of so many that were offered the version in it: 5 %.
const SHARE_UNPROVEN: usize = 20;

/// What a device is to run by the latest roll-out: `taken` says whether it was told so before, absent if
/// nothing is offered to it.
#[must_use]
pub fn wish_of_device(rollout: &Rollout, taken: Option<bool>) -> UpdateWish {
    let runs = match rollout.state {
        RolloutState::Running => taken.is_some(),
        RolloutState::Halted | RolloutState::Ended => taken == Some(true),
        RolloutState::Finished => true,
    };
    if runs { UpdateWish::run(rollout.version.clone()) } else { UpdateWish::STAY }
}

/// A device's place in a roll-out of that version: another one with each version, so that it is not
/// always the same devices that go first.
#[must_use]
pub fn place_of_device(device: Uuid, version: &str) -> u64 {
    let mut context = Context::new(&SHA256);
    context.update(device.as_bytes());
    context.update(version.as_bytes());
    let digest = context.finish();
    let first = digest.as_ref().iter().take(8);
    first.fold(0, |place, octet| place << 8 | u64::from(*octet))
}

/// Whether so many failures among so many switched devices are too many: two, and 5 % of them.
const fn are_too_many(failed: usize, switched: usize) -> bool {
    failed >= LEAST_UNPROVEN && failed * SHARE_UNPROVEN >= switched
}

/// How many devices of a share there are, 1 at least if there is any.
fn count_share(percent: u8, devices: usize) -> usize {
    (usize::from(percent) * devices).div_ceil(100)
}

/// Devices with where each stands.
struct Standing<'a> {
    rollout: &'a Rollout,
    devices: Vec<(&'a RolloutFacts, RolloutDeviceState)>,
    now: Timestamp,
}

impl<'a> Standing<'a> {
    fn new(rollout: &'a Rollout, facts: &'a [RolloutFacts], now: Timestamp) -> Self {
        let stand = |facts| (facts, judge_device(rollout, facts, now));
        Self { rollout, devices: facts.iter().map(stand).collect(), now }
    }

    /// The version was offered to it in this step, and holds.
    fn is_in_step(&self, facts: &RolloutFacts) -> bool {
        let offer = facts.offer.as_ref();
        offer.is_some_and(|offer| offer.step == self.rollout.step && !offer.set_aside)
    }

    fn count(&self, is_counted: impl Fn(&RolloutFacts, RolloutDeviceState) -> bool) -> usize {
        self.devices.iter().filter(|(facts, state)| is_counted(facts, *state)).count()
    }

    fn list(
        &self,
        is_listed: impl Fn(&RolloutFacts, RolloutDeviceState) -> bool,
    ) -> impl Iterator<Item = &'a RolloutFacts> {
        self.devices
            .iter()
            .filter(move |(facts, state)| is_listed(facts, *state))
            .map(|(facts, _)| *facts)
    }

    /// Whether its step is that of the devices that were named.
    fn is_first_step(&self) -> bool {
        self.rollout.share() == 0
    }

    /// How many devices are to have the version offered, or to run it, by the end of the step.
    fn target(&self) -> usize {
        use RolloutDeviceState::{Absent, Flux, Pinned};
        if self.is_first_step() {
            return self.count(|facts, _| facts.is_first);
        }
        let takes_part = |state| !matches!(state, Absent | Flux | Pinned);
        count_share(self.rollout.share(), self.count(|_, state| takes_part(state)))
    }

    /// How many are offered the version, or run it.
    fn reached(&self) -> usize {
        let is_first_step = self.is_first_step();
        self.count(|facts, state| {
            let is_offered = facts.offer.is_some_and(|offer| !offer.set_aside);
            (is_offered || state == RolloutDeviceState::GoneOver)
                && (facts.is_first || !is_first_step)
        })
    }

    /// Whether it halts.
    fn halt(&self) -> Option<RolloutHalt> {
        use RolloutDeviceState::{Failed, GoneOver, Silent, Trying};
        let step = self.rollout.step;
        let in_step = |facts: &RolloutFacts| facts.offer.is_some_and(|offer| offer.step == step);
        if step == 0 && self.count(|facts, state| state == Silent && in_step(facts)) > 0 {
            return Some(RolloutHalt::Silence);
        }
        let are_bad = |is_counted: &dyn Fn(&RolloutFacts) -> bool| {
            let has_failed = |state| matches!(state, Failed | Silent);
            let failed = self.count(|facts, state| is_counted(facts) && has_failed(state));
            let switched = self.count(|facts, state| {
                let has_switched = has_failed(state) || matches!(state, Trying | GoneOver);
                is_counted(facts) && has_switched && facts.offer.is_some()
            });
            are_too_many(failed, switched)
        };
        let halts = are_bad(&in_step) || are_bad(&|_| true);
        halts.then_some(RolloutHalt::Failures)
    }

    /// The devices to which the version is offered now.
    fn offers(&self) -> Vec<(Uuid, bool)> {
        use RolloutDeviceState::{Failed, Offered, Silent, Trying, Waiting};
        let is_recent = |at: Option<Timestamp>, within: SignedDuration| {
            at.is_some_and(|at| self.now.duration_since(at) <= within)
        };
        let is_first_step = self.is_first_step();
        let mut candidates: Vec<_> = self
            .list(|facts, state| {
                let asked = facts.update.as_ref().map(|update| update.reported_at);
                state == Waiting && is_recent(asked, ASKS) && (facts.is_first || !is_first_step)
            })
            .collect();
        let version = &self.rollout.version;
        candidates.sort_by_cached_key(|facts| {
            (!facts.is_first, place_of_device(facts.device, version), facts.device)
        });
        let unproven = self.count(|_, state| matches!(state, Failed | Silent | Trying | Offered));
        let in_step = self.count(|facts, _| self.is_in_step(facts));
        let reached = self.reached();
        let mut offers = Vec::new();
        for facts in candidates {
            let new = offers.len();
            let most = LEAST_UNPROVEN + (in_step + new + 1) / SHARE_UNPROVEN;
            if reached + new >= self.target() || unproven + new + 1 > most {
                break;
            }
            offers.push((facts.device, is_recent(facts.last_report, REGULAR)));
        }
        offers
    }

    /// Whether all that may be expected of the step has gone over, and long enough ago.
    fn is_step_over(&self) -> bool {
        use RolloutDeviceState::{Failed, GoneOver, Offered, Silent, Trying, Waiting};
        let is_first_step = self.is_first_step();
        let open = self.count(|_, state| matches!(state, Failed | Silent | Trying | Offered));
        let waiting =
            self.count(|facts, state| state == Waiting && (facts.is_first || !is_first_step));
        let is_reached = waiting == 0 || self.reached() >= self.target();
        let over =
            |facts: &RolloutFacts, state| state == GoneOver && (facts.is_first || !is_first_step);
        let own = self.count(|facts, state| over(facts, state) && self.is_in_step(facts));
        let is_proved = own > 0 || self.count(over) >= self.target().max(1);
        let since = self
            .list(|facts, _| self.is_in_step(facts))
            .filter_map(|facts| facts.offer?.over_at)
            .fold(self.rollout.step_since, Timestamp::max);
        let soak = SignedDuration::from_secs(self.rollout.soak.try_into().unwrap_or(i64::MAX));
        open == 0 && is_reached && is_proved && self.now.duration_since(since) >= soak
    }
}

/// What follows of what is known at that instant.
#[must_use]
pub fn judge_rollout(rollout: &Rollout, facts: &[RolloutFacts], now: Timestamp) -> RolloutWrite {
    let mut write = RolloutWrite::default();
    if !matches!(rollout.state, RolloutState::Running | RolloutState::Halted) {
        return write;
    }
    let standing = Standing::new(rollout, facts, now);
    write.over = standing
        .list(|facts, state| {
            let is_new = facts.offer.is_some_and(|offer| offer.over_at.is_none());
            state == RolloutDeviceState::GoneOver && is_new
        })
        .map(|facts| facts.device)
        .collect();
    let overdue = |facts: &RolloutFacts, state| device::is_overdue(facts, state, now);
    write.set_aside = standing.list(overdue).map(|facts| facts.device).collect();
    if rollout.state == RolloutState::Halted {
        return write;
    }
    let place = |state| RolloutPlace {
        state,
        halt: None,
        step: rollout.step,
        step_since: rollout.step_since,
    };
    if let Some(halt) = standing.halt() {
        write.place = Some(RolloutPlace { halt: Some(halt), ..place(RolloutState::Halted) });
        return write;
    }
    // What was just seen counts from the next look on.
    if !write.over.is_empty() || !write.set_aside.is_empty() {
        return write;
    }
    write.offer = standing.offers();
    if !write.offer.is_empty() || !standing.is_step_over() {
        return write;
    }
    if rollout.is_last_step() {
        write.place = Some(place(RolloutState::Finished));
    } else {
        let step = rollout.step + 1;
        write.place = Some(RolloutPlace { step, step_since: now, ..place(RolloutState::Running) });
        write.readmit = true;
    }
    write
}
