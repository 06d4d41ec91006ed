//! Measurements that were taken while the clock was wrong.

use std::time::Duration;

use super::*;
use ebp_core::{
    clock::{BootId, Clock, DeviceClock, SimulatedClock},
    model::Flag,
};

const CYCLE: Cycle = Cycle::QUARTER_HOUR;

fn taken(clock: &SimulatedClock, meter_seconds: Option<u32>) -> Unplaced {
    Unplaced {
        boot: clock.boot(),
        monotonic: clock.since_boot(),
        meter_seconds,
        meter: METER,
        data: measurement(slot("2026-01-31T12:00:00Z")).data,
        flags: vec![Flag::PowerOutOfRange],
    }
}

/// Measures as a device does that knows the time.
fn measure(spool: &Spool, clock: &SimulatedClock, meter_seconds: Option<u32>) -> Stored {
    let slot = CYCLE.slot(clock.now());
    let measurement = Measurement { measured_at: clock.now(), ..measurement(slot) };
    spool.store_with(&measurement, slot, meter_seconds).unwrap()
}

const MINUTES: fn(u64) -> Duration = |minutes| Duration::from_secs(60 * minutes);

#[test]
fn the_same_run_sets_them_right_to_the_microsecond() {
    let (dir, spool) = spool();
    let clock = SimulatedClock::new(at("2026-01-31T12:00:00Z"));
    clock.restart(MINUTES(61), Timestamp::UNIX_EPOCH);
    clock.advance(Duration::from_micros(1_234_567));
    let truth = clock.truth();
    assert!(!spool.knows_the_time(&clock).unwrap());
    assert_eq!(spool.store_unplaced(&taken(&clock, None), CYCLE).unwrap(), Stored::Stored);
    clock.advance(MINUTES(1));
    let again = spool.store_unplaced(&taken(&clock, None), CYCLE).unwrap();
    assert_eq!(again, Stored::AlreadyMeasured);
    assert!(spool.has_unplaced(METER, clock.boot(), clock.since_boot(), CYCLE).unwrap());
    assert!(!spool.has_unplaced(METER, clock.boot(), MINUTES(15), CYCLE).unwrap());
    assert_eq!((spool.unplaced_len().unwrap(), spool.len().unwrap()), (1, 0));
    clock.step(jiff::SignedDuration::from_hours(5));
    clock.synchronise();
    clock.advance(MINUTES(1));
    drop(spool);
    let spool = Spool::open(dir.path()).unwrap();
    assert!(spool.knows_the_time(&clock).unwrap());
    let placed = spool.place(&clock.moment(), CYCLE).unwrap();
    assert_eq!(placed, Placed { placed: 1, ..Placed::default() });
    let pending = spool.pending(10).unwrap();
    assert_eq!(pending[0].measured_at, truth);
    assert_eq!(pending[0].uuid, measurement_id(METER, CYCLE.slot(truth)));
    assert_eq!(pending[0].flags, [Flag::PowerOutOfRange, Flag::ClockCorrected]);
    assert!(spool.has_slot(METER, CYCLE.slot(truth)).unwrap());
    assert_eq!(spool.unplaced_len().unwrap(), 0);
    assert_eq!(spool.place(&clock.moment(), CYCLE).unwrap(), Placed::default());
    assert_eq!(spool.last_reading(METER).unwrap().unwrap().measured_at, truth);
    // The network is gone again: the clock goes on well enough.
    clock.lose_synchronisation();
    assert!(spool.knows_the_time(&clock).unwrap());
    clock.restart(MINUTES(1), Timestamp::UNIX_EPOCH);
    assert!(!spool.knows_the_time(&clock).unwrap());
}

#[test]
fn a_slot_that_has_a_measurement_keeps_it() {
    let (_dir, spool) = spool();
    let clock = SimulatedClock::new(at("2026-01-31T12:00:00Z"));
    measure(&spool, &clock, None);
    let first = spool.pending(10).unwrap();
    clock.restart(MINUTES(2), Timestamp::UNIX_EPOCH);
    spool.store_unplaced(&taken(&clock, None), CYCLE).unwrap();
    clock.synchronise();
    let placed = spool.place(&clock.moment(), CYCLE).unwrap();
    assert_eq!(placed, Placed { surplus: 1, ..Placed::default() });
    assert_eq!(spool.pending(10).unwrap(), first);
    assert!(spool.unplaced().unwrap().is_empty(), "it is of no use to anybody");
}

