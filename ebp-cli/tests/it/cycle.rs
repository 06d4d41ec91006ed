//! The measurement cycle with meters that are locked, fall off, or are read by two.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path};

use crate::support::{
    ebp, household::Household, meter::Meter, process::Running, server::Server, wait_for,
};
use ebp_core::model::IncidentType;
use serde_json::Value;

const MODEL: &str = "MT175";

fn locked(folder: &Path) -> Meter {
    let link = folder.join(MODEL);
    Meter::start(&link, ["--model", MODEL, "--interval", "500ms", "--locked", "--pin", "1000"])
}

/// Writes the PIN's file and names it in the configuration, with unlocking after one slot.
fn give_pin(household: &Household, pin: &str) {
    let file = household.folder.path().join("pin");
    fs::write(&file, pin).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let text = fs::read_to_string(&household.config).unwrap();
    let text = text.replace("timeout = ", "unlock_after = 1\ntimeout = ");
    fs::write(&household.config, text + "pin_file = \"pin\"\n").unwrap();
}

fn daemon(household: &Household) -> Running {
    let mut command = ebp();
    command.args(["read", "--every", "--config"]).arg(&household.config);
    Running::start(command)
}

fn has(household: &Household, kind: IncidentType) -> bool {
    household.spool().has_incident(household.meters[0].parse().unwrap(), kind).unwrap()
}

/// How many values the measurements in the spool have, oldest first.
fn values(household: &Household) -> Vec<usize> {
    household.spool().pending(1000).unwrap().iter().map(|m| m.data.len()).collect()
}

/// How often a PIN was entered in vain, as it is remembered.
fn wrong_tries(household: &Household) -> u64 {
    let text = fs::read(household.folder.path().join("state/unlock-tries.json")).unwrap();
    let tries: Value = serde_json::from_slice(&text).unwrap();
    tries["meters"].as_object().unwrap().values().map(|m| m["wrong"].as_u64().unwrap()).sum()
}

#[test]
fn a_locked_meter_is_measured_unlocked_and_measured_in_detail() {
    let server = Server::start();
    let household = Household::register(&server, "erika@example.org", &[MODEL], "2s");
    give_pin(&household, "1000\n");
    let _meter = locked(household.folder.path());
    household.account(&server).grant();
    let mut reading = daemon(&household);
    reading.wait_for("is locked: its PIN is entered");
    let coarse = values(&household).len();
    assert!(coarse >= 1 && !has(&household, IncidentType::ObisCodesUnavailable));
    reading.wait_for("shows its details");
    wait_for("detailed measurements", || {
        let values = values(&household);
        (values.iter().filter(|count| **count > values[0]).count() >= 2).then_some(())
    });
    assert_eq!(wrong_tries(&household), 0);
    let run = reading.kill();
    assert!(!run.stderr.contains("1000"), "{run:#?}");
    household.transmit().done();
    let items = household.account(&server).measurements(&household.meters[0]);
    assert!(items.last().unwrap()["data"].to_string().contains("0100100700ff"), "{items:?}");
    assert!(
        items
            .iter()
            .all(|item| item.get("flags").is_none_or(|flags| *flags == serde_json::json!([]))),
        "{items:?}"
    );
}

#[test]
fn a_wrong_pin_is_an_incident_and_is_not_tried_again_and_again() {
    let server = Server::start();
    let household = Household::register(&server, "erika@example.org", &[MODEL], "2s");
    give_pin(&household, "2000\n");
    let _meter = locked(household.folder.path());
    household.account(&server).grant();
    let mut reading = daemon(&household);
    reading.wait_for("its PIN is entered");
    reading.wait_for("OBIS-CODES-UNAVAILABLE is reported");
    assert!(has(&household, IncidentType::ObisCodesUnavailable));
    assert_eq!(wrong_tries(&household), 1);
    reading.kill();
    // Neither a restart nor a one-shot tries again so soon; both measure what there is.
    let before = values(&household).len();
    let mut reading = daemon(&household);
    wait_for("further measurements", || (values(&household).len() >= before + 3).then_some(()));
    assert!(reading.lives());
    let run = reading.kill();
    assert!(!run.stderr.contains("its PIN is entered"), "{run:#?}");
    household.measure().done();
    assert_eq!(wrong_tries(&household), 1);
}

#[test]
fn a_head_that_falls_off_and_comes_back() {
    let server = Server::start();
    let household = Household::register(&server, "erika@example.org", &[MODEL], "1s");
    let meter = Meter::quick(household.folder.path(), MODEL);
    household.account(&server).grant();
    let mut reading = daemon(&household);
    wait_for("a measurement", || (!values(&household).is_empty()).then_some(()));
    meter.end().done();
    reading.wait_for("SERIAL-PORT-UNAVAILABLE is reported");
    assert!(has(&household, IncidentType::SerialPortUnavailable));
    let before = values(&household).len();
    let _meter = Meter::quick(household.folder.path(), MODEL);
    reading.wait_for("SERIAL-PORT-UNAVAILABLE has ended");
    wait_for("a measurement", || (values(&household).len() > before).then_some(()));
    assert!(!has(&household, IncidentType::SerialPortUnavailable));
    // Told to end, it ends well.
    reading.signal(rustix::process::Signal::TERM);
    reading.end().done();
}

#[test]
fn two_at_once_measure_each_slot_once() {
    let server = Server::start();
    let household = Household::register(&server, "erika@example.org", &[MODEL], "3s");
    let _meter = Meter::quick(household.folder.path(), MODEL);
    household.account(&server).grant();
    let mut both = [daemon(&household), daemon(&household)];
    wait_for("four measurements", || (values(&household).len() >= 4).then_some(()));
    assert!(both.iter_mut().all(Running::lives));
    let once = household.measure();
    assert!(once.code == Some(0) || once.stderr.contains("in use"), "{once:#?}");
    let pending = household.spool().pending(1000).unwrap();
    let cycle: ebp_core::cycle::Cycle = "3s".parse().unwrap();
    let slots: BTreeSet<_> = pending.iter().map(|m| cycle.slot(m.measured_at).key()).collect();
    assert_eq!(slots.len(), pending.len());
    assert!(!has(&household, IncidentType::SerialPortUnavailable));
}
