//! What holds for any facts.

use ebp_core::contract::{
    DeviceUpdate, ReportedUpdate, RevertedUpdate, Rollout, RolloutAction, RolloutDeviceState,
    RolloutHalt, RolloutState, UpdateManager, UpdatePhase,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use super::super::{
    RolloutFacts, RolloutOffer, are_too_many, judge_device, judge_rollout, steer_rollout,
};

const HELD: &str = "1.4.2";

fn now() -> Timestamp {
    "2026-12-10T00:00:00Z".parse().unwrap()
}

fn past() -> impl Strategy<Value = Timestamp> {
    (0_i64..40 * 60).prop_map(|minutes| now() - SignedDuration::from_mins(minutes))
}

fn version() -> impl Strategy<Value = String> {
    prop_oneof![Just("1.4.1".to_owned()), Just(HELD.to_owned())]
}

fn update() -> impl Strategy<Value = ReportedUpdate> {
    let manager = prop_oneof![9 => Just(UpdateManager::Ebp), 1 => Just(UpdateManager::Flux)];
    let phase = prop::sample::select(UpdatePhase::ALL);
    let kept = prop::option::of(version());
    let reverted = prop::option::weighted(0.2, version());
    (past(), manager, prop::bool::weighted(0.1), phase, kept, reverted).prop_map(
        |(reported_at, managed, pinned, phase, kept, reverted)| {
            let reason = "it ended".to_owned();
            let reverted = reverted.map(|version| RevertedUpdate { version, reason });
            let update = DeviceUpdate { managed, pinned, phase, kept, reverted, hindrance: None };
            ReportedUpdate { reported_at, update }
        },
    )
}

fn offer() -> impl Strategy<Value = RolloutOffer> {
    let flags = (any::<bool>(), prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    (0_u8..4, past(), prop::option::of(past()), prop::option::of(past()), flags).prop_map(
        |(step, offered_at, taken_at, over_at, (was_regular, set_aside, excused))| RolloutOffer {
            step,
            offered_at,
            was_regular,
            taken_at,
            over_at,
            set_aside,
            excused,
        },
    )
}

fn facts() -> impl Strategy<Value = Vec<RolloutFacts>> {
    let one = (
        any::<bool>(),
        prop::option::of(past()),
        prop::option::of(version()),
        prop::option::of(update()),
        prop::option::of(offer()),
    );
    prop::collection::vec(one, 0..60).prop_map(|rows| {
        let row = |(i, (is_first, last_report, running, update, offer))| RolloutFacts {
            device: Uuid::from_u128(i),
            is_first,
            last_report,
            running,
            update,
            offer,
        };
        (0..).zip(rows).map(row).collect()
    })
}

fn rollout() -> impl Strategy<Value = Rollout> {
    (prop::sample::select(RolloutState::ALL), 0_u8..4, past()).prop_map(
        |(state, step, step_since)| Rollout {
            uuid: Uuid::nil(),
            version: HELD.to_owned(),
            steps: vec![0, 5, 25, 100],
            soak: 3_600,
            state,
            halt: (state == RolloutState::Halted).then_some(RolloutHalt::Failures),
            step,
            step_since,
            revision: 1,
            created_at: step_since,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn offers_are_bounded_and_only_of_a_roll_out_that_runs(
        rollout in rollout(), facts in facts(),
    ) {
        use RolloutDeviceState::{Failed, Offered, Silent, Trying, Waiting};
        let write = judge_rollout(&rollout, &facts, now());
        let state = |facts: &RolloutFacts| judge_device(&rollout, facts, now());
        let count = |states: &[RolloutDeviceState]| {
            facts.iter().filter(|facts| states.contains(&state(facts))).count()
        };
        if rollout.state != RolloutState::Running || write.place.is_some() {
            prop_assert!(write.offer.is_empty());
        }
        if matches!(rollout.state, RolloutState::Finished | RolloutState::Ended) {
            prop_assert!(write.is_empty());
        }
        // A halted one stays so, and one that runs goes one step at most.
        if let Some(place) = write.place {
            prop_assert_eq!(rollout.state, RolloutState::Running);
            prop_assert!(place.step <= rollout.step + 1);
        }
        let in_step = facts.iter().filter_map(|facts| facts.offer)
            .filter(|offer| offer.step == rollout.step).count();
        let unproven = count(&[Failed, Silent, Trying, Offered]) + write.offer.len();
        if !write.offer.is_empty() {
            prop_assert!(unproven <= 2 + (in_step + write.offer.len()) / 20);
        }
        for (device, _) in &write.offer {
            let facts = facts.iter().find(|facts| facts.device == *device).unwrap();
            prop_assert_eq!(state(facts), Waiting);
            prop_assert!(rollout.step > 0 || facts.is_first);
        }
        // Nobody is passed over who failed or is under way.
        let goes_on = write.place.is_some_and(|place| place.halt.is_none());
        prop_assert!(!goes_on || count(&[Failed, Silent, Trying, Offered]) == 0);
    }

    #[test]
    fn a_device_has_gone_over_only_if_it_runs_the_version(
        rollout in rollout(), facts in facts(),
    ) {
        for facts in &facts {
            if judge_device(&rollout, facts, now()) == RolloutDeviceState::GoneOver {
                prop_assert_eq!(facts.running.as_deref(), Some(HELD));
                let said = &facts.update.as_ref().unwrap().update;
                let is_of_flux = said.managed == UpdateManager::Flux;
                prop_assert!(is_of_flux || said.kept.as_deref() == Some(HELD));
            }
        }
    }

    /// After an administrator went on, the same failures do not halt it again.
    #[test]
    fn what_was_excused_does_not_halt_it_again(rollout in rollout(), facts in facts()) {
        let halted = Rollout { state: RolloutState::Halted, ..rollout };
        let write = steer_rollout(&halted, &facts, RolloutAction::Resume, now()).unwrap();
        let mut facts = facts;
        for facts in facts.iter_mut().filter(|facts| write.excuse.contains(&facts.device)) {
            facts.offer.as_mut().unwrap().excused = true;
        }
        let resumed = Rollout { state: RolloutState::Running, halt: None, ..halted };
        let next = judge_rollout(&resumed, &facts, now());
        prop_assert!(next.place.is_none_or(|place| place.state != RolloutState::Halted));
    }

    #[test]
    fn two_failures_and_a_twentieth_halt_it(failed in 0_usize..50, switched in 0_usize..1_000) {
        let expected = failed >= 2 && failed as f64 >= 0.05 * switched as f64;
        prop_assert_eq!(are_too_many(failed, switched), expected);
    }
}
