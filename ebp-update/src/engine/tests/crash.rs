//! The power fails at every step of the disk, and of what was not durable each thing is lost or not, in
//! all combinations. Afterwards services run a whole and verified program, the state is one of the
//! legal ones, and the update goes on to its end.

use proptest::prelude::*;

use super::{
    disk::SimulatedDisk,
    world::{Behaviour, World},
};
use crate::{
    error::UpdateError,
    state::{Ended, State},
    version::Version,
};

/// Combinations that are tried all of; of more so many are taken.
const MOST_COMBINATIONS: usize = 4096;

/// All ways to choose, or many of them.
fn combinations(ways: &[usize]) -> Vec<Vec<usize>> {
    let count = ways.iter().fold(1_usize, |count, ways| count.saturating_mul(*ways));
    let stride = count.div_ceil(MOST_COMBINATIONS);
    let choose = |mut number: usize| {
        let digit = |ways: &usize| {
            let digit = number % ways;
            number /= ways;
            digit
        };
        ways.iter().map(digit).collect()
    };
    (0..count).step_by(stride).map(choose).collect()
}

/// A device that has updated once, and has another release before it.
fn device(behaviour: Behaviour) -> World {
    let world = World::new();
    world.good("1.1.0");
    world.round().unwrap();
    world.release("1.2.0", behaviour);
    world
}

fn settled(world: &World, bad: bool) {
    for _ in 0..6 {
        match world.round() {
            Ok(_) => {}
            // What was fetched before the failure was not whole, and is fetched anew.
            Err(UpdateError::Damaged(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    let expected: Version = if bad { "1.1.0" } else { "1.2.0" }.parse().unwrap();
    assert_eq!(world.committed(), Some(expected.clone()), "{:#?}", world.state());
    assert_eq!(world.launched(), Some(expected.clone()));
    assert_eq!(world.facts.borrow().running, Some(expected));
    assert_eq!(matches!(world.state().last, Some(Ended::Reverted(_))), bad);
}

/// Lets the power fail after `steps` steps of the disk; `None` if the update was over before.
fn fail_after(behaviour: &Behaviour, steps: usize) -> Option<World> {
    let world = device(behaviour.clone());
    world.disk.0.borrow_mut().steps_left = Some(steps);
    match world.round() {
        Ok(_) => None,
        Err(_) => Some(world),
    }
}

/// What must hold at any instant.
fn check(world: &World) {
    // It panics if that is not whole.
    let launched = world.launched();
    let state: State = world.state();
    let legal = [Some("1.1.0".parse().unwrap()), Some("1.2.0".parse().unwrap())];
    assert!(legal.contains(&launched), "{launched:?} {state:?}");
    assert!(legal.contains(&state.committed.map(|release| release.version)));
}

fn every_failure(behaviour: &Behaviour, bad: bool) -> usize {
    let mut crashes = 0;
    for steps in 0.. {
        let Some(world) = fail_after(behaviour, steps) else {
            assert!(steps > 30, "{steps}");
            break;
        };
        let failed: SimulatedDisk = world.disk.0.borrow().clone();
        for choices in combinations(&failed.losses()) {
            let world = fail_after(behaviour, steps).unwrap();
            world.boot(failed.after_failure(&choices));
            check(&world);
            settled(&world, bad);
            crashes += 1;
        }
    }
    println!("{crashes} crashes");
    crashes
}

#[test]
fn a_good_release_is_run_whenever_the_power_fails() {
    let crashes = every_failure(&Behaviour::good("1.2.0"), false);
    assert!(crashes > 150, "{crashes}");
}

#[test]
fn a_bad_release_is_left_whenever_the_power_fails() {
    let bad = Behaviour { exits: true, ..Behaviour::good("1.2.0") };
    let crashes = every_failure(&bad, true);
    assert!(crashes > 150, "{crashes}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Failures one after the other, each with any losses.
    #[test]
    fn failures_in_a_row(
        failures in prop::collection::vec((0..60_usize, any::<u64>()), 1..6),
        is_bad in any::<bool>(),
    ) {
        let measures = !is_bad;
        let world = device(Behaviour { measures, ..Behaviour::good("1.2.0") });
        for (steps, seed) in failures {
            world.disk.0.borrow_mut().steps_left = Some(steps);
            let _ = world.round();
            let failed = world.disk.0.borrow().clone();
            let mut rest = seed;
            let choose = |ways: &usize| {
                let way = (rest % *ways as u64) as usize;
                rest = (rest / *ways as u64) ^ seed.rotate_left(17);
                way
            };
            let choices: Vec<_> = failed.losses().iter().map(choose).collect();
            world.boot(failed.after_failure(&choices));
            check(&world);
        }
        for _ in 0..8 {
            let _ = world.round();
        }
        let state = world.state();
        let committed = state.committed.as_ref().map(|release| release.version.as_str());
        // Many starts of the machine during the trial are a reason to go back, too.
        let is_right = matches!((committed, is_bad), (Some("1.2.0"), false) | (Some("1.1.0"), _));
        prop_assert!(is_right, "{state:#?}");
        let launched = world.launched();
        prop_assert_eq!(launched.as_ref().map(Version::as_str), committed);
        prop_assert!(state.phase.name() == "idle", "{:?}", state.phase);
    }
}
