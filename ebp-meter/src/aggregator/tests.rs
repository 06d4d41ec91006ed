//! The cycle over meters that answer, fail, hang, crash and lock themselves, in simulated time.

mod other;
mod unlocking;
mod world;

use std::collections::BTreeSet;

use ebp_core::{
    cycle::Cycle,
    model::{
        Flag,
        IncidentType::{ObisCodesUnavailable as CODES, SerialPortUnavailable as PORT},
        Measurement, measurement_id,
    },
    obis::ObisCode,
};
use proptest::prelude::*;
use unlocking::of_model;
use world::*;

use super::*;

#[test]
fn each_slot_once_and_each_at_its_start() {
    let mut world =
        World::new(vec![SimMeter::default(), SimMeter { every: s(4), ..SimMeter::default() }]);
    world.run(s(24 * 3600));
    for meter in 0..2 {
        assert_eq!(world.slots(meter).len(), 96);
    }
    let mut late = Vec::new();
    for (measurement, slot) in &world.keeper.measurements {
        assert_eq!(measurement.uuid, measurement_id(measurement.meter, *slot));
        assert_eq!(Cycle::QUARTER_HOUR.slot(measurement.measured_at), *slot);
        assert!(measurement.flags.is_empty(), "{measurement:?}");
        let after = measurement.measured_at.duration_since(slot.start()).as_millis();
        if measurement.meter.as_u128() == 0 && slot.key() != world.keeper.measurements[0].1.key() {
            late.push(after);
        }
    }
    // The first of them within one interval of the meter's.
    assert!(late.iter().all(|after| *after <= 1_700), "{late:?}");
    // One reading a slot and meter, and few steps for them.
    assert!(world.heads.log.iter().all(|(_, _, job)| matches!(job, Job::Read(_))));
    assert!(world.heads.meters[0].reads <= 97, "{}", world.heads.meters[0].reads);
    assert!(world.steps < 2000, "{}", world.steps);
    assert_eq!(world.keeper.heard.good, 2 * 96);
    // Measurements and nothing else is written.
    assert_eq!(world.keeper.writes, 2 * 96);
}

