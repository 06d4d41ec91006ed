//! The report cycle through weeks of simulated time, against a server that fails in every way.

use std::time::Duration;

use jiff::SignedDuration;

use super::{
    world::{KIND, Weather, World, weather},
    *,
};
use ebp_core::clock::{Clock, SimulatedClock};

use crate::spool::{FILE_NAME, SpoolError};

const METER: Uuid = Uuid::from_u128(3);

pub(super) fn engine(spool: &Spool) -> ReportEngine {
    let schedule = Schedule::for_device(Uuid::from_u128(42), Cycle::HOUR);
    ReportEngine::new(schedule, vec![METER], spool).unwrap()
}

fn measure(spool: &Spool, clock: &SimulatedClock) -> Option<Measurement> {
    let slot = Cycle::QUARTER_HOUR.slot(clock.truth());
    if spool.has_slot(METER, slot).unwrap() {
        return None;
    }
    let data = vec![DataPoint { obis: ObisCode::POSITIVE_ENERGY, value: slot.key().into() }];
    let measurement = Measurement {
        uuid: measurement_id(METER, slot),
        meter: METER,
        measured_at: clock.truth(),
        data,
        flags: Vec::new(),
    };
    let stored = spool.store(&measurement, slot).unwrap() == Stored::Stored;
    stored.then_some(measurement)
}

/// Runs the device for that long, minute by minute; `each` sees the outcome of each step. Nothing is
/// measured that the server dislikes.
pub(super) fn run(
    world: &World,
    spool: &Spool,
    engine: &mut ReportEngine,
    minutes: u32,
    mut each: impl FnMut(&ReportOutcome),
) {
    for minute in 0..minutes {
        if !is_disliked(measurement_id(METER, Cycle::QUARTER_HOUR.slot(world.clock.truth()))) {
            measure(spool, &world.clock);
        }
        let random = minute.wrapping_mul(2_654_435_761);
        each(&engine.step(spool, world, &world.clock, random).unwrap());
        world.clock.advance(Duration::from_secs(60));
    }
}

#[test]
fn in_fair_weather_each_hour_has_one_report_at_the_devices_own_minute() {
    let (world, dir) = (World::new(), folder());
    let spool = Spool::open(dir.path()).unwrap();
    spool.note_component("transmitter", "0.1.0").unwrap();
    let mut engine = engine(&spool);
    let mut reports = 0;
    run(&world, &spool, &mut engine, 24 * 60, |outcome| match outcome {
        ReportOutcome::Reported(_) => reports += 1,
        other => assert!(matches!(other, ReportOutcome::NotDue), "{other:?}"),
    });
    // The first is at once; the second comes when the device's own cycle begins.
    assert_eq!(reports, 25);
    let requests = world.requests.borrow();
    let times = |what| requests.iter().filter(move |(_, asked)| *asked == what).map(|(at, _)| *at);
    assert_eq!((times("consent").count(), times("incidents").count()), (25, 1));
    // The second report has no measurement to send, so that it is a status.
    assert_eq!(times("status").count(), 2);
    let minute = |at: Timestamp| at.as_second() / 60 % 60;
    let own = minute(times("consent").nth(1).unwrap());
    assert!(times("consent").skip(1).all(|at| minute(at) == own) && own != 0);
    let status = &world.statuses.borrow()[0];
    assert_eq!(status.components["transmitter"], "0.1.0");
}

