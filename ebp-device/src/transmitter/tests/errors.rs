//! Groups of errors in a device's status, for a server that knows them and for one that does not.

use std::sync::{Arc, Mutex};

use ebp_core::contract::ReportedErrorGroup;

use super::{
    engine::{engine, run},
    world::World,
    *,
};
use crate::error_source::ErrorSource;

#[test]
fn groups_of_errors_are_told_when_there_is_another_one() {
    let (world, dir) = (World::new(), folder());
    let spool = Spool::open(dir.path()).unwrap();
    let groups = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&groups);
    let source = ErrorSource::new(move || told.lock().unwrap().clone());
    let mut engine = engine(&spool).with_errors(source);
    let group = |number: u32, count| ReportedErrorGroup {
        fingerprint: format!("{number:012x}"),
        component: "sending".to_owned(),
        types: vec!["SpoolError::Full".to_owned()],
        place: "unknown".to_owned(),
        count,
        first_seen: world.clock.truth(),
        last_seen: world.clock.truth(),
    };
    let mut hours = |hours: u32, expected: usize| {
        run(&world, &spool, &mut engine, hours * 60, |_| {});
        assert_eq!(world.statuses.borrow().len(), expected);
        world.statuses.borrow().last().unwrap().errors.len()
    };
    assert_eq!(hours(3, 2), 0);
    *groups.lock().unwrap() = vec![group(1, 1)];
    assert_eq!(hours(2, 3), 1);
    // That one occurs again is told the next time that something else is.
    *groups.lock().unwrap() = vec![group(1, 8)];
    assert_eq!(hours(4, 3), 1);
    *groups.lock().unwrap() = (1..=30).map(|number| group(number, 9)).collect();
    assert_eq!(hours(2, 4), 20, "no more than a server takes");

    // A server of a release before takes the rest of it, and is not asked twice each time.
    world.knows_no_errors.replace(true);
    *groups.lock().unwrap() = vec![group(40, 1)];
    world.requests.borrow_mut().clear();
    assert_eq!(hours(6, 5), 0);
    let asked = world.requests.borrow().iter().filter(|(_, what)| *what == "status").count();
    assert_eq!(asked, 2);
}
