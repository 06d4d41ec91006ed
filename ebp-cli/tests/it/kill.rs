//! Whatever process is killed at whatever point: each measured slot arrives once.
//!
//! The number of rounds can be raised with `EBP_KILL_ROUNDS`; the points are chosen by the seed
//! `EBP_KILL_SEED`, which a failure names.

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    ebp, household::Household, meter::Meter, process::Running, server::Server, wait_for,
};
use serde_json::Value;

const MODELS: &[&str] = &["MT175", "MT681"];

/// A number from the environment.
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Points in time that look like chance and come again for the same seed (SplitMix64).
pub struct Points(pub u64);

impl Points {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

fn daemon(command: &str, household: &Household) -> Running {
    let mut ebp = ebp();
    ebp.args([command, "--every", "--config"]).arg(&household.config);
    Running::start(ebp)
}

/// What is in the spool: measurements that the server may have or not.
fn spooled(household: &Household) -> Vec<(String, String)> {
    let pending = household.spool().pending(100_000).unwrap();
    pending.iter().map(|m| (m.uuid.to_string(), m.measured_at.to_string())).collect()
}

/// The slot of one second that a measurement was taken for, by what its identifier follows from.
fn slots_of(meter: &str, item: &Value) -> Option<i64> {
    let measured_at: jiff::Timestamp = item["measured_at"].as_str().unwrap().parse().unwrap();
    let cycle: ebp_core::cycle::Cycle = "1s".parse().unwrap();
    // A telegram may be complete some seconds after its slot began.
    (0..15).map(|late| measured_at - jiff::SignedDuration::from_secs(late)).find_map(|at| {
        let id = ebp_core::model::measurement_id(meter.parse().unwrap(), cycle.slot(at));
        (id.to_string() == item["uuid"]).then(|| at.as_second())
    })
}

#[test]
fn nothing_is_lost_and_nothing_doubled() {
    let rounds = setting("EBP_KILL_ROUNDS", 24);
    let seed = setting("EBP_KILL_SEED", u64::from(std::process::id()));
    eprintln!("EBP_KILL_SEED={seed}");
    let mut points = Points(seed);
    let begun = Instant::now();
    let mut server = Server::start();
    let household = Household::register(&server, "erika@example.org", MODELS, "1s");
    let _meters: Vec<_> =
        MODELS.iter().map(|model| Meter::quick(household.folder.path(), model)).collect();
    household.account(&server).grant();

    let mut measuring = daemon("read", &household);
    let mut transmitting = daemon("transmit", &household);
    wait_for("a first measurement", || (!spooled(&household).is_empty()).then_some(()));
    // Everything that was ever seen on the device's disk.
    let mut seen = BTreeSet::new();
    for _ in 0..rounds {
        let until = Instant::now() + Duration::from_millis(points.below(1_400));
        while Instant::now() < until {
            seen.extend(spooled(&household).into_iter().map(|(uuid, _)| uuid));
            thread::sleep(Duration::from_millis(5));
        }
        match points.below(4) {
            0 => {
                measuring.kill();
                measuring = daemon("read", &household);
            }
            1 => {
                transmitting.kill();
                transmitting = daemon("transmit", &household);
            }
            2 => {
                server.kill();
                server.go_on();
            }
            // A power failure takes them all.
            _ => {
                measuring.kill();
                transmitting.kill();
                server.kill();
                server.go_on();
                measuring = daemon("read", &household);
                transmitting = daemon("transmit", &household);
            }
        }
    }
    measuring.kill();
    transmitting.kill();
    seen.extend(spooled(&household).into_iter().map(|(uuid, _)| uuid));
    // The survey's end: what is still there is sent.
    household.transmit().done();
    assert!(household.spool().is_empty().unwrap());
    assert!(household.spool().refused().unwrap().is_empty());

    let account = household.account(&server);
    let mut arrived = BTreeSet::new();
    for meter in &household.meters {
        let items = account.measurements(meter);
        let mut slots = BTreeSet::new();
        let mut register = 0.0;
        for item in &items {
            let slot = slots_of(meter, item).unwrap_or_else(|| panic!("of no slot: {item}"));
            assert!(slots.insert(slot), "slot {slot} twice (seed {seed})");
            assert!(arrived.insert(item["uuid"].as_str().unwrap().to_owned()), "{item} twice");
            let energy: f64 = item["data"][0]["0100010800ff"].to_string().parse().unwrap();
            assert!(energy >= register, "{item}: the register ran backwards");
            register = energy;
        }
        assert!(items.len() as u64 >= rounds / 4, "only {} measurements", items.len());
        eprintln!("{} measurements of {meter}", items.len());
        // The device remembers having measured each of them, and no other.
        let measured = measured_seconds(&household, meter, begun);
        assert_eq!(slots, measured, "seed {seed}");
    }
    let lost: Vec<_> = seen.difference(&arrived).collect();
    assert!(lost.is_empty(), "lost (seed {seed}): {lost:?}");
}

/// The slots since the beginning that the spool remembers as measured.
fn measured_seconds(household: &Household, meter: &str, begun: Instant) -> BTreeSet<i64> {
    let cycle: ebp_core::cycle::Cycle = "1s".parse().unwrap();
    let (spool, meter) = (household.spool(), meter.parse().unwrap());
    let now = ebp_core::clock::Clock::now(&ebp_core::clock::SystemClock);
    let long = i64::try_from(begun.elapsed().as_secs()).unwrap() + 60;
    (0..long)
        .map(|ago| now - jiff::SignedDuration::from_secs(ago))
        .filter(|at| spool.has_slot(meter, cycle.slot(*at)).unwrap())
        .map(|at| at.as_second())
        .collect()
}
