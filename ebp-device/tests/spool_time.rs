//! Whatever happens to a device's clock: what it stores has the true time, or none.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

use std::{collections::BTreeSet, time::Duration};

use ebp_core::{
    clock::{Clock, DeviceClock, SimulatedClock},
    cycle::Cycle,
    model::{DataPoint, Flag, Measurement, measurement_id},
    obis::ObisCode,
};
use ebp_device::spool::{Spool, Unplaced};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

const CYCLE: Cycle = Cycle::QUARTER_HOUR;
const METER: Uuid = Uuid::from_u128(1);

/// What happens to the device.
#[derive(Debug, Clone)]
enum Event {
    /// Nothing, for so many minutes.
    Time(u64),
    /// No power for so many seconds; then the clock shows a time so many hours away.
    Restart(u64, i64),
    /// A person or a program sets a clock that nobody trusts.
    Step(i64),
    Synchronise,
    LoseSynchronisation,
    /// The process ends and starts again.
    Reopen,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (1..180_u64).prop_map(Event::Time),
        2 => (1..20_000_u64, -100_000..1_000_i64).prop_map(|(off, away)| Event::Restart(off, away)),
        1 => (-100_000..100_000_i64).prop_map(Event::Step),
        3 => Just(Event::Synchronise),
        1 => Just(Event::LoseSynchronisation),
        1 => Just(Event::Reopen),
    ]
}

/// The true time, as the meter shows it.
fn shown(clock: &SimulatedClock) -> Vec<DataPoint> {
    let value = rust_decimal::Decimal::new(clock.truth().as_millisecond(), 3);
    vec![DataPoint { obis: ObisCode::POSITIVE_ENERGY, value }]
}

fn truth_of(measurement: &Measurement) -> Timestamp {
    let millis = (measurement.data[0].value * rust_decimal::Decimal::ONE_THOUSAND).to_string();
    Timestamp::from_millisecond(millis.split('.').next().unwrap().parse().unwrap()).unwrap()
}

/// One look of the device at its meter; whether it measured.
fn look(spool: &Spool, clock: &SimulatedClock, has_seconds: bool, surplus: &mut u64) -> bool {
    // The meter counts from a day in 2020 on.
    let seconds = has_seconds.then(|| (clock.truth().as_second() - 1_580_000_000) as u32);
    if spool.knows_the_time(clock).unwrap() {
        *surplus += spool.place(&clock.moment(), CYCLE).unwrap().surplus;
        let slot = CYCLE.slot(clock.now());
        if spool.has_slot(METER, slot).unwrap() {
            return false;
        }
        let measurement = Measurement {
            uuid: measurement_id(METER, slot),
            meter: METER,
            measured_at: clock.now(),
            data: shown(clock),
            flags: Vec::new(),
        };
        spool.store_with(&measurement, slot, seconds).unwrap();
        return true;
    }
    let (boot, monotonic) = (clock.boot(), clock.since_boot());
    if spool.has_unplaced(METER, boot, monotonic, CYCLE).unwrap() {
        return false;
    }
    let unplaced = Unplaced {
        boot,
        monotonic,
        meter_seconds: seconds,
        meter: METER,
        data: shown(clock),
        flags: Vec::new(),
    };
    spool.store_unplaced(&unplaced, CYCLE).unwrap();
    true
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_is_stored_has_the_true_time_or_none(
        events in prop::collection::vec(event(), 1..40),
        has_seconds: bool,
        drift in -50..50_i32,
        // Around a change to summer time and a year's end, where leap seconds were.
        start in prop::sample::select(vec!["2026-03-28T20:00:00Z", "2016-12-31T18:00:00Z"]),
    ) {
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let mut spool = Spool::open(dir.path())?;
        let start: Timestamp = start.parse()?;
        let clock = SimulatedClock::new(start.max("2020-02-01T00:00:00Z".parse()?));
        clock.set_drift(drift);
        let (mut measured, mut surplus) = (0, 0);
        let end = [Event::Time(31), Event::Synchronise, Event::Time(31)];
        for event in events.into_iter().chain(end) {
            match event {
                Event::Time(minutes) => {
                    for _ in 0..minutes {
                        clock.advance(Duration::from_secs(60));
                        measured += u64::from(look(&spool, &clock, has_seconds, &mut surplus));
                    }
                }
                Event::Restart(off, away) => {
                    let shown = clock.now() + SignedDuration::from_hours(away);
                    clock.restart(Duration::from_secs(off), shown);
                }
                Event::Step(hours) => {
                    if !spool.knows_the_time(&clock)? {
                        clock.step(SignedDuration::from_hours(hours));
                    }
                }
                Event::Synchronise => clock.synchronise(),
                Event::LoseSynchronisation => clock.lose_synchronisation(),
                Event::Reopen => spool = Spool::open(dir.path())?,
            }
        }
        let pending = spool.pending(100_000)?;
        let kept = spool.unplaced()?;
        let there = pending.len() as u64 + kept.len() as u64;
        prop_assert_eq!(there + surplus, measured, "lost or doubled");
        let mut slots = BTreeSet::new();
        for measurement in &pending {
            let slot = CYCLE.slot(measurement.measured_at);
            prop_assert!(slots.insert(slot.key()), "a slot twice");
            prop_assert_eq!(measurement.uuid, measurement_id(METER, slot));
            let off = measurement.measured_at.duration_since(truth_of(measurement)).abs();
            // A quartz drifts by two seconds in twelve hours; beyond that a row says how far it is off.
            let bound = measurement.flags.iter().find_map(|flag| flag.time_bound());
            let most = match bound {
                Some(bound) => SignedDuration::try_from(bound)? + SignedDuration::from_secs(3),
                None if measurement.flags.is_empty() => SignedDuration::from_secs(10),
                None => SignedDuration::from_secs(3),
            };
            prop_assert!(off < most, "{} s off of {}", off.as_secs_f64(), most.as_secs());
            match measurement.flags[..] {
                [] | [Flag::ClockCorrected] => {}
                [Flag::ClockCorrected, bound] => prop_assert!(bound.time_bound().is_some()),
                _ => prop_assert!(false, "{:?}", measurement.flags),
            }
        }
    }
}
