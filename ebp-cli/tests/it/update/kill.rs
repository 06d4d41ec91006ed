//! The updater is killed at random instants, while the device measures and reports by its services:
//! they always run a whole version, the state can always be read, the next round goes on, and no
//! measurement is lost. On a file system of its own the power is lost as well: all processes are killed,
//! and what had not reached the disk is gone.
//!
//! `EBP_UPDATE_KILLS` raises how often it is killed; the instants follow from `EBP_UPDATE_SEED`.

use std::{collections::BTreeSet, fs, os::unix::fs::symlink, thread, time::Duration};

use ebp_needs::needs;
use ebp_testkit::loop_disk::LoopDisk;

use super::{FLOOR, House, good};
use crate::{
    kill::{Points, setting},
    support::process::Running,
};

/// Instants below this many milliseconds.
const LONGEST: u64 = 3_000;

#[test]
fn killed_at_any_instant_services_run_a_whole_version() {
    let mut house = House::new("32s");
    let _ = survive(&mut house, setting("EBP_UPDATE_KILLS", 20), |_, _| false);
}

/// A much longer trial, since services begin anew with each power failure: a version that could measure
/// for no more than moments would be left, rightly.
#[needs(loop_device)]
#[test]
fn after_a_power_failure_services_run_a_whole_version_and_no_measurement_is_lost() {
    let mut disk = LoopDisk::mount(64);
    let mut house = House::prepared("5m", |household, device| {
        let spool = disk.path().join("spool");
        fs::create_dir(&spool).unwrap();
        symlink(spool, household.spool_folder()).unwrap();
        device.updates = disk.path().join("updates");
    });
    let cuts = survive(&mut house, setting("EBP_UPDATE_KILLS", 8), |house, instants| {
        if instants.below(2) == 0 {
            return false;
        }
        house.services.kill();
        disk.cut_power();
        house.start_services();
        true
    });
    eprintln!("{cuts} power failures");
    assert!(cuts > 0);
    // Nothing uses the disk any more when it goes.
    drop(house);
}

/// Kills the updater so often; after each time `fail` may let the power fail, too, and says whether it
/// did. Returns how often it did.
fn survive(
    house: &mut House,
    kills: u64,
    mut fail: impl FnMut(&mut House, &mut Points) -> bool,
) -> usize {
    let seed = setting("EBP_UPDATE_SEED", u64::from(std::process::id()));
    eprintln!("EBP_UPDATE_SEED={seed}");
    let mut instants = Points(seed);
    let versions = ["0.1.8", "0.1.9"];
    let known: BTreeSet<&str> = versions.into_iter().chain([FLOOR]).collect();
    let (mut commits, mut failures, mut wanted) = (0, 0, 0);
    let mut phases = BTreeSet::new();
    let mut seen = BTreeSet::new();
    house.device.desire(versions[0], good(versions[0]).as_bytes());
    for _ in 0..kills {
        let updater = Running::start(house.device.updater());
        thread::sleep(Duration::from_millis(instants.below(LONGEST)));
        seen.extend(pending(house));
        let run = updater.kill();
        assert!(!run.stderr.contains("panicked"), "{run:#?}");
        failures += usize::from(fail(house, &mut instants));
        let device = &house.device;
        let launched = device.launched();
        assert!(known.contains(launched.as_str()), "{launched} (seed {seed})");
        let status = device.status();
        phases.insert(status["phase"].as_str().unwrap().to_owned());
        assert!(status["refused"].as_object().unwrap().is_empty(), "{status} (seed {seed})");
        seen.extend(pending(house));
        if status["committed"] == versions[wanted] {
            commits += 1;
            wanted = 1 - wanted;
            device.desire(versions[wanted], good(versions[wanted]).as_bytes());
        }
    }
    eprintln!("{kills} kills, {commits} updates, in {phases:?}");
    house.device.round().done();
    assert_eq!(house.device.status()["committed"], versions[wanted], "seed {seed}");
    assert_eq!(house.device.launched(), versions[wanted]);

    house.services.kill();
    seen.extend(pending(house));
    house.household.transmit().done();
    let account = house.household.account(&house.server);
    let arrived = account.measurements(&house.household.meters[0]);
    let arrived: BTreeSet<_> =
        arrived.iter().map(|item| item["uuid"].as_str().unwrap().parse().unwrap()).collect();
    assert!(seen.is_subset(&arrived), "lost: {:?} (seed {seed})", seen.difference(&arrived));
    assert!(arrived.len() as u64 >= kills / 4, "only {} measurements", arrived.len());
    eprintln!("{} measurements, none lost", arrived.len());
    failures
}

/// The measurements in the spool: those that another process sees there are durable.
fn pending(house: &House) -> Vec<uuid::Uuid> {
    let pending = house.household.spool().pending(10_000).unwrap();
    pending.into_iter().map(|measurement| measurement.uuid).collect()
}
