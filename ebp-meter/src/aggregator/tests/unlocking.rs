//! Meters that are locked: when the PIN is entered, what keeps their detail, and what is learnt of that.

use std::sync::Arc;

use super::{
    CODES, Options,
    world::{SimMeter, World, s},
};
use crate::interface::{ProfileDriver, Registry};

/// Says of every meter that it is of that model.
pub(super) fn of_model(world: &mut World, model: &str) {
    let driver = Registry::embedded().driver(model).unwrap().clone();
    for meter in &mut world.engine.meters {
        meter.driver = Some(driver.clone());
    }
}

/// A source names the place of InF for its model, but this one has none.
#[test]
fn a_meter_without_inf_is_kept_open_by_presses() {
    let locked = SimMeter { locked: true, offers_inf: false, ..SimMeter::default() };
    let mut world = World::new(vec![locked, SimMeter::default()]).with_pins();
    of_model(&mut world, "MB310");
    world.run(s(6 * 3600));
    assert_eq!((world.slots(0).len(), world.slots(1).len()), (24, 24));
    let coarse = world
        .keeper
        .measurements
        .iter()
        .filter(|(m, _)| m.meter.as_u128() == 0 && m.data.len() == 1)
        .count();
    assert_eq!(coarse, 4, "three until it is unlocked, one that shows how long that lasts");
    for (m, slot) in &world.keeper.measurements[2..] {
        let late = m.measured_at.duration_since(slot.start());
        assert!(late.as_millis() <= 1_700, "{late}");
    }
    assert!(!world.is_noted(0, CODES));
    let meter = &world.heads.meters[0];
    assert_eq!((meter.unlocks, meter.inf_presses), (2, 1), "what did not help is not done again");
    assert!(meter.presses > 170, "{}", meter.presses);
}

/// No source names the place of InF for its model: nothing is switched, and a list that turns out to
/// last needs no presses.
#[test]
fn a_meter_whose_detail_lasts_by_itself_is_left_alone() {
    let locked = SimMeter { locked: true, ..SimMeter::default() };
    let mut world = World::new(vec![locked]).with_pins();
    world.run(s(6 * 3600));
    let meter = &world.heads.meters[0];
    assert_eq!(meter.unlocks, 1);
    let pressed = meter.presses;
    // A process that begins anew finds the details without a press of its own.
    world.restart(s(300));
    world.run(s(6 * 3600));
    let meter = &world.heads.meters[0];
    assert_eq!((meter.unlocks, meter.presses), (1, pressed));
}

#[test]
fn a_model_that_wants_its_pin_before_each_reading_gets_it() {
    let locked = SimMeter { locked: true, offers_inf: false, ..SimMeter::default() };
    let mut world = World::new(vec![locked, SimMeter::default()]).with_pins();
    let mut profile = crate::profile::Profiles::embedded().get("MT175").unwrap().clone();
    profile.relock.as_mut().unwrap().behaviour = crate::profile::RelockBehaviour::PerReading;
    world.engine.meters[0].driver = Some(Arc::new(ProfileDriver::new(profile)));
    world.run(s(6 * 3600));
    assert_eq!((world.slots(0).len(), world.slots(1).len()), (24, 24));
    let coarse = world.keeper.measurements.iter().filter(|(m, _)| m.data.len() == 1).count();
    assert_eq!(coarse, 4, "three until it is unlocked, and the one behind it");
    for (m, slot) in &world.keeper.measurements[2..] {
        let late = m.measured_at.duration_since(slot.start());
        assert!(late.as_millis() <= 1_700, "{late}");
    }
    assert!(!world.is_noted(0, CODES));
    let unlocks = world.heads.meters[0].unlocks;
    assert!((20..=22).contains(&unlocks), "{unlocks}");
}

#[test]
fn a_wrong_pin_or_none_is_an_incident() {
    for with_pin in [true, false] {
        let locked = SimMeter { locked: true, pin_is_right: false, ..SimMeter::default() };
        let mut world = World::new(vec![locked]);
        if with_pin {
            world = world.with_pins();
        }
        world.run(s(1500));
        assert!(!world.is_noted(0, CODES));
        world.run(s(3 * 3600));
        assert!(world.is_noted(0, CODES));
        let unlocks = world.heads.meters[0].unlocks;
        assert!(if with_pin { (3..=4).contains(&unlocks) } else { unlocks == 0 }, "{unlocks}");
        assert_eq!(world.slots(0).len(), 14, "what it shows is kept");
        // Its owner unlocks it by hand.
        world.heads.meters[0].locked = false;
        world.run(s(900));
        assert!(!world.is_noted(0, CODES));
    }
}

#[test]
fn a_model_that_wants_presses_gets_them() {
    let locked = SimMeter { locked: true, offers_inf: false, ..SimMeter::default() };
    let mut world = World::with(vec![locked], Options::SURVEY, None).with_pins();
    let mut profile = crate::profile::Profiles::embedded().get("MT175").unwrap().clone();
    let relock = profile.relock.as_mut().unwrap();
    relock.behaviour = crate::profile::RelockBehaviour::KeepAlive;
    relock.keep_alive_s = Some(100);
    world.engine.meters[0].driver = Some(Arc::new(ProfileDriver::new(profile)));
    world.run(s(6 * 3600));
    let meter = &world.heads.meters[0];
    assert_eq!((meter.unlocks, world.slots(0).len()), (1, 24));
    assert!(meter.presses > 180, "{}", meter.presses);
    let coarse = world.keeper.measurements.iter().filter(|(m, _)| m.data.len() == 1).count();
    assert_eq!(coarse, 3);
}