#[test]
fn a_status_is_told_when_it_changes_and_once_a_day() {
    let (world, dir) = (World::new(), folder());
    let spool = Spool::open(dir.path()).unwrap();
    let mut engine = engine(&spool);
    let mut day = |hours: u32, expected: usize| {
        run(&world, &spool, &mut engine, hours * 60, |_| {});
        assert_eq!(world.statuses.borrow().len(), expected);
    };
    // Nothing was measured between the first two reports.
    day(20, 2);
    day(10, 3);
    spool.note_component("reader", "0.2.0").unwrap();
    day(2, 4);
    spool.note(ebp_core::contract::Notice::SpoolSetAside, "").unwrap();
    spool.note_telegrams(METER, 10, 2);
    // Of a meter that was exchanged the server would take nothing.
    let exchanged = Uuid::from_u128(99);
    spool.note_telegrams(exchanged, 5, 0);
    day(3, 5);
    let last = world.statuses.borrow().last().unwrap().clone();
    assert_eq!(last.notices, [ebp_core::contract::Notice::SpoolSetAside]);
    assert_eq!((last.meters[0].telegrams, last.meters[0].damaged), (12, 2));
    assert!(spool.notices().unwrap().is_empty());
    let left: Vec<_> = spool.telegrams().unwrap().into_iter().map(|(meter, _)| meter).collect();
    assert_eq!((last.meters.len(), left), (1, vec![exchanged]));
    world.clock.lose_synchronisation();
    day(2, 6);
    day(20, 6);
}

#[test]
fn a_cycle_without_measurements_is_reported_by_a_status() {
    let (world, dir) = (World::new(), folder());
    let spool = Spool::open(dir.path()).unwrap();
    let mut engine = engine(&spool);
    for minute in 0..10 * 60 {
        engine.step(&spool, &world, &world.clock, minute).unwrap();
        world.clock.advance(Duration::from_secs(60));
    }
    // Each hour, and the first one at once.
    assert_eq!(world.statuses.borrow().len(), 11);
}

#[test]
fn after_an_outage_it_reports_at_once_and_was_polite_meanwhile() {
    let (world, dir) = (World::new(), folder());
    let spool = Spool::open(dir.path()).unwrap();
    let mut engine = engine(&spool);
    run(&world, &spool, &mut engine, 120, |_| {});
    world.requests.borrow_mut().clear();
    world.weather.replace(Weather::Down);
    run(&world, &spool, &mut engine, 3 * 24 * 60, |_| {});
    let asked = world.requests.borrow().len();
    // Ten minutes apart at most, five at least, once it has been down for some time.
    assert!((3 * 24 * 6..3 * 24 * 12).contains(&asked), "{asked} requests in three days");
    world.weather.replace(Weather::Fair);
    run(&world, &spool, &mut engine, 11, |_| {});
    assert!(spool.is_empty().unwrap());
    // The server asks for more than the device would wait by itself.
    world.weather.replace(Weather::Busy(5 * 3600));
    run(&world, &spool, &mut engine, 60, |_| {});
    assert!(engine.asked_to_wait(&world.clock).unwrap() > Duration::from_secs(4 * 3600));
    world.weather.replace(Weather::Fair);
    let before = world.requests.borrow().len();
    run(&world, &spool, &mut engine, 60, |outcome| {
        assert!(matches!(outcome, ReportOutcome::NotDue))
    });
    assert_eq!(world.requests.borrow().len(), before);
    run(&world, &spool, &mut engine, 5 * 60, |_| {});
    assert!(spool.is_empty().unwrap());
}

#[test]
fn a_clock_that_was_set_back_does_not_silence_the_device() {
    let (world, dir) = (World::new(), folder());
    let spool = Spool::open(dir.path()).unwrap();
    let mut engine = engine(&spool);
    for weather in [Weather::Fair, Weather::Down] {
        world.clock.step(SignedDuration::from_hours(24 * 365));
        world.weather.replace(weather);
        run(&world, &spool, &mut engine, 120, |_| {});
        world.clock.step(SignedDuration::from_hours(-24 * 365));
        world.weather.replace(Weather::Fair);
        let mut reports = 0;
        run(&world, &spool, &mut engine, 70, |outcome| {
            reports += usize::from(matches!(outcome, ReportOutcome::Reported(_)));
        });
        assert!(reports > 0 && reports <= 3, "{reports}");
    }
}

