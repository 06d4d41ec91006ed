//! The updater is killed at random instants, while the device measures and reports by its services:
//! they always run a whole version, the state can always be read, the next round goes on, and no
//! measurement is lost.
//!
//! `EBP_UPDATE_KILLS` raises how often it is killed; the instants follow from `EBP_UPDATE_SEED`.

use std::{collections::BTreeSet, thread, time::Duration};

use super::{FLOOR, House, good};
use crate::{
    kill::{Points, setting},
    support::process::Running,
};

#[test]
fn killed_at_any_instant_services_run_a_whole_version() {
    let kills = setting("EBP_UPDATE_KILLS", 20);
    let seed = setting("EBP_UPDATE_SEED", u64::from(std::process::id()));
    eprintln!("EBP_UPDATE_SEED={seed}");
    let mut instants = Points(seed);
    let house = House::new("32s");
    let device = &house.device;
    let versions = ["0.1.8", "0.1.9"];
    let known: BTreeSet<&str> = versions.into_iter().chain([FLOOR]).collect();
    let mut commits = 0;
    let mut phases = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut wanted = 0;
    device.desire(versions[0], good(versions[0]).as_bytes());
    for _ in 0..kills {
        let updater = Running::start(device.updater());
        thread::sleep(Duration::from_millis(instants.below(3_000)));
        let run = updater.kill();
        assert!(!run.stderr.contains("panicked"), "{run:#?}");
        let launched = device.launched();
        assert!(known.contains(launched.as_str()), "{launched} (seed {seed})");
        let status = device.status();
        phases.insert(status["phase"].as_str().unwrap().to_owned());
        assert!(status["refused"].as_object().unwrap().is_empty(), "{status} (seed {seed})");
        seen.extend(house.household.spool().pending(10_000).unwrap().into_iter().map(|m| m.uuid));
        if status["committed"] == versions[wanted] {
            commits += 1;
            wanted = 1 - wanted;
            device.desire(versions[wanted], good(versions[wanted]).as_bytes());
        }
    }
    eprintln!("{kills} kills, {commits} updates, in {phases:?}");
    device.round().done();
    assert_eq!(device.status()["committed"], versions[wanted], "seed {seed}");
    assert_eq!(device.launched(), versions[wanted]);

    drop(house.services);
    seen.extend(house.household.spool().pending(10_000).unwrap().into_iter().map(|m| m.uuid));
    house.household.transmit().done();
    let account = house.household.account(&house.server);
    let arrived = account.measurements(&house.household.meters[0]);
    let arrived: BTreeSet<_> =
        arrived.iter().map(|item| item["uuid"].as_str().unwrap().parse().unwrap()).collect();
    assert!(seen.is_subset(&arrived), "lost: {:?} (seed {seed})", seen.difference(&arrived));
    assert!(arrived.len() as u64 >= kills / 4, "only {} measurements", arrived.len());
}
