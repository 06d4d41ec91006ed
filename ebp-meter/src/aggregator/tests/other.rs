//! Another meter than the one that was there, or than the one that is configured.

use super::{world::*, *};

/// What was told of the meter's identity, oldest first.
fn events_of(world: &World) -> Vec<String> {
    let mut told = Vec::new();
    for (_, event) in &world.events {
        match event {
            Event::OtherMaker(maker) => told.push(maker.clone()),
            Event::OtherMeter => told.push("another meter".to_owned()),
            _ => {}
        }
    }
    told
}

/// A device whose configured model is of ISK, and whose meter says that it is this one.
fn device(identity: Option<(&'static str, u8)>) -> World {
    World::new(vec![SimMeter { identity, ..SimMeter::default() }])
}

#[test]
fn another_maker_is_told_once_and_measured_all_the_same() {
    let mut world = device(Some(("EMH", 1)));
    world.run(s(3 * 900));
    assert_eq!(events_of(&world), ["EMH"]);
    assert_eq!(world.slots(0).len(), 3);
    // A third one is told, and the first one again once the right one was there.
    for (maker, all) in [("ESY", 2), ("ESY", 2), ("ISK", 2), ("EMH", 3)] {
        world.heads.meters[0].identity = Some((maker, 1));
        world.run(s(900));
        assert_eq!(events_of(&world).len(), all, "{maker}: {:?}", events_of(&world));
    }
    // A process that begins anew tells it anew.
    world.restart(s(1));
    world.run(s(900));
    assert_eq!(events_of(&world), ["EMH", "ESY", "EMH", "EMH"]);
}

#[test]
fn the_right_maker_and_one_that_is_not_said_are_no_others() {
    // A maker may write its letters small (IEC 62056-21).
    for identity in [Some(("ISK", 1)), Some(("isk", 1)), None] {
        let mut world = device(identity);
        world.run(s(2 * 900));
        assert_eq!(events_of(&world), Vec::<String>::new(), "{identity:?}");
    }
    // Of a model that is not known, nothing is.
    let meters = vec![SimMeter { identity: Some(("EMH", 1)), ..SimMeter::default() }];
    let mut world = World::with(meters, Options::SURVEY, None);
    world.run(s(900));
    assert_eq!(events_of(&world), Vec::<String>::new());
}

#[test]
fn a_meter_in_the_place_of_another_is_told_once() {
    let mut world = device(Some(("ISK", 1)));
    world.run(s(900));
    world.heads.meters[0].identity = Some(("ISK", 2));
    world.run(s(2 * 900));
    assert_eq!(events_of(&world), ["another meter"]);
    let flagged = |world: &World| -> Vec<bool> {
        let all = world.keeper.measurements.iter();
        all.map(|(measurement, _)| measurement.flags.contains(&Flag::AnotherMeter)).collect()
    };
    let flags = flagged(&world);
    let first = flags.iter().position(|flag| *flag).unwrap();
    assert!(first > 0 && flags[first..].iter().all(|flag| *flag), "{flags:?}");
    // A telegram without a number leaves it at that; another process does not forget.
    world.heads.meters[0].identity = None;
    world.run(s(900));
    assert_eq!(flagged(&world).last(), Some(&true));
    // The first one is back.
    world.heads.meters[0].identity = Some(("ISK", 1));
    world.run(s(2 * 900));
    assert_eq!(flagged(&world).last(), Some(&false));
}
