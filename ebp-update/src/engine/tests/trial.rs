//! Releases that are good, and those that are bad in every way.

use std::time::Duration;

use ebp_core::clock::DeviceClock;

use super::world::{Behaviour, METER, World};
use crate::{
    disk::Disk,
    error::UpdateError,
    event::Event,
    layout,
    programs::ProgramError,
    proof::Demand,
    state::{CommittedOn, Ended, Phase, RevertReason, Reverted, State},
    version::Version,
};

const MINUTE: Duration = Duration::from_secs(60);

fn reverted(state: &State) -> &Reverted {
    match &state.last {
        Some(Ended::Reverted(reverted)) => reverted,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_good_release_is_committed_and_the_next_one_as_well() {
    let world = World::new();
    assert_eq!(world.round().unwrap(), [], "nothing is desired");
    for version in ["1.1.0", "1.2.0", "1.3.0"] {
        let version = world.good(version);
        let (begun, written) = (world.clock.truth(), world.disk.0.borrow().written);
        let events = world.round().unwrap();
        let committed = Event::Committed(version.clone(), CommittedOn::Everything);
        assert_eq!(events.last(), Some(&committed), "{events:#?}");
        let demands = vec![Demand::Meter(METER), Demand::Report];
        assert!(events.contains(&Event::Trying(version.clone(), demands)), "{events:#?}");
        assert_eq!(world.launched(), Some(version.clone()));
        assert_eq!(world.committed(), Some(version));
        let took = world.clock.truth().duration_since(begun).unsigned_abs();
        assert!(took <= 45 * MINUTE, "{took:?}");
        // Without the state, whose size does not grow with the program's.
        let writes = world.disk.0.borrow().written - written;
        assert!(writes < 3 * 3500 + 20 * 2000, "{writes}");
        assert_eq!(world.round().unwrap(), []);
    }
    assert!(world.disk.list("versions").unwrap().len() <= 2);
}

#[test]
fn what_no_service_should_run_is_run_by_none() {
    let good = || Behaviour::good("1.1.0");
    let fails = || ProgramError::Failed("no".to_owned());
    for (behaviour, name) in [
        (Behaviour { prints: Err(fails()), ..good() }, "not-runnable"),
        (Behaviour { prints: Ok("9.9".parse().unwrap()), ..good() }, "other-version"),
        (Behaviour { self_test: Err(fails()), ..good() }, "self-test"),
    ] {
        let world = World::new();
        let version = world.release("1.1.0", behaviour);
        let starts = world.facts.borrow().starts;
        world.round().unwrap();
        let state = world.state();
        let reason = serde_json::to_value(&reverted(&state).reason).unwrap();
        assert_eq!(reason["name"], name);
        assert_eq!((reverted(&state).no_better.as_ref(), &state.phase), (None, &Phase::Idle));
        assert_eq!(world.facts.borrow().starts, starts, "services go on undisturbed");
        assert_eq!(world.disk.list("versions").unwrap(), Vec::<String>::new());
        let events = world.round().unwrap();
        assert!(matches!(&events[..], [Event::Refused(refused, _)] if *refused == version));
    }
}

/// An administrator is connected for hours.
#[test]
fn a_good_moment_is_waited_for_by_the_clock_and_without_further_tests() {
    let world = World::new();
    let version = world.good("1.1.0");
    world.facts.borrow_mut().busy = Some(Duration::from_secs(4));
    let begun = world.clock.since_boot();
    world.round().unwrap();
    assert_eq!(world.committed(), Some(version));
    let facts = world.facts.borrow();
    let (waited, longest) = (facts.started_at - begun, MINUTE * 120);
    assert!(waited >= longest && waited < longest + MINUTE, "{waited:?}");
    // Its version, and its test of itself.
    assert_eq!(facts.tests, 2);
}

#[test]
fn a_test_of_itself_that_fails_before_as_well_proves_nothing() {
    let world = World::new();
    let failed = Err(ProgramError::Failed("the certificate has expired".to_owned()));
    world.facts.borrow_mut().floor.self_test = failed.clone();
    let version =
        world.release("1.1.0", Behaviour { self_test: failed, ..Behaviour::good("1.1.0") });
    let events = world.round().unwrap();
    assert!(events.iter().any(|event| matches!(event, Event::SelfTestNoBetter(_))));
    assert_eq!(world.committed(), Some(version));
}

#[test]
fn a_release_that_exits_at_once_is_back_within_a_minute() {
    let world = World {
        limits: crate::Limits { look: 5 * MINUTE / 60, ..World::new().limits },
        ..World::new()
    };
    let version = world.release("1.1.0", Behaviour { exits: true, ..Behaviour::good("1.1.0") });
    world.steps(8).unwrap();
    while !matches!(world.state().phase, Phase::Returning { .. }) {
        world.steps(1).unwrap();
    }
    let begun = match world.state().phase {
        Phase::Returning { trial, .. } => trial.since,
        _ => unreachable!(),
    };
    world.steps(1).unwrap();
    assert_eq!(world.facts.borrow().running, None);
    assert!(world.clock.truth().duration_since(begun).unsigned_abs() <= MINUTE);
    world.round().unwrap();
    let state = world.state();
    assert!(matches!(&reverted(&state).reason, RevertReason::Restarted { times: 3.., .. }));
    assert_eq!(reverted(&state).no_better.as_deref(), Some(&[][..]));
    assert!(state.refused.contains_key(&version));
}

#[test]
fn a_release_that_reads_no_meter_or_cannot_report_goes_back() {
    for (measures, reports, missing) in
        [(false, true, Demand::Meter(METER)), (true, false, Demand::Report)]
    {
        let world = World::new();
        world.good("1.1.0");
        world.round().unwrap();
        let behaviour = Behaviour { measures, reports, ..Behaviour::good("1.2.0") };
        world.release("1.2.0", behaviour);
        let events = world.round().unwrap();
        let state = world.state();
        let reason = RevertReason::Unproven { missing: vec![missing] };
        assert_eq!(reverted(&state).reason, reason, "{events:#?}");
        assert_eq!(reverted(&state).no_better.as_deref(), Some(&[][..]), "it works again");
        assert_eq!(world.launched(), Some("1.1.0".parse().unwrap()));
        // No loop: refused until another comes.
        assert!(matches!(&world.round().unwrap()[..], [Event::Refused(..)]));
        let next = world.good("1.3.0");
        world.round().unwrap();
        assert_eq!(world.committed(), Some(next));
    }
}

#[test]
fn a_meter_that_is_gone_after_going_back_too_is_said() {
    let world = World::new();
    world.release("1.1.0", Behaviour { measures: false, ..Behaviour::good("1.1.0") });
    world.facts.borrow_mut().floor.measures = false;
    world.round().unwrap();
    let state = world.state();
    assert_eq!(reverted(&state).no_better, Some(vec![Demand::Meter(METER)]));
}

#[test]
fn what_did_not_work_before_is_not_demanded() {
    let world = World::new();
    world.facts.borrow_mut().measured_at = None;
    world.facts.borrow_mut().floor.measures = false;
    let behaviour = Behaviour { measures: false, ..Behaviour::good("1.1.0") };
    let version = world.release("1.1.0", behaviour);
    let events = world.round().unwrap();
    assert!(events.contains(&Event::Trying(version.clone(), vec![Demand::Report])));
    assert_eq!(world.committed(), Some(version));
}

#[test]
fn a_network_that_is_away_is_not_the_releases_fault() {
    let world = World::new();
    let version = world.good("1.1.0");
    world.steps(7).unwrap();
    world.facts.borrow_mut().network = false;
    let mut waiting = 0;
    // Away for two hours.
    for _ in 0..2 {
        let events = world.round().unwrap();
        waiting += usize::from(events.contains(&Event::WaitingForServer(version.clone())));
        assert_eq!(world.launched(), Some(version.clone()));
        world.pass(60 * MINUTE);
    }
    assert_eq!(waiting, 2);
    world.facts.borrow_mut().network = true;
    world.round().unwrap();
    let on = match world.state().last {
        Some(Ended::Committed { on, .. }) => on,
        other => panic!("{other:?}"),
    };
    assert_eq!((world.committed(), on), (Some(version), CommittedOn::Everything));
}

#[test]
fn after_a_day_without_a_server_meters_are_enough_and_that_is_said() {
    let world = World::new();
    let version = world.good("1.1.0");
    world.steps(7).unwrap();
    world.facts.borrow_mut().network = false;
    let mut rounds = 0;
    while world.committed().is_none() {
        rounds += 1;
        world.round().unwrap();
        world.pass(60 * MINUTE);
    }
    assert!((23..=25).contains(&rounds), "{rounds}");
    let on = CommittedOn::MetersAlone;
    assert!(matches!(world.state().last, Some(Ended::Committed { on: o, .. }) if o == on));
    assert_eq!(world.launched(), Some(version));
}

#[test]
fn a_release_that_cannot_report_is_back_once_the_server_is_reached() {
    let world = World::new();
    world.release("1.1.0", Behaviour { reports: false, ..Behaviour::good("1.1.0") });
    world.steps(7).unwrap();
    world.facts.borrow_mut().network = false;
    world.round().unwrap();
    world.pass(60 * MINUTE);
    world.facts.borrow_mut().network = true;
    world.round().unwrap();
    let missing = vec![Demand::Report];
    assert_eq!(reverted(&world.state()).reason, RevertReason::Unproven { missing });
}

#[test]
fn three_starts_of_the_machine_without_a_proof_are_enough() {
    let world = World::new();
    world.release("1.1.0", Behaviour { measures: false, ..Behaviour::good("1.1.0") });
    world.steps(12).unwrap();
    for boot in 2..=4 {
        assert!(matches!(world.state().phase, Phase::Trying(_)), "{boot}");
        let disk = world.disk.0.borrow().clone();
        world.boot(disk);
        world.pass(MINUTE);
        world.steps(1).unwrap();
    }
    world.round().unwrap();
    assert_eq!(reverted(&world.state()).reason, RevertReason::Boots { times: 4 });
}

/// The judge is killed after each look, and begins anew from what is on the disk.
#[test]
fn a_judge_that_never_lives_for_two_readings_proves_a_version() {
    let world = World::new();
    let never = Duration::from_secs(24 * 3600);
    let world = World { limits: crate::Limits { save: never, ..world.limits.clone() }, ..world };
    let version = world.good("1.1.0");
    for _ in 0..120 {
        world.steps(1).unwrap();
    }
    assert_eq!(world.committed(), Some(version), "{:?}", world.state());
}

#[test]
fn damage_on_the_way_is_fetched_again_but_not_for_ever() {
    let world = World::new();
    let version = world.good("1.1.0");
    world.facts.borrow_mut().corrupt = true;
    for _ in 0..2 {
        assert!(matches!(world.round(), Err(UpdateError::Damaged(_))));
    }
    world.round().unwrap();
    assert_eq!(reverted(&world.state()).reason, RevertReason::Damaged);
    assert!(matches!(&world.round().unwrap()[..], [Event::Refused(..)]));
    assert_eq!(world.facts.borrow().ran.len(), 0);

    // An administrator says that it is tried again.
    world.facts.borrow_mut().corrupt = false;
    let mut disk = world.disk.clone();
    assert!(crate::retry(&mut disk, &version).unwrap());
    assert!(!crate::retry(&mut disk, &version).unwrap());
    world.round().unwrap();
    assert_eq!(world.committed(), Some(version));
}

#[test]
fn without_room_nothing_is_written_and_with_room_it_goes_on() {
    let world = World::new();
    let version = world.good("1.1.0");
    world.disk.0.borrow_mut().size = 2 * 3500 + 1000;
    let written = world.disk.0.borrow().written;
    assert!(matches!(world.round(), Err(UpdateError::NoRoom { .. })));
    assert!(world.disk.0.borrow().written - written < 3500, "but the state");
    world.disk.0.borrow_mut().read_only = true;
    assert!(matches!(world.round(), Err(UpdateError::Disk(_))));
    world.disk.0.borrow_mut().read_only = false;
    world.disk.0.borrow_mut().size = 1 << 20;
    world.round().unwrap();
    assert_eq!(world.committed(), Some(version));
}

#[test]
fn a_package_that_comes_during_a_trial_does_not_undo_it_and_one_that_comes_after_does() {
    let world = World::new();
    let version = world.good("1.1.0");
    world.steps(12).unwrap();
    world.facts.borrow_mut().floor = Behaviour::good("1.0.5");
    world.round().unwrap();
    assert_eq!(world.committed().as_ref(), Some(&version));
    assert_eq!(world.round().unwrap(), []);
    assert_eq!(world.launched(), Some(version));

    let newer: Version = "2.0.0".parse().unwrap();
    world.facts.borrow_mut().floor = Behaviour::good("2.0.0");
    world.facts.borrow_mut().desired = None;
    assert_eq!(world.round().unwrap(), [Event::FloorChanged(newer)]);
    assert_eq!((world.launched(), world.committed()), (None, None));
    // What the floor is already is not fetched.
    world.good("2.0.0");
    assert_eq!(world.round().unwrap(), []);
}

#[test]
fn a_committed_release_that_is_gone_leaves_the_floor() {
    let world = World::new();
    let version = world.good("1.1.0");
    world.round().unwrap();
    world.facts.borrow_mut().desired = None;
    world.disk.clone().remove(&layout::program(&version)).unwrap();
    assert_eq!(world.round().unwrap(), [Event::ReleaseLost(version)]);
    assert_eq!(world.disk.read_link(layout::CURRENT).unwrap(), None);
}

#[test]
fn a_state_that_cannot_be_read_leaves_the_floor_and_is_kept() {
    let world = World::new();
    world.good("1.1.0");
    world.round().unwrap();
    let mut disk = world.disk.clone();
    crate::disk::replace(&mut disk, layout::STATE, b"{\"phase\"").unwrap();
    world.facts.borrow_mut().desired = None;
    let events = world.round().unwrap();
    assert!(matches!(&events[..], [Event::StateLost(_)]), "{events:?}");
    assert_eq!((world.launched(), world.committed()), (None, None));
    assert_eq!(disk.read("state.damaged").unwrap().as_deref(), Some(&b"{\"phase\""[..]));
}
