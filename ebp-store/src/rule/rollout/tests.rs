//! A fleet that lives through a roll-out in simulated time, and what must hold for any facts.

mod always;
mod fleet;

use ebp_core::contract::{RolloutAction, RolloutDeviceState, RolloutHalt, RolloutState};
use jiff::SignedDuration;

use super::{RolloutRefusal, steer_rollout, wish_of_device};
use fleet::{Behaviour, Fleet, VERSION};

const DAY: SignedDuration = SignedDuration::from_hours(24);

#[test]
fn a_healthy_fleet_goes_over_in_steps_and_no_step_is_shorter_than_its_soak() {
    let mut fleet = Fleet::new(1, 200);
    let begun = fleet.now;
    let mut steps = Vec::new();
    fleet.run_until(DAY * 14, |fleet| {
        let step = fleet.rollout.step;
        if steps.len() <= usize::from(step) {
            steps.push((fleet.now, fleet.offered()));
        }
        fleet.rollout.state == RolloutState::Finished
    });
    assert_eq!(fleet.rollout.state, RolloutState::Finished);
    assert_eq!(fleet.count(RolloutDeviceState::GoneOver), 200);
    assert_eq!(steps.len(), 4);
    for ([before, after], share) in steps.array_windows().zip([1, 10, 50]) {
        assert!(after.0.duration_since(before.0) >= DAY, "{steps:?}");
        assert!(after.1 <= share, "{steps:?}");
    }
    let took = fleet.now.duration_since(begun);
    assert!(took < DAY * 10, "{took:?}");
}

/// The acceptance: 200 devices of which 7 % fail.
#[test]
fn a_bad_version_stops_with_few_devices_that_do_not_work() {
    let mut halted = 0;
    for seed in 0..12 {
        let mut fleet = Fleet::new(seed, 200);
        fleet.spoil(14, Behaviour::Reverts);
        let mut looks = 0;
        fleet.run_until(DAY * 21, |fleet| {
            // Whatever they do: those that were told to switch and are not proven.
            let unproven = fleet.unproven_in_step();
            let most = 2 + fleet.offered_in_step() / 20;
            assert!(unproven <= most, "seed {seed}: {unproven} of {most}");
            let open =
                fleet.count(RolloutDeviceState::Offered) + fleet.count(RolloutDeviceState::Trying);
            let is_stuck = open == 0 && fleet.count(RolloutDeviceState::Failed) > 0;
            looks = if is_stuck { looks + 1 } else { 0 };
            // Four hours without anything under way.
            fleet.rollout.state != RolloutState::Running || looks > 24
        });
        let rollout = fleet.rollout.clone();
        assert_ne!(rollout.state, RolloutState::Finished, "seed {seed}");
        let (failed, step) = (fleet.count(RolloutDeviceState::Failed), rollout.step);
        if rollout.state == RolloutState::Halted {
            halted += 1;
            assert_eq!(rollout.halt, Some(RolloutHalt::Failures));
            let offered = fleet.offered();
            fleet.run_until(DAY, |_| false);
            assert_eq!(fleet.offered(), offered, "seed {seed}: offered after the halt");
            assert_eq!(fleet.rollout, rollout, "seed {seed}: it resumed by itself");
        } else {
            // One failure alone: its step is not passed without an administrator.
            assert_eq!(failed, 1, "seed {seed}");
        }
        println!("seed {seed}: step {step}, {failed} failed of {} offered", fleet.offered());
    }
    assert!(halted > 0);
}

#[test]
fn many_silent_devices_halt_it_as_many_that_go_back_do() {
    let mut fleet = Fleet::new(3, 200);
    fleet.spoil(60, Behaviour::Silent);
    fleet.run_until(DAY * 14, |fleet| fleet.rollout.state != RolloutState::Running);
    assert_eq!(fleet.rollout.halt, Some(RolloutHalt::Failures));
    assert!(fleet.unproven_in_step() <= 2 + fleet.offered_in_step() / 20);
}

#[test]
fn one_silent_device_halts_the_first_step() {
    let mut fleet = Fleet::new(4, 200);
    fleet.devices[0].behaviour = Behaviour::Silent;
    fleet.run_until(DAY * 3, |fleet| fleet.rollout.state != RolloutState::Running);
    assert_eq!(fleet.rollout.halt, Some(RolloutHalt::Silence));
    assert_eq!((fleet.rollout.step, fleet.offered()), (0, 1));
}

/// It says that it has kept the version, and the old one runs.
#[test]
fn a_report_of_success_alone_is_not_counted() {
    let mut fleet = Fleet::new(5, 200);
    fleet.devices[0].behaviour = Behaviour::SaysSo;
    fleet.run_until(DAY * 7, |fleet| fleet.rollout.step > 0);
    assert_eq!((fleet.rollout.step, fleet.offered()), (0, 1));
    assert_eq!(fleet.count(RolloutDeviceState::GoneOver), 0);
    assert_eq!(fleet.count(RolloutDeviceState::Failed), 1, "after a day");
}