#[test]
fn a_telegram_becomes_a_measurement_of_the_survey_alone() {
    let mut world = World::new(vec![SimMeter::default()]);
    world.run(s(10));
    let (measurement, _) = &world.keeper.measurements[0];
    let data = serde_json::to_string(&measurement.data).unwrap();
    assert!(data.ends_with(r#",{"0100100700ff":0.36}]"#), "{data}");
    assert!(data.starts_with(r#"[{"0100010800ff":"#), "{data}");
    assert_eq!(measurement.measured_at.as_nanosecond() % 1000, 0);
}

#[test]
fn meters_fail_each_for_itself_and_are_made_up_for() {
    let states =
        [State::Gone, State::Fine, State::Silent, State::Hangs, State::Crashes, State::Empty];
    let meters = states.map(|state| SimMeter { state, ..SimMeter::default() });
    let mut world = World::new(meters.to_vec());
    world.run(s(600));
    assert_eq!(world.slots(1), ["12:00"]);
    let log = world.heads.log.iter();
    assert_eq!(log.filter(|(_, meter, _)| *meter == 1).count(), 1, "delayed by nobody");
    // Pauses grow to a minute; it was tried nevertheless.
    let reads: Vec<_> = world.heads.meters.iter().map(|meter| meter.reads).collect();
    assert!((10..20).contains(&reads[0]), "{reads:?}");
    assert!((8..12).contains(&reads[2]), "{reads:?}");
    for meter in &mut world.heads.meters {
        meter.state = State::Fine;
    }
    world.run(s(180));
    for meter in 0..6 {
        assert_eq!(world.slots(meter), ["12:00"], "meter {meter}");
    }
}

#[test]
fn a_port_that_hangs_is_left_and_tried_again() {
    let mut world = World::new(vec![SimMeter { state: State::Hangs, ..SimMeter::default() }]);
    world.engine.meters[0].reset_usb = true;
    world.run(s(60));
    assert_eq!((world.heads.left, world.heads.meters[0].resets), (1, 1));
    world.heads.meters[0].state = State::Fine;
    world.run(s(60));
    assert_eq!(world.slots(0), ["12:00"]);
    world.heads.meters[0].state = State::Silent;
    world.run(s(3 * 3600));
    // Not more than once an hour.
    assert!((2..=4).contains(&world.heads.meters[0].resets), "{}", world.heads.meters[0].resets);
}

#[test]
fn an_answer_of_minutes_is_waited_for() {
    let mut world = World::new(vec![SimMeter { state: State::Slow, ..SimMeter::default() }]);
    world.run(s(3600));
    assert_eq!(world.heads.left, 0);
    assert_eq!(world.slots(0), ["12:00", "12:15", "12:30", "12:45"]);
    let readings = world.heads.log.iter().filter_map(|(at, _, job)| match job {
        Job::Read(reading) => Some((*at, reading)),
        _ => None,
    });
    for (at, reading) in readings {
        assert!(reading.until <= at + s(2 + 30), "a silent one is not");
        assert_eq!(reading.latest, reading.from + s(600), "a third of the slot is left");
    }
}

#[test]
fn a_port_that_is_gone_is_tried_with_pauses_over_the_end_of_a_slot_too() {
    let mut world = World::new(vec![SimMeter { state: State::Gone, ..SimMeter::default() }]);
    world.run(s(2 * 3600));
    // One a minute, and one ahead of each slot.
    let reads = world.heads.meters[0].reads;
    assert!((120..150).contains(&reads), "{reads}");
    world.heads.meters[0].state = State::Fine;
    world.run(s(75));
    assert_eq!(world.slots(0).len(), 1);
}

#[test]
fn without_consent_the_ports_stay_closed() {
    for consent in [Some(Permission::NotGranted), Some(Permission::Unknown), None] {
        let mut world = World::new(vec![SimMeter::default()]);
        world.consent = consent;
        world.run(s(3600));
        assert!(world.heads.log.is_empty(), "{consent:?}");
        assert!(!world.is_over);
        // While nothing is known it is asked more often than once a slot, with pauses that grow.
        let often = (15..30).contains(&world.asked);
        assert_eq!(often, consent == Some(Permission::Unknown), "{}", world.asked);
        if consent.is_none() {
            continue;
        }
        world.consent = Some(Permission::Granted);
        world.run(s(900));
        assert_eq!(world.slots(0).len(), 1);
    }
}

#[test]
fn an_outage_stops_no_granted_survey_and_a_revocation_ends_it() {
    let mut world = World::new(vec![SimMeter::default()]);
    world.consent = None;
    world.engine.remember_consent(Permission::Granted);
    world.run(s(7200));
    assert_eq!(world.slots(0).len(), 8);
    let reads = world.heads.meters[0].reads;
    world.engine.hear_consent(Permission::Revoked, &world.clock);
    world.run(s(7200));
    assert!(world.is_over);
    assert_eq!(world.heads.meters[0].reads, reads);
}

#[test]
fn a_revocation_is_heard_before_the_next_slot_is_measured() {
    let mut world = World::new(vec![SimMeter::default()]);
    world.run(s(60));
    world.consent = Some(Permission::Revoked);
    world.run(s(900));
    assert!(world.is_over);
    assert_eq!(world.slots(0), ["12:00"]);
}

#[test]
fn a_port_without_telegrams_is_an_incident_until_one_comes() {
    for state in [State::Gone, State::Silent, State::Hangs] {
        let mut world = World::new(vec![SimMeter::default()]);
        world.run(s(600));
        world.heads.meters[0].state = state;
        world.run(s(900));
        assert!(!world.is_noted(0, PORT), "one slot is none");
        world.run(s(900));
        assert!(world.is_noted(0, PORT), "{state:?}");
        assert!(!world.is_noted(0, CODES));
        world.heads.meters[0].state = State::Fine;
        world.run(s(120));
        assert!(!world.is_noted(0, PORT), "{state:?}");
        let told = world.events.iter().filter(|(_, event)| matches!(event, Event::Incident(..)));
        assert_eq!(told.count(), 2);
        let failures = world.keeper.failures[&(uuid::Uuid::from_u128(0), PORT)];
        let lasted = failures.last.unwrap().duration_since(failures.first.unwrap()).as_secs();
        assert!(failures.slots >= 2 && (900..=1830).contains(&lasted), "{state:?}: {failures:?}");
    }
}

#[test]
fn a_telegram_known_to_be_over_too_late_says_so_and_sets_no_other_right() {
    let late = SimMeter { late: s(3), ..SimMeter::default() };
    let mut world = World::new(vec![late]);
    world.run(s(1800));
    world.heads.meters[0].late = s(0);
    world.run(s(1800));
    let flags: Vec<_> = world.keeper.measurements.iter().map(|(m, _)| m.flags.clone()).collect();
    assert_eq!(flags, [vec![Flag::TimeWithin5s], vec![Flag::TimeWithin5s], vec![], vec![]]);
    let has_seconds: Vec<_> = world.keeper.seconds.iter().map(Option::is_some).collect();
    assert_eq!(has_seconds, [false, false, true, true]);
}

#[test]
fn a_locked_meter_is_measured_and_unlocked_in_the_pause() {
    let locked = SimMeter { locked: true, ..SimMeter::default() };
    let mut world = World::new(vec![locked, SimMeter::default()]).with_pins();
    world.run(s(3 * 3600));
    assert_eq!((world.slots(0).len(), world.slots(1).len()), (12, 12));
    assert_eq!((world.heads.meters[0].unlocks, world.heads.meters[1].unlocks), (1, 0));
    let detailed: Vec<_> = world
        .keeper
        .measurements
        .iter()
        .filter(|(m, _)| m.meter.as_u128() == 0)
        .map(|(m, _)| m.data.len() == 2)
        .collect();
    assert_eq!(detailed.iter().position(|detailed| *detailed), Some(3), "{detailed:?}");
    assert!(detailed[3..].iter().all(|detailed| *detailed));
    assert!(!world.is_noted(0, CODES));
    assert!(world.keeper.measurements.iter().all(|(m, _)| m.flags.is_empty()));
    // A power cut at the meter: it is not waited for three slots again.
    world.heads.meters[0].locked = true;
    world.heads.meters[0].open_until = None;
    world.run(s(1800));
    assert_eq!(world.heads.meters[0].unlocks, 2);
    assert_eq!(world.keeper.measurements.last().unwrap().0.data.len(), 2);
}

#[test]
fn one_shots_under_a_timer_come_to_the_same_decisions() {
    let meters = vec![
        SimMeter { locked: true, ..SimMeter::default() },
        SimMeter { state: State::Gone, ..SimMeter::default() },
        SimMeter { locked: true, offers_inf: false, ..SimMeter::default() },
    ];
    let mut world = World::new(meters).with_pins();
    // A source names the place of InF for it.
    of_model(&mut world, "MB310");
    for slot in 0..8 {
        let begun = ebp_core::clock::DeviceClock::since_boot(&world.clock);
        world.once();
        assert_eq!(world.is_noted(1, PORT), slot >= 1, "slot {slot}");
        let taken = ebp_core::clock::DeviceClock::since_boot(&world.clock) - begun;
        world.clock.advance(s(900) - taken);
    }
    assert_eq!((world.slots(0).len(), world.slots(1).len(), world.slots(2).len()), (8, 0, 8));
    assert_eq!(world.heads.meters[0].unlocks, 1);
    assert!(world.heads.meters[2].unlocks >= 4, "{}", world.heads.meters[2].unlocks);
    assert!(!world.is_noted(0, CODES) && !world.is_noted(2, CODES));
    let last = world.keeper.measurements.last().unwrap();
    assert_eq!(last.0.data.len(), 2);
    // A second one in the same slot reads nothing.
    world.once();
    let reads = world.heads.meters[0].reads;
    world.once();
    assert_eq!(world.heads.meters[0].reads, reads);
}

#[test]
fn doubtful_values_are_kept_and_flagged_once() {
    let mut world = World::new(vec![SimMeter::default()]);
    world.run(s(1800));
    // Another meter in its place, which has counted less.
    world.heads.meters[0].extra_wh = -50_000;
    world.run(s(2700));
    world.heads.meters[0].extra_wh = 5_000_000;
    world.run(s(900));
    world.heads.meters[0].extra_wh = -50_000;
    world.run(s(1800));
    let flags: Vec<_> = world.keeper.measurements.iter().map(|(m, _)| m.flags.clone()).collect();
    let mut expected = vec![vec![]; flags.len()];
    expected[2] = vec![Flag::RegisterRanBackwards];
    expected[5] = vec![Flag::PowerOutOfRange];
    assert_eq!(flags, expected);
}

#[test]
fn a_sum_of_tariffs_is_flagged_and_wants_all_of_them() {
    let mut world = World::new(vec![SimMeter { shows: Shows::Tariffs, ..SimMeter::default() }]);
    world.run(s(1800));
    world.heads.meters[0].shows = Shows::OneTariff;
    world.run(s(900));
    // Another process remembers what the meter has shown.
    world.restart(s(10));
    world.run(s(900));
    world.heads.meters[0].shows = Shows::Tariffs;
    world.run(s(900));
    let kept: Vec<_> = world.keeper.measurements.iter().map(|(m, _)| m).collect();
    let codes = |m: &&Measurement| m.data.iter().map(|point| point.obis).collect::<Vec<_>>();
    let whole = vec![ObisCode::POSITIVE_ENERGY, ObisCode::SUM_POWER];
    let power = whole[1..].to_vec();
    let expected = [&whole, &whole, &power, &power, &power, &whole];
    assert_eq!(kept.iter().map(codes).collect::<Vec<_>>(), expected.map(Clone::clone));
    for measurement in kept {
        let is_sum = measurement.data.len() == 2;
        assert_eq!(measurement.flags == [Flag::CodeSubstituted], is_sum, "{measurement:?}");
    }
}

#[test]
fn no_pin_is_sent_to_a_meter_that_is_not_locked() {
    let meter = SimMeter { shows: Shows::NoPower, ..SimMeter::default() };
    let mut world = World::new(vec![meter]).with_pins();
    world.run(s(2 * 3600));
    assert_eq!(world.heads.meters[0].unlocks, 0);
    assert!(world.is_noted(0, CODES), "its extended data is switched off: somebody has to know");
    world.heads.meters[0].shows = Shows::Total;
    world.run(s(900));
    assert!(!world.is_noted(0, CODES));
}

#[test]
fn a_full_disk_is_tried_again() {
    let mut world = World::new(vec![SimMeter::default()]);
    world.keeper.is_full = true;
    world.run(s(300));
    assert!(world.keeper.measurements.is_empty());
    world.keeper.is_full = false;
    world.run(s(90));
    assert_eq!(world.slots(0), ["12:00"]);
}

#[test]
fn without_a_clock_each_slot_is_measured_all_the_same() {
    let mut world = World::new(vec![SimMeter::default()]);
    world.run(s(60));
    // Shortly before a slot ends.
    world.clock.restart(s(900 + 500), "1970-01-01T00:00:00Z".parse().unwrap());
    world.restart(s(2));
    world.run(s(2 * 3600));
    assert_eq!(world.keeper.measurements.len(), 1);
    world.clock.synchronise();
    world.run(s(3600));
    let slots = world.slots(0);
    assert_eq!(slots.len(), slots.iter().collect::<BTreeSet<_>>().len());
    assert_eq!(slots.len(), 1 + 13, "{slots:?}");
    assert!(world.keeper.measurements.iter().all(|(m, _)| m.flags.is_empty()));
}

#[test]
fn clock_steps_and_restarts_measure_no_slot_twice() {
    let mut world = World::new(vec![SimMeter::default()]);
    for step in [-7200, 3600, -10, 10, 86_400, -86_400] {
        world.run(s(1000));
        world.clock.step(jiff::SignedDuration::from_secs(step));
        world.run(s(1000));
        world.restart(s(3));
    }
    let slots: Vec<_> = world.keeper.measurements.iter().map(|(_, slot)| slot.key()).collect();
    assert_eq!(slots.len(), slots.iter().collect::<BTreeSet<_>>().len());
    assert!(slots.len() > 10);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    /// Processes that end at any instant, with heads that fail as they please: never two
    /// measurements in a slot, and none is missing in which a meter could be read for a while.
    #[test]
    fn once_in_a_slot(lives in prop::collection::vec((1..2000_u64, 0..120_u64, any::<bool>()), 1..20)) {
        let mut world = World::new(vec![SimMeter::default()]);
        let mut owed = BTreeSet::new();
        for (life, pause, fine) in lives {
            world.heads.meters[0].state = if fine { State::Fine } else { State::Gone };
            let before = world.clock.truth();
            world.run(s(life));
            let after = world.clock.truth();
            let mut at = before;
            // A pause within the slot may be a minute long.
            while fine && at + s(70) <= after {
                let slot = Cycle::QUARTER_HOUR.slot(at);
                if Cycle::QUARTER_HOUR.slot(at + s(70)) == slot {
                    owed.insert(slot.key());
                }
                at += s(30);
            }
            world.restart(s(pause));
        }
        let slots: Vec<_> = world.keeper.measurements.iter().map(|(_, slot)| slot.key()).collect();
        let once: BTreeSet<_> = slots.iter().copied().collect();
        prop_assert_eq!(slots.len(), once.len());
        let missing: Vec<_> = owed.difference(&once).collect();
        prop_assert!(missing.is_empty(), "{missing:?}");
    }
}
