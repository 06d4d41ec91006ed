//! A broker that is away for ten minutes while a device measures: `cargo xtask long broker`.
//!
//! One device's broker is stopped, another's is frozen, so that its connections stay open and nothing is
//! taken from them. `EBP_TEST_OUTAGE` is how many seconds that lasts.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use ebp_core::{
    clock::{Clock, SystemClock},
    cycle::Cycle,
};
use ebp_needs::needs;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    kill::setting,
    publish::{Broker, start_daemon},
    support::{household::Household, meter::Meter, server::Server},
};

const MODEL: &str = "MT175";
/// Slots are that long, so that an outage has many.
const CYCLE: &str = "10s";
/// Readings are published that often at most.
const INTERVAL: u64 = 1;
/// Before and after the outage, seconds.
const BESIDE: u64 = 60;

/// How the broker goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outage {
    Stopped,
    Frozen,
}

#[needs(mosquitto)]
#[test]
#[ignore = "takes twelve minutes: cargo xtask long broker"]
fn an_outage_of_the_broker_delays_no_measurement() {
    let seconds = setting("EBP_TEST_OUTAGE", 600);
    let outages = [Outage::Stopped, Outage::Frozen];
    let runs = outages.map(|outage| thread::spawn(move || run(outage, seconds)));
    for run in runs {
        run.join().unwrap();
    }
}

fn run(outage: Outage, seconds: u64) {
    let server = Server::start();
    let mut broker = Broker::start();
    let household = Household::register(&server, "erika@example.org", &[MODEL], CYCLE);
    let _meter = Meter::quick(household.folder.path(), MODEL);
    household.account(&server).grant();
    let reading = start_daemon(&household, &broker, INTERVAL);
    broker.next("/state");

    let begun = SystemClock.now();
    thread::sleep(Duration::from_secs(BESIDE));
    let before = states(&broker);
    let gone = SystemClock.now();
    match outage {
        Outage::Stopped => broker.stop(),
        Outage::Frozen => kill_process(pid(&broker), Signal::STOP).unwrap(),
    }
    thread::sleep(Duration::from_secs(seconds));
    let away = states(&broker);
    let back = SystemClock.now();
    match outage {
        Outage::Stopped => broker.start_again(),
        Outage::Frozen => kill_process(pid(&broker), Signal::CONT).unwrap(),
    }
    let returned = Instant::now();
    broker.next("/state");
    let first_after = returned.elapsed();
    thread::sleep(Duration::from_secs(BESIDE));
    let after = states(&broker);
    let end = SystemClock.now();
    reading.signal(Signal::TERM);
    let ended = reading.end();
    assert_eq!(ended.code, Some(0), "{ended:#?}");

    // Each slot was measured once, in the slot and not later than while the broker was there.
    let late = lateness(&household);
    let within = |from: jiff::Timestamp, to: jiff::Timestamp| -> Vec<f64> {
        let slots = from.as_second().div_euclid(10) + 1..to.as_second().div_euclid(10);
        slots
            .map(|slot| *late.get(&(slot * 10)).unwrap_or_else(|| panic!("{slot} is not measured")))
            .collect()
    };
    let figures = |seconds: Vec<f64>| {
        let most = seconds.iter().copied().fold(0.0, f64::max);
        let mean = seconds.iter().sum::<f64>() / seconds.len() as f64;
        (seconds.len(), mean, most)
    };
    let parts = [(begun, gone), (gone, back), (back, end)];
    let [there, missing, again] = parts.map(|(from, to)| figures(within(from, to)));
    for (when, (slots, mean, most)) in [("before", there), ("away", missing), ("after", again)] {
        println!(
            "{outage:?}, {when}: {slots} slots, mean {mean:.2} s after the slot, most {most:.2} s"
        );
    }
    println!(
        "{outage:?}: the first reading {:.1} s after the broker was back",
        first_after.as_secs_f64()
    );
    println!(
        "{outage:?}: {} readings before, {} while it was away, {} after",
        before.len(),
        away.len(),
        after.len()
    );
    assert!(missing.2 < 5.0, "a measurement waited: {missing:?}");

    // What is published afterwards is of afterwards, goes on rising, and is no burst.
    let recent = back - jiff::SignedDuration::from_secs(10);
    let stale = after.iter().filter(|state| state.read_at < recent).count();
    println!("{outage:?}: {stale} readings of the outage came afterwards");
    assert!((after.len() - stale) as u64 <= 2 * BESIDE / INTERVAL, "a burst: {after:?}");
    // A frozen broker takes what lay in its connection when that was given up.
    assert!(stale <= if outage == Outage::Stopped { 1 } else { 120 }, "{after:?}");
    let all: Vec<&State> = before.iter().chain(&after).collect();
    for pair in all.windows(2) {
        assert!(pair[0].read_at <= pair[1].read_at && pair[0].import <= pair[1].import, "{pair:?}");
    }
}

fn pid(broker: &Broker) -> Pid {
    Pid::from_raw(i32::try_from(broker.process()).unwrap()).unwrap()
}

#[derive(Debug)]
struct State {
    read_at: jiff::Timestamp,
    import: f64,
}

/// The readings that the subscriber received since the last call.
fn states(broker: &Broker) -> Vec<State> {
    let state = |payload: String| {
        let value: Value = serde_json::from_str(&payload).unwrap();
        let read_at = value["read_at"].as_str().unwrap().parse().unwrap();
        State { read_at, import: value["import_kwh"].as_f64().unwrap() }
    };
    broker.received("/state").into_iter().map(state).collect()
}

/// Of each slot by its beginning how long after it its measurement was taken, seconds.
fn lateness(household: &Household) -> BTreeMap<i64, f64> {
    let cycle: Cycle = CYCLE.parse().unwrap();
    let mut late = BTreeMap::new();
    for one in household.spool().pending(100_000).unwrap() {
        let slot = one.measured_at.as_second().div_euclid(10) * 10;
        let begin = jiff::Timestamp::from_second(slot).unwrap();
        let id = ebp_core::model::measurement_id(one.meter, cycle.slot(one.measured_at));
        assert_eq!(one.uuid, id, "it was measured in another slot than its own");
        let after = one.measured_at.duration_since(begin).as_secs_f64();
        assert_eq!(late.insert(slot, after), None, "a slot was measured twice");
    }
    late
}