#[test]
fn trouble_is_told_once_and_its_end_too() {
    let (world, dir) = (World::new(), folder());
    let spool = Spool::open(dir.path()).unwrap();
    world.incident.replace(Some(true));
    let mut engine = engine(&spool);
    let count = |what| world.requests.borrow().iter().filter(|(_, asked)| *asked == what).count();
    let note = |present| spool.note_incident(METER, KIND, present, world.clock.truth()).unwrap();
    // The server holds it from before; the device sees it still.
    note(true);
    run(&world, &spool, &mut engine, 120, |_| {});
    assert_eq!((count("report"), count("resolve")), (0, 0));
    note(false);
    run(&world, &spool, &mut engine, 120, |_| {});
    assert_eq!((count("report"), count("resolve")), (0, 1));
    // It comes and goes while the server is down.
    world.weather.replace(Weather::Down);
    note(true);
    run(&world, &spool, &mut engine, 120, |_| {});
    note(false);
    run(&world, &spool, &mut engine, 120, |_| {});
    world.weather.replace(Weather::Fair);
    run(&world, &spool, &mut engine, 120, |_| {});
    assert_eq!((count("report"), count("resolve")), (1, 2));
    assert_eq!(*world.incident.borrow(), Some(false));
}

#[test]
fn a_revocation_ends_it_wherever_it_is_heard() {
    let (world, dir) = (World::new(), folder());
    let spool = Spool::open(dir.path()).unwrap();
    let mut engine = engine(&spool);
    run(&world, &spool, &mut engine, 30, |_| {});
    world.consent.replace(ConsentState::Revoked);
    let mut over = false;
    for _ in 0..61 {
        over = matches!(engine.step(&spool, &world, &world.clock, 0).unwrap(), ReportOutcome::Over);
        if over {
            break;
        }
        world.clock.advance(Duration::from_secs(60));
    }
    assert!(over && spool.is_revoked().unwrap() && spool.is_empty().unwrap());
    let before = world.requests.borrow().len();
    assert!(matches!(engine.report(&spool, &world, &world.clock, 0).unwrap(), ReportOutcome::Over));
    assert_eq!(world.requests.borrow().len(), before, "a revoked device stays silent");
}

/// The requests of two days with an outage, by one engine or by a new one in each minute.
fn requests(is_daemon: bool) -> Vec<(Timestamp, &'static str)> {
    let (world, dir) = (World::new(), folder());
    let mut spool = Spool::open(dir.path()).unwrap();
    let mut running = engine(&spool);
    for minute in 0..2 * 24 * 60 {
        world.weather.replace(match minute {
            300..700 => Weather::Down,
            900..905 => Weather::Busy(1800),
            1200..1300 => Weather::Half,
            _ => Weather::Fair,
        });
        if !is_daemon {
            spool = Spool::open(dir.path()).unwrap();
            running = engine(&spool);
        }
        run(&world, &spool, &mut running, 1, |_| {});
    }
    assert!(spool.len().unwrap() < 5);
    world.requests.take()
}

#[test]
fn a_daemon_and_a_timer_do_the_same() {
    assert_eq!(requests(true), requests(false));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Days of any weather, restarts at any minute, a clock that is set: not one measurement is
    /// lost, and not one comes twice (the server asserts that itself); Retry-After is kept to; what
    /// the server holds of a trouble is in the end what the device sees.
    #[test]
    fn whatever_the_weather_nothing_is_lost_and_nothing_doubled(
        spells in prop::collection::vec(
            (weather(), 1..240_u32, any::<bool>(), any::<bool>(), -3..4_i64), 1..40
        )
    ) {
        let (world, dir) = (World::new(), folder());
        let mut spool = Spool::open(dir.path())?;
        spool.remember_consent(ConsentState::Granted, world.clock.now())?;
        let mut running = engine(&spool);
        let mut taken = BTreeMap::new();
        let mut present = false;
        for (weather, minutes, restart, trouble, hours) in spells {
            world.weather.replace(weather);
            present = trouble;
            for _ in 0..minutes {
                if let Some(measurement) = measure(&spool, &world.clock) {
                    taken.insert(measurement.uuid, measurement);
                }
                spool.note_incident(METER, KIND, present, world.clock.now())?;
                running.step(&spool, &world, &world.clock, minutes.wrapping_mul(97_531_357))?;
                world.clock.advance(Duration::from_secs(60));
            }
            if restart {
                let shown = world.clock.now();
                world.clock.restart(Duration::from_secs(1), shown);
                spool = Spool::open(dir.path())?;
                running = engine(&spool);
            } else {
                world.clock.step(SignedDuration::from_hours(hours));
                running.step(&spool, &world, &world.clock, 1)?;
                world.clock.synchronise();
            }
        }
        world.weather.replace(Weather::Fair);
        run(&world, &spool, &mut running, 4 * 60, |_| {});
        let mut everywhere = world.server.stored.borrow().clone();
        for refused in spool.refused()? {
            prop_assert!(everywhere.insert(refused.measurement.uuid, refused.measurement).is_none());
        }
        for waiting in spool.pending(1000)? {
            everywhere.insert(waiting.uuid, waiting);
        }
        for (uuid, measurement) in &taken {
            prop_assert_eq!(everywhere.get(uuid), Some(measurement), "lost or changed");
        }
        prop_assert!(spool.len()? < 5, "{} remain", spool.len()?);
        prop_assert_eq!(world.incident.borrow().unwrap_or(false), present);
    }
}