/// Two measurements around a run that ended before its clock was synchronised; the meter's seconds
/// are those of the three.
fn across(before: Option<u32>, between: Option<u32>, after: u32) -> (Spool, Timestamp, Placed) {
    let (dir, spool) = spool();
    let clock = SimulatedClock::new(at("2026-01-31T12:00:00Z"));
    if let Some(seconds) = before {
        measure(&spool, &clock, Some(seconds));
    }
    clock.restart(MINUTES(60), Timestamp::UNIX_EPOCH);
    clock.advance(MINUTES(1));
    let truth = clock.truth();
    spool.store_unplaced(&taken(&clock, between), CYCLE).unwrap();
    clock.restart(MINUTES(30), Timestamp::UNIX_EPOCH);
    clock.advance(MINUTES(1));
    clock.synchronise();
    let unknown = spool.place(&clock.moment(), CYCLE).unwrap();
    assert_eq!(unknown.placed, 0);
    measure(&spool, &clock, Some(after));
    let placed = spool.place(&clock.moment(), CYCLE).unwrap();
    drop(dir);
    (spool, truth, Placed { apart: unknown.apart + placed.apart, ..placed })
}

#[test]
fn the_meters_own_time_places_what_an_earlier_run_measured() {
    // 12:00, 13:01 and 13:32.
    let (spool, truth, placed) = across(Some(100_000), Some(103_660), 105_520);
    assert_eq!(placed, Placed { placed: 1, ..Placed::default() });
    is_within_its_bound(&spool, truth);
}

/// One measurement has its time from the meter's seconds, and that is as close as its flag says.
fn is_within_its_bound(spool: &Spool, truth: Timestamp) {
    let mut corrected = spool.pending(1000).unwrap().into_iter();
    let bound = |m: &Measurement| m.flags.iter().find_map(|flag| flag.time_bound());
    let corrected = corrected.find(|m| bound(m).is_some()).unwrap();
    let bound = bound(&corrected).unwrap();
    let off = corrected.measured_at.duration_since(truth).unsigned_abs();
    assert!(off <= bound, "{off:?} off, {:?}", corrected.flags);
    assert!(corrected.flags.contains(&Flag::ClockCorrected), "{:?}", corrected.flags);
}

#[test]
fn a_meters_power_cut_behind_the_nearest_reading_moves_nothing() {
    let (_dir, spool) = spool();
    let clock = SimulatedClock::new(at("2026-01-31T12:00:00Z"));
    let seconds =
        |clock: &SimulatedClock| u32::try_from(clock.truth().as_second() - 1_700_000_000).unwrap();
    measure(&spool, &clock, Some(seconds(&clock)));
    clock.restart(MINUTES(20 * 60), Timestamp::UNIX_EPOCH);
    clock.advance(MINUTES(1));
    let truth = clock.truth();
    spool.store_unplaced(&taken(&clock, Some(seconds(&clock))), CYCLE).unwrap();
    clock.restart(MINUTES(30), Timestamp::UNIX_EPOCH);
    clock.advance(MINUTES(1));
    spool.store_unplaced(&taken(&clock, Some(seconds(&clock))), CYCLE).unwrap();
    // The clock is right only a day later, and the meter was without power for ten seconds meanwhile.
    clock.advance(MINUTES(23 * 60));
    spool.store_unplaced(&taken(&clock, Some(seconds(&clock) - 10)), CYCLE).unwrap();
    clock.advance(MINUTES(20));
    clock.synchronise();
    measure(&spool, &clock, Some(seconds(&clock) - 10));
    let placed = spool.place(&clock.moment(), CYCLE).unwrap();
    assert_eq!(placed, Placed { placed: 3, ..Placed::default() });
    is_within_its_bound(&spool, truth);
}

