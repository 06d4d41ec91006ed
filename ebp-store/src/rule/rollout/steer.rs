//! What administrators do to a roll-out.

use ebp_core::contract::{Rollout, RolloutAction, RolloutDeviceState, RolloutHalt, RolloutState};
use jiff::Timestamp;

use super::{
    device::judge_device,
    facts::{RolloutFacts, RolloutPlace, RolloutWrite},
};

/// Why something cannot be done to a roll-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the roll-out is {0}")]
pub struct RolloutRefusal(pub RolloutState);

/// What an administrator's action stores.
///
/// # Errors
/// [`RolloutRefusal`] if the roll-out's state does not permit it.
pub fn steer_rollout(
    rollout: &Rollout,
    facts: &[RolloutFacts],
    action: RolloutAction,
    now: Timestamp,
) -> Result<RolloutWrite, RolloutRefusal> {
    use RolloutState::{Ended, Finished, Halted, Running};
    let place = RolloutPlace {
        state: Running,
        halt: None,
        step: rollout.step,
        step_since: rollout.step_since,
    };
    let failed = || {
        let has_failed = |facts: &&RolloutFacts| {
            let state = judge_device(rollout, facts, now);
            matches!(state, RolloutDeviceState::Failed | RolloutDeviceState::Silent)
        };
        facts.iter().filter(has_failed).map(|facts| facts.device).collect()
    };
    let mut write = RolloutWrite::default();
    write.place = Some(match (action, rollout.state) {
        (RolloutAction::Halt, Running) => {
            RolloutPlace { state: Halted, halt: Some(RolloutHalt::Administrator), ..place }
        }
        (RolloutAction::Resume, Halted) => {
            write.excuse = failed();
            place
        }
        (RolloutAction::Advance, Running) => {
            write.excuse = failed();
            write.readmit = true;
            match rollout.is_last_step() {
                true => RolloutPlace { state: Finished, ..place },
                false => RolloutPlace { step: rollout.step + 1, step_since: now, ..place },
            }
        }
        (RolloutAction::End, Running | Halted) => RolloutPlace { state: Ended, ..place },
        (_, state) => return Err(RolloutRefusal(state)),
    });
    Ok(write)
}
