//! Measurement cycles over meters that answer, fail and crash.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::{
        Barrier, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use ebp_core::{clock::FixedClock, obis::ObisCode, quantity::Unit};
use proptest::prelude::*;

use super::*;
use crate::{
    readout::{Entry, Protocol, Value},
    session::ReadOptions,
};

type Failure = MeasureError<&'static str, Infallible>;

const NOON: &str = "2026-01-31T12:00:03Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn meter(number: u128) -> ConfiguredMeter {
    let port = PortName::StandardInput;
    ConfiguredMeter {
        uuid: Uuid::from_u128(number),
        model: None,
        port,
        options: ReadOptions::default(),
    }
}

fn readout(integrity: Integrity, codes: &[ObisCode]) -> Readout {
    let entry = |obis: &ObisCode| Entry {
        obis: *obis,
        value: Value::Integer(15),
        unit: Some(Unit::WATT),
        scaler: 0,
        status: None,
        time: None,
        corrected: None,
    };
    Readout {
        protocol: Protocol::Sml,
        server_id: None,
        manufacturer: None,
        meter_time: None,
        entries: codes.iter().map(entry).collect(),
        integrity,
        bytes: 300,
    }
}

fn good() -> Readout {
    readout(Integrity::Ok, &[ObisCode::SUM_POWER, ObisCode::SERVER_ID])
}

fn measure(
    meters: &[ConfiguredMeter],
    clock: &dyn Clock,
    read: impl Fn(&ConfiguredMeter) -> Result<Readout, &'static str> + Sync,
) -> Vec<(Uuid, Result<Outcome, Failure>)> {
    measure_all(meters, Cycle::QUARTER_HOUR, clock, |_, _| Ok(false), read, |_, _| Ok(true))
}

