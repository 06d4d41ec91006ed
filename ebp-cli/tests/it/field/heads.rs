//! Reading heads as they are: plugged in elsewhere, hanging, hearing their own light, slipping.

use std::{fs, os::unix::fs::symlink};

use ebp_core::model::IncidentType;
use serde_json::Value;

use super::{daemon, pending};
use crate::{
    operate::metrics::sample,
    run,
    support::{household::Household, meter::Meter, server::Server, wait_for},
};

fn scene(model: &str) -> (Server, Household) {
    let server = Server::start();
    let household = Household::register(&server, "erika@example.org", &[model], "1s");
    household.account(&server).grant();
    (server, household)
}

fn has(household: &Household, kind: IncidentType) -> bool {
    household.spool().has_incident(household.meters[0].parse().unwrap(), kind).unwrap()
}

/// As udev does with a name below `/dev/serial/by-id`: the head comes back as another device, and
/// the link leads there.
#[test]
fn a_head_that_comes_back_under_another_name() {
    let (_server, household) = scene("MT175");
    let folder = household.folder.path();
    let by_id = folder.join("MT175");
    let plug = |name: &str| {
        let meter = Meter::start(&folder.join(name), ["--model", "MT175", "--interval", "300ms"]);
        let _ = fs::remove_file(&by_id);
        let device = fs::canonicalize(&meter.link).unwrap();
        symlink(&device, &by_id).unwrap();
        (meter, device)
    };
    let (first, device) = plug("first");
    let mut reading = daemon("read", &household);
    wait_for("a measurement", || (!pending(&household).is_empty()).then_some(()));
    // Its number is taken while the new one comes.
    let _taken = Meter::silent(folder);
    fs::remove_file(&by_id).unwrap();
    first.end().done();
    reading.wait_for("SERIAL-PORT-UNAVAILABLE is reported");
    let before = pending(&household).len();
    let _other = Meter::quick(folder, "MT681");
    let (_second, other) = plug("second");
    assert!(device != other || device.exists());
    reading.wait_for("SERIAL-PORT-UNAVAILABLE has ended");
    wait_for("a measurement", || (pending(&household).len() > before).then_some(()));
    assert!(!has(&household, IncidentType::SerialPortUnavailable));
    assert!(reading.lives());
}

/// One that is there and gives nothing any more: it is closed and opened again.
#[test]
fn a_head_that_hangs() {
    let (_server, household) = scene("MT175");
    let config = fs::read_to_string(&household.config).unwrap();
    let config = config.replace("timeout = \"10s\"", "timeout = \"1s\"");
    fs::write(&household.config, config).unwrap();
    let link = household.folder.path().join("MT175");
    let hanging = Meter::silent(household.folder.path());
    symlink(fs::canonicalize(&hanging.link).unwrap(), &link).unwrap();
    let mut reading = daemon("read", &household);
    reading.wait_for("SERIAL-PORT-UNAVAILABLE is reported");
    assert!(pending(&household).is_empty());
    fs::remove_file(&link).unwrap();
    let _meter = Meter::quick(household.folder.path(), "MT175");
    reading.wait_for("SERIAL-PORT-UNAVAILABLE has ended");
    wait_for("a measurement", || (!pending(&household).is_empty()).then_some(()));
}

/// The echo of the head's light while it enters the PIN is no telegram and no damage.
#[test]
fn a_head_that_hears_itself() {
    let (_server, household) = scene("MT175");
    let folder = household.folder.path();
    fs::write(folder.join("pin"), "1000").unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(folder.join("pin"), private).unwrap();
    let config = fs::read_to_string(&household.config).unwrap();
    let config = config.replace("timeout = ", "unlock_after = 1\ntimeout = ");
    fs::write(&household.config, config + "pin_file = \"pin\"\nlight = \"zero-bytes\"\n").unwrap();
    let locked = ["--model", "MT175", "--interval", "500ms", "--locked", "--pin", "1000", "--echo"];
    let _meter = Meter::start(&folder.join("MT175"), locked);
    let mut reading = daemon("read", &household);
    reading.wait_for("its PIN is entered");
    reading.wait_for("shows its details");
    assert!(!has(&household, IncidentType::ObisCodesUnavailable));
}

/// The rate of damaged telegrams is said, and is in the status here and in the server's metrics.
#[test]
fn a_head_that_slips() {
    let (server, household) = scene("MT175");
    server.set_secrets();
    let meter = ["--model", "MT175", "--interval", "100ms", "--noise", "--seed", "7"];
    let _meter = Meter::start(&household.folder.path().join("MT175"), meter);
    let mut reading = daemon("read", &household);
    reading.wait_for("may have slipped");
    let status = run!("device", "status", "--config", household.config, "--format", "json").done();
    let status: Value = status.json().remove(0);
    let damaged = status["meters"][0]["damaged_telegrams"].as_u64().unwrap();
    assert!(damaged > 0, "{status}");
    let table = run!("device", "status", "--config", household.config).done();
    let row = table.stdout.lines().find(|line| line.contains(&household.meters[0])).unwrap();
    assert!(row.contains(" % of "), "{table:#?}");

    reading.kill();
    household.transmit().done();
    let told = metric(&server, "ebp_meter_telegrams_total{outcome=\"damaged\"}");
    assert!(told >= damaged as f64, "{told} of {damaged}");
    assert!(metric(&server, "ebp_meter_telegrams_total{outcome=\"good\"}") > 0.0);
}

/// A sample that Prometheus would be given.
fn metric(server: &Server, name: &str) -> f64 {
    sample(server, name).unwrap_or_else(|| panic!("no {name}"))
}