/// Another process made a new spool in the place of this one, and measured into it.
#[test]
fn a_report_from_a_spool_that_is_gone_is_due_again() {
    let (world, dir) = (World::new(), folder());
    let mut spool = Spool::open(dir.path()).unwrap();
    let mut engine = engine(&spool);
    run(&world, &spool, &mut engine, 1, |_| {});
    world.clock.advance(engine.due_in(&world.clock).max(Duration::from_secs(3600)));
    for ending in ["", "-wal", "-shm"] {
        std::fs::remove_file(dir.path().join(format!("{FILE_NAME}{ending}"))).unwrap();
    }
    let other = Spool::open(dir.path()).unwrap();
    measure(&other, &world.clock).unwrap();
    let failed = engine.report(&spool, &world, &world.clock, 1).unwrap_err();
    assert!(matches!(failed, SpoolError::Replaced { .. }), "{failed}");
    assert_eq!(engine.due_in(&world.clock), Duration::ZERO);
    spool.reopen().unwrap();
    let outcome = engine.report(&spool, &world, &world.clock, 1).unwrap();
    let ReportOutcome::Reported(Reported { measurements, .. }) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!((measurements.accepted, measurements.remaining), (1, 0));
}

/// An update is proven by a report with its version in it, so that this comes at once.
#[test]
fn another_version_reports_at_once_and_its_report_is_remembered() {
    let (world, dir) = (World::new(), folder());
    let spool = Spool::open(dir.path()).unwrap();
    assert_eq!(acknowledged(&spool).unwrap(), None);
    spool.note_component("transmitter", "0.1.0").unwrap();
    let mut old = engine(&spool);
    run(&world, &spool, &mut old, 90, |_| {});
    let first = acknowledged(&spool).unwrap().unwrap();
    assert_eq!(first.version, "0.1.0");
    // The same version again has nothing new to say.
    assert!(!engine(&spool).due_in(&world.clock).is_zero());

    spool.note_component("transmitter", "0.2.0").unwrap();
    let mut new = engine(&spool);
    assert!(new.due_in(&world.clock).is_zero());
    assert_eq!(acknowledged(&spool).unwrap(), Some(first));
    let mut reports = 0;
    run(&world, &spool, &mut new, 2, |outcome| {
        reports += i32::from(matches!(outcome, ReportOutcome::Reported(_)));
    });
    assert_eq!(reports, 1);
    let second = acknowledged(&spool).unwrap().unwrap();
    assert_eq!(second.version, "0.2.0");
    // Measurements that are acknowledged later are reports of that version, too.
    run(&world, &spool, &mut new, 61, |_| {});
    let third = acknowledged(&spool).unwrap().unwrap();
    assert!(third.version == "0.2.0" && third.at > second.at);
    assert_eq!(world.statuses.borrow().last().unwrap().components["transmitter"], "0.2.0");
}