/// It goes over, reports so, and the old version runs again.
#[test]
fn a_device_that_leaves_the_version_again_has_failed() {
    let mut fleet = Fleet::new(6, 200);
    fleet.devices[0].behaviour = Behaviour::Leaves;
    fleet.run_until(DAY * 7, |fleet| fleet.rollout.step > 0);
    assert_eq!((fleet.rollout.step, fleet.offered()), (0, 1));
    assert_eq!(fleet.count(RolloutDeviceState::Failed), 1);
}

/// Devices that are off are not waited for; one that takes the version and never tries it is set
/// aside, and others go before it.
#[test]
fn devices_that_are_off_or_do_not_try_are_not_waited_for() {
    let mut fleet = Fleet::new(7, 60);
    fleet.spoil(20, Behaviour::Off);
    fleet.spoil(3, Behaviour::NeverTries);
    fleet.run_until(DAY * 21, |fleet| fleet.rollout.state == RolloutState::Finished);
    assert_eq!(fleet.rollout.state, RolloutState::Finished);
    assert_eq!(fleet.count(RolloutDeviceState::Absent), 20);
    assert_eq!(fleet.count(RolloutDeviceState::SetAside), 3);
    assert_eq!(fleet.count(RolloutDeviceState::GoneOver), 37);
}

#[test]
fn a_step_whose_devices_are_off_is_not_passed() {
    let mut fleet = Fleet::new(8, 20);
    fleet.devices[0].behaviour = Behaviour::Off;
    fleet.run_until(DAY * 5, |fleet| fleet.rollout.step > 0);
    assert_eq!((fleet.rollout.step, fleet.offered()), (0, 0));
}

#[test]
fn administrators_go_on_after_a_failure_and_it_stays_excused() {
    let mut fleet = Fleet::new(9, 40);
    fleet.spoil(3, Behaviour::Reverts);
    let mut resumed = 0;
    fleet.run_until(DAY * 30, |fleet| {
        use RolloutDeviceState::{Failed, Offered, Trying, Waiting};
        let open: usize = [Offered, Trying].map(|state| fleet.count(state)).iter().sum();
        let is_last = fleet.rollout.is_last_step();
        let is_done = open == 0 && (!is_last || fleet.count(Waiting) == 0);
        let is_blocked = fleet.count(Failed) > 0 && is_done;
        match fleet.rollout.state {
            RolloutState::Halted => fleet.steer(RolloutAction::Resume),
            RolloutState::Running if is_blocked => fleet.steer(RolloutAction::Advance),
            state => return state == RolloutState::Finished,
        }
        resumed += 1;
        assert_eq!(fleet.count(Failed), 0);
        false
    });
    assert_eq!(fleet.rollout.state, RolloutState::Finished);
    assert!(resumed > 0);
    assert_eq!(fleet.count(RolloutDeviceState::GoneOver), 37);
}

#[test]
fn what_cannot_be_done_is_refused_and_nothing_follows_the_end() {
    let mut fleet = Fleet::new(10, 10);
    let refused = |fleet: &Fleet, action| {
        steer_rollout(&fleet.rollout, &fleet.facts, action, fleet.now).unwrap_err()
    };
    assert_eq!(refused(&fleet, RolloutAction::Resume), RolloutRefusal(RolloutState::Running));
    fleet.steer(RolloutAction::Halt);
    assert_eq!(fleet.rollout.halt, Some(RolloutHalt::Administrator));
    assert_eq!(refused(&fleet, RolloutAction::Advance), RolloutRefusal(RolloutState::Halted));
    fleet.steer(RolloutAction::End);
    for action in RolloutAction::ALL {
        assert_eq!(refused(&fleet, *action), RolloutRefusal(RolloutState::Ended));
    }
    fleet.run_until(DAY, |_| false);
    assert_eq!(fleet.offered(), 0);
}

#[test]
fn a_device_is_told_what_its_offer_says() {
    let fleet = Fleet::new(11, 1);
    let runs = |state, taken| {
        let mut rollout = fleet.rollout.clone();
        rollout.state = state;
        wish_of_device(&rollout, taken).version.is_some_and(|version| version == VERSION)
    };
    use RolloutState::{Ended, Finished, Halted, Running};
    for (state, [none, offered, taken]) in [
        (Running, [false, true, true]),
        (Halted, [false, false, true]),
        (Ended, [false, false, true]),
        (Finished, [true, true, true]),
    ] {
        let found = [None, Some(false), Some(true)].map(|offer| runs(state, offer));
        assert_eq!(found, [none, offered, taken], "{state}");
    }
}