#[test]
fn a_run_has_one_time_of_its_start_for_all_meters() {
    let (_dir, spool) = spool();
    let clock = SimulatedClock::new(at("2026-01-31T12:00:00Z"));
    measure(&spool, &clock, Some(100_000));
    clock.restart(MINUTES(60), Timestamp::UNIX_EPOCH);
    clock.advance(MINUTES(1));
    spool.store_unplaced(&taken(&clock, Some(103_660)), CYCLE).unwrap();
    clock.advance(Duration::from_millis(18 * 60_000 + 250));
    // Another meter that tells no time, and a telegram of the first whose end was not heard.
    let other = Unplaced { meter: Uuid::from_u128(7), ..taken(&clock, None) };
    spool.store_unplaced(&other, CYCLE).unwrap();
    let flags = vec![Flag::TimeWithin5s];
    spool.store_unplaced(&Unplaced { flags, ..taken(&clock, None) }, CYCLE).unwrap();
    clock.restart(MINUTES(30), Timestamp::UNIX_EPOCH);
    clock.advance(MINUTES(1));
    clock.synchronise();
    let after = 100_000 + u32::try_from(clock.truth().as_second() - 1_769_860_800).unwrap();
    measure(&spool, &clock, Some(after));
    let placed = spool.place(&clock.moment(), CYCLE).unwrap();
    assert_eq!(placed, Placed { placed: 3, ..Placed::default() });
    let mut corrected = spool.pending(10).unwrap();
    corrected.retain(|m| m.flags.contains(&Flag::ClockCorrected));
    corrected.sort_by_key(|m| m.measured_at);
    let apart = corrected[1].measured_at.duration_since(corrected[0].measured_at);
    assert_eq!(apart, jiff::SignedDuration::from_millis(18 * 60_000 + 250), "to the microsecond");
    let flags: Vec<_> = corrected.iter().map(|m| m.flags.clone()).collect();
    let exact = vec![Flag::PowerOutOfRange, Flag::ClockCorrected, Flag::TimeWithin2s];
    let late = vec![Flag::ClockCorrected, Flag::TimeWithin15s];
    assert!(flags.contains(&late), "{flags:?}");
    assert_eq!(flags.iter().filter(|of| **of == exact).count(), 2, "{flags:?}");
}

#[test]
fn what_cannot_be_placed_for_sure_stays() {
    let cases = [
        (Some(100_000), None, 105_520, Apart::NoMeterTime),
        (None, Some(103_660), 105_520, Apart::NothingBefore),
        // Set back before, or after, or stood still while the grid was down.
        (Some(100_000), Some(30), 1_890, Apart::MeterTimeBroken),
        (Some(100_000), Some(103_660), 60, Apart::MeterTimeBroken),
        (Some(100_000), Some(101_660), 103_520, Apart::MeterTimeBroken),
        // Beyond what 32 bits count.
        (Some(u32::MAX - 10), Some(3_649), 5_509, Apart::MeterTimeBroken),
        // Not while that run lasted: this one had begun.
        (Some(100_000), Some(105_500), 105_520, Apart::Implausible),
    ];
    for (before, between, after, reason) in cases {
        let (spool, _, placed) = across(before, between, after);
        assert_eq!((placed.placed, placed.apart), (0, 1), "{reason:?}");
        let kept = spool.unplaced().unwrap();
        assert_eq!(kept[0].reason, Some(reason));
        assert_eq!(spool.unplaced_len().unwrap(), 1);
        assert!(spool.pending(10).unwrap().iter().all(|m| m.flags.is_empty()), "{reason:?}");
    }
}

#[test]
fn it_waits_for_a_measurement_of_known_time() {
    let (_dir, spool) = spool();
    let clock = SimulatedClock::new(at("2026-01-31T12:00:00Z"));
    measure(&spool, &clock, Some(7));
    let (boot, monotonic) = (BootId(Uuid::max()), MINUTES(1));
    let unplaced = Unplaced { boot, monotonic, ..taken(&clock, Some(8)) };
    spool.store_unplaced(&unplaced, CYCLE).unwrap();
    let placed = spool.place(&clock.moment(), CYCLE).unwrap();
    assert_eq!(placed, Placed { waiting: 1, ..Placed::default() });
    assert_eq!(spool.unplaced().unwrap(), [KeptUnplaced { unplaced, reason: None }]);
}
