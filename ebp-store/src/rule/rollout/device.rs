//! Where one device stands in a roll-out.

use ebp_core::contract::{DeviceUpdate, Rollout, RolloutDeviceState, UpdateManager, UpdatePhase};
use jiff::Timestamp;

use super::facts::{PRESENT, ROLLOUT_SILENCE, RolloutFacts, RolloutOffer, TRIES};

/// Where a device stands at that instant.
#[must_use]
pub fn judge_device(rollout: &Rollout, facts: &RolloutFacts, now: Timestamp) -> RolloutDeviceState {
    let is_old = |at: Option<Timestamp>, than| at.is_none_or(|at| now.duration_since(at) > than);
    let said = facts.update.as_ref().map(|reported| &reported.update);
    let is_silent = facts.offer.is_some_and(|offer| {
        offer.was_regular && offer.taken_at.is_some() && is_old(facts.last_report, ROLLOUT_SILENCE)
    });
    let Some(offer) = facts.offer else {
        return judge_unoffered(rollout, facts, now);
    };
    if has_gone_over(rollout, facts) {
        // Later trouble is not this version's, but for the step in which it is looked at.
        let is_looked_at = offer.step == rollout.step && !offer.excused;
        return match is_silent && is_looked_at {
            true => RolloutDeviceState::Silent,
            false => RolloutDeviceState::GoneOver,
        };
    }
    if offer.excused {
        return RolloutDeviceState::Excused;
    }
    if has_failed(rollout, facts, offer, now) {
        return RolloutDeviceState::Failed;
    }
    let phase = said.map(|said| said.phase).unwrap_or_default();
    if offer.set_aside && phase != UpdatePhase::Trying {
        return RolloutDeviceState::SetAside;
    }
    if is_silent {
        return RolloutDeviceState::Silent;
    }
    let asked = facts.update.as_ref().map(|reported| reported.reported_at);
    if !offer.was_regular && is_old(asked, ROLLOUT_SILENCE) {
        return RolloutDeviceState::Absent;
    }
    match phase {
        UpdatePhase::Trying | UpdatePhase::Returning => RolloutDeviceState::Trying,
        _ => RolloutDeviceState::Offered,
    }
}

fn judge_unoffered(rollout: &Rollout, facts: &RolloutFacts, now: Timestamp) -> RolloutDeviceState {
    let said = facts.update.as_ref().map(|reported| &reported.update);
    let is_of_flux = said.is_some_and(|said| said.managed == UpdateManager::Flux);
    let asked = facts.update.as_ref().map(|reported| reported.reported_at);
    if has_gone_over(rollout, facts) {
        RolloutDeviceState::GoneOver
    } else if is_of_flux {
        RolloutDeviceState::Flux
    } else if said.is_some_and(|said| said.pinned) {
        RolloutDeviceState::Pinned
    } else if asked.is_none_or(|asked| now.duration_since(asked) > PRESENT) {
        RolloutDeviceState::Absent
    } else {
        RolloutDeviceState::Waiting
    }
}

/// Its services report the version, and it says that it has kept it.
fn has_gone_over(rollout: &Rollout, facts: &RolloutFacts) -> bool {
    let keeps = |said: &DeviceUpdate| {
        let is_of_flux = said.managed == UpdateManager::Flux;
        let keeps = said.kept.as_ref() == Some(&rollout.version);
        is_of_flux || (keeps && said.phase == UpdatePhase::Idle)
    };
    facts.running.as_ref() == Some(&rollout.version)
        && facts.update.as_ref().is_some_and(|reported| keeps(&reported.update))
}

/// It went back, or runs something else than it says for a day.
fn has_failed(
    rollout: &Rollout,
    facts: &RolloutFacts,
    offer: RolloutOffer,
    now: Timestamp,
) -> bool {
    let Some(said) = facts.update.as_ref().map(|reported| &reported.update) else { return false };
    let went_back = said.reverted.as_ref().is_some_and(|gone| gone.version == rollout.version);
    let keeps = said.kept.as_ref() == Some(&rollout.version);
    let is_long = offer.taken_at.is_some_and(|taken| now.duration_since(taken) > TRIES);
    // What was seen to run the version, and does not any more, did not keep it.
    let left = offer.over_at.is_some() && said.phase == UpdatePhase::Idle;
    went_back || left || (keeps && is_long)
}

/// Whether others go before it from now on: it did not ask again, or did not try the version.
pub fn is_overdue(facts: &RolloutFacts, state: RolloutDeviceState, now: Timestamp) -> bool {
    let Some(offer) = facts.offer.filter(|_| state == RolloutDeviceState::Offered) else {
        return false;
    };
    match offer.taken_at {
        None => now.duration_since(offer.offered_at) > ROLLOUT_SILENCE,
        Some(taken) => now.duration_since(taken) > TRIES,
    }
}
