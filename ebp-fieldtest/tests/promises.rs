//! The promises of `MeterInterface` on the field test's meters, at heads in simulated time.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use std::sync::{Arc, Mutex, atomic::Ordering};

use ebp_core::{clock::SimulatedClock, model::MeterType};
use ebp_fieldtest::{
    chance::Chance,
    faults::Head,
    meter::{MeterKind, WallMeter},
    plan::MeterPlan,
    port::{JobTime, Shared, environment, locked},
    span::Span,
};
use ebp_meter::{
    interface::{
        Registry, Site,
        promises::{Pins, Stand, Start, count_light},
    },
    port::PortName,
    profile::Profiles,
    unlock::{Method, Tries},
    virtual_meter::HouseholdOptions,
};
use jiff::Timestamp;

/// A meter on the wall that is an MT175.
fn put_up(start: Start) -> Stand {
    let pins = Pins { right: "0907", wrong: "1234" };
    let begin: Timestamp = "2026-06-21T10:00:00Z".parse().unwrap();
    let profiles = Profiles::embedded();
    let kind = MeterKind {
        kind: MeterType::Electricity,
        household: HouseholdOptions { seed: 1, pv_peak_watts: 5_000, battery_watt_hours: 0 },
        unlocked: start != Start::Locked,
        inf: true,
    };
    let mut plan = MeterPlan::default();
    if start == Start::Silent {
        plan.head.push((Span { from: begin, to: Timestamp::MAX }, Head::Silent));
    }
    let profile = profiles.get("MT175").unwrap();
    let (pin, chance) = (pins.right.parse().unwrap(), Chance::new(1, 1));
    let wall = WallMeter::new(profile, 7_654_321, &kind, pin, begin, plan, chance).unwrap();
    let wall: Shared = Arc::new(Mutex::new(wall));
    let time = Arc::new(JobTime::new(begin, &SimulatedClock::new(begin)));
    let folder = tempfile::tempdir().unwrap();
    let tries = Tries::in_folder(folder.path());
    let around = environment(&wall, &time, &tries, Timestamp::MAX);
    let (environment, presses) = count_light(around);
    let driver = Arc::clone(Registry::from_profiles(&profiles).driver("MT175").unwrap());
    let port = PortName::Path("/dev/serial/by-id/head".into());
    let until = Arc::clone(&time);
    Stand {
        site: Site { method: Method::ZeroBytes, ..Site::new(port, driver.model().read) },
        driver,
        environment,
        clock: time,
        pins: Some(pins),
        keys: Box::new(move || presses.load(Ordering::Relaxed)),
        wrong_pins: Box::new(move || {
            let lock = locked(&wall).state_at(until.truth()).lock;
            lock.map_or(0, |lock| lock.wrong.into())
        }),
        keep: Box::new(folder),
    }
}

ebp_meter::promises!(put_up);
