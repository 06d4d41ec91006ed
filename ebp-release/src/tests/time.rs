//! Clocks that are wrong: a board without a battery, a step, a time server that lies.

use jiff::SignedDuration;

use super::*;
use crate::Judged;

fn unknown() -> KnownTime {
    KnownTime { now: None, built: at("2026-01-01T00:00:00Z") }
}

#[test]
fn a_clock_that_is_not_known_judges_no_date_but_what_is_certain() {
    let mut world = World::new();
    let device = Device::new(&world);
    let targets = device.refresh(&world.files, unknown()).unwrap();
    assert_eq!(targets.dates(), Judged::Bound);
    // What had expired when the trusted timestamp was signed is refused without any clock.
    world.now = at("2026-11-01T00:00:00Z");
    world.next_timestamp();
    let error = device.refuse(&world.files, unknown());
    assert!(matches!(error, TrustError::Expired { role: RoleName::Timestamp, .. }), "{error}");
    // So is what had expired when the program was built.
    let built = KnownTime { now: None, built: at("2027-01-01T00:00:00Z") };
    let error = Device::new(&world).refuse(&world.files, built);
    assert!(matches!(error, TrustError::Expired { .. }), "{error}");
}

#[test]
fn a_clock_in_1970() {
    let world = World::new();
    let device = Device::new(&world);
    let targets = device.refresh(&world.files, clock("1970-01-01T00:00:17Z")).unwrap();
    assert_eq!(targets.dates(), Judged::Bound);
}

#[test]
fn a_clock_in_2040_refuses_and_leaves_no_trace() {
    let world = World::new();
    let device = Device::fresh(&world);
    let error = device.refuse(&world.files, clock("2040-01-01T00:00:00Z"));
    assert!(matches!(error, TrustError::Expired { role: RoleName::Root, .. }), "{error}");
    assert_eq!(device.refresh(&world.files, usual()).unwrap().dates(), Judged::Clock);
}

#[test]
fn a_clock_that_steps_back() {
    let mut world = World::new();
    let device = Device::fresh(&world);
    world.now = at("2026-12-03T12:00:00Z");
    world.next_timestamp();
    // It has seen a timestamp of the third; its clock is behind that.
    device.refresh(&world.files, clock("2026-12-03T12:00:00Z")).unwrap();
    let targets = device.refresh(&world.files, clock("2026-12-03T06:00:00Z")).unwrap();
    assert_eq!(targets.dates(), Judged::Behind(SignedDuration::from_hours(6)));
    let targets = device.refresh(&world.files, clock("2026-11-20T00:00:00Z")).unwrap();
    assert_eq!(targets.dates(), Judged::Bound);
}