#[test]
fn a_telegram_becomes_a_measurement_of_the_survey_alone() {
    let clock = FixedClock(at(NOON));
    let outcomes = measure(&[meter(1)], &clock, |_| Ok(good()));
    let (uuid, Ok(Outcome::Measured(measurement))) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!((*uuid, measurement.meter), (Uuid::from_u128(1), Uuid::from_u128(1)));
    assert_eq!(measurement.measured_at, clock.0);
    assert_eq!(measurement.uuid, measurement_id(*uuid, Cycle::QUARTER_HOUR.slot(clock.0)));
    assert_eq!(serde_json::to_string(&measurement.data).unwrap(), r#"[{"0100100700ff":0.015}]"#);
}

#[test]
fn meters_fail_each_for_itself() {
    let meters = [meter(1), meter(2), meter(3), meter(4), meter(5)];
    let read = |meter: &ConfiguredMeter| match meter.uuid.as_u128() {
        1 => Err("gone"),
        2 => Ok(readout(Integrity::Ok, &[ObisCode::SERVER_ID])),
        3 => panic!("a decoder's fault"),
        _ => Ok(good()),
    };
    let is_measured = |meter: Uuid, _| Ok::<_, &str>(meter.as_u128() == 4);
    let keep = |_: &Measurement, _| Err("full");
    let clock = FixedClock(at(NOON));
    let outcomes = measure_all(&meters, Cycle::QUARTER_HOUR, &clock, is_measured, read, keep);
    let uuids: Vec<u128> = outcomes.iter().map(|(uuid, _)| uuid.as_u128()).collect();
    assert_eq!(uuids, [1, 2, 3, 4, 5]);
    let outcomes: Vec<_> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(
        outcomes,
        [
            Err(MeasureError::Read("gone")),
            Err(MeasureError::NoSurveyValues),
            Err(MeasureError::Crashed),
            Ok(Outcome::AlreadyMeasured),
            Err(MeasureError::Keep("full")),
        ]
    );
}

#[test]
fn meters_are_read_at_the_same_time() {
    let meters: Vec<_> = (0..8).map(meter).collect();
    // None comes back before all have begun.
    let barrier = Barrier::new(meters.len());
    let outcomes = measure(&meters, &FixedClock(at(NOON)), |_| {
        barrier.wait();
        Ok(good())
    });
    assert!(outcomes.iter().all(|(_, outcome)| matches!(outcome, Ok(Outcome::Measured(_)))));
}

#[test]
fn a_measurement_is_kept_before_the_slowest_meter_has_answered() {
    let (kept, wait) = mpsc::channel();
    let wait = Mutex::new(wait);
    let read = |meter: &ConfiguredMeter| {
        if meter.uuid.as_u128() == 1 {
            wait.lock().unwrap().recv().map_err(|_| "nothing was kept meanwhile")?;
        }
        Ok::<_, &str>(good())
    };
    let keep = |measurement: &Measurement, _| {
        let _ = kept.send(measurement.meter);
        Ok::<_, Infallible>(true)
    };
    let meters = [meter(1), meter(2)];
    let clock = FixedClock(at(NOON));
    let outcomes = measure_all(&meters, Cycle::QUARTER_HOUR, &clock, |_, _| Ok(false), read, keep);
    assert!(outcomes.iter().all(|(_, outcome)| outcome.is_ok()), "{outcomes:?}");
}

/// A clock that tests move.
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

#[test]
fn a_reading_that_crosses_into_the_next_slot_is_the_next_slots() {
    let start = at("2026-01-31T12:14:59Z").as_second();
    let clock = Hand(AtomicI64::new(start));
    let slots = RefCell::new(Vec::new());
    let read = |_: &ConfiguredMeter| {
        clock.0.fetch_add(3, Ordering::SeqCst);
        Ok::<_, Infallible>(good())
    };
    let is_measured = |_, slot: Slot| {
        slots.borrow_mut().push(slot.start());
        Ok::<_, Infallible>(false)
    };
    let keep = |measurement: &Measurement, slot: Slot| {
        assert_eq!(measurement.uuid, measurement_id(measurement.meter, slot));
        slots.borrow_mut().push(slot.start());
        Ok(true)
    };
    measure_all(&[meter(1)], Cycle::QUARTER_HOUR, &clock, is_measured, read, keep);
    assert_eq!(*slots.borrow(), [at("2026-01-31T12:00:00Z"), at("2026-01-31T12:15:00Z")]);
}

#[test]
fn a_whole_telegram_is_preferred_and_a_salvaged_one_taken_at_last() {
    let empty = || readout(Integrity::Ok, &[]);
    let salvaged = || readout(Integrity::Salvaged, &[ObisCode::SUM_POWER]);
    let fuller = || readout(Integrity::Salvaged, &ObisCode::SURVEY);
    assert_eq!(Choice::default().into_best(), None);

    let mut choice = Choice::default();
    for readout in [empty(), salvaged(), fuller(), empty(), salvaged()] {
        assert!(!choice.offer(readout));
    }
    assert_eq!(choice.best, Some(fuller()));
    assert!(choice.offer(good()));
    assert_eq!(choice.into_best(), Some(good()));

    let unchecked = readout(Integrity::Unchecked, &[ObisCode::POSITIVE_ENERGY]);
    assert!(Choice::default().offer(unchecked));
}

proptest! {
    /// Cycles at any time, with meters that fail as they please, and a process that forgets all
    /// but what was kept: never two measurements of a meter in a slot, never a reading too many.
    #[test]
    fn once_in_a_slot(cycles in prop::collection::vec((0..1200_i64, 0..8_u8), 1..40)) {
        let meters = [meter(0), meter(1), meter(2)];
        let clock = Hand(AtomicI64::new(0));
        let kept = RefCell::new(BTreeSet::new());
        let mut good_cycles: BTreeMap<(u128, i64), usize> = BTreeMap::new();
        for (wait, failing) in cycles {
            clock.0.fetch_add(wait, Ordering::SeqCst);
            let slot = Cycle::QUARTER_HOUR.slot(clock.now());
            let reads = AtomicUsize::new(0);
            let before = kept.borrow().len();
            let read = |meter: &ConfiguredMeter| {
                reads.fetch_add(1, Ordering::SeqCst);
                if failing & (1 << meter.uuid.as_u128()) == 0 { Ok(good()) } else { Err("gone") }
            };
            let is_measured =
                |meter: Uuid, slot: Slot| Ok(kept.borrow().contains(&(meter, slot.key())));
            let keep = |m: &Measurement, slot: Slot| {
                assert!(kept.borrow_mut().insert((m.meter, slot.key())), "twice");
                Ok::<_, Infallible>(true)
            };
            let due = meters.iter().filter(|m| !kept.borrow().contains(&(m.uuid, slot.key()))).count();
            let outcomes =
                measure_all(&meters, Cycle::QUARTER_HOUR, &clock, is_measured, read, keep);
            prop_assert_eq!(reads.into_inner(), due);
            let measured =
                outcomes.iter().filter(|(_, o)| matches!(o, Ok(Outcome::Measured(_)))).count();
            prop_assert_eq!(kept.borrow().len() - before, measured);
            for meter in 0..3 {
                if failing & (1 << meter) == 0 {
                    *good_cycles.entry((meter, slot.key())).or_default() += 1;
                }
            }
        }
        let expected: BTreeSet<_> =
            good_cycles.keys().map(|(meter, slot)| (Uuid::from_u128(*meter), *slot)).collect();
        prop_assert_eq!(kept.into_inner(), expected);
    }
}
