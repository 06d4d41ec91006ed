//! From the meter to the participant's account, with the commands that people type.

use std::{fs, path::Path};

use crate::run;
use crate::support::{
    ebp,
    household::Household,
    meter::Meter,
    process::Running,
    server::Server,
    stage::{DAY, Stage, stage},
    wait_for,
};
use serde_json::Value;

#[test]
fn from_the_meter_to_the_account() {
    let Stage { server, household, .. } = &stage();
    let account = household.account(server);

    // Before consent: nothing is measured, nothing sent.
    let words = ["consent is not granted", "the participant grants it"];
    household.measure().refused(4, &words);
    household.transmit().refused(4, &words);
    assert!(household.spool().is_empty().unwrap());
    assert_eq!(account.get("/household/consent")["state"], "not-granted");

    account.grant();
    household.measure().done().says(&["measured 2 meters"]);
    let spooled = household.spool().pending(10).unwrap();
    assert_eq!(spooled.len(), 2);
    // Again in the same slot: the measurements stay those that they are.
    household.measure().done().says(&["measured 0 meters (2 were"]);
    assert_eq!(household.spool().pending(10).unwrap(), spooled);
    for meter in &household.meters {
        assert!(account.measurements(meter).is_empty(), "nothing is sent before its time");
    }

    household.transmit().done().says(&["sent 2 measurements, 0 remain"]);
    assert!(household.spool().is_empty().unwrap());
    household.transmit().done().says(&["sent 0 measurements"]);
    // A slot that was sent is not measured again either.
    household.measure().done().says(&["measured 0 meters (2 were"]);
    household.transmit().done();

    // The account has exactly these, digit for digit.
    for spooled in &spooled {
        let items = account.measurements(&spooled.meter.to_string());
        assert_eq!(items.len(), 1);
        assert_eq!(items[0]["uuid"], spooled.uuid.to_string());
        assert_eq!(items[0]["measured_at"], spooled.measured_at.to_string());
        assert_eq!(items[0]["data"].to_string(), serde_json::to_string(&spooled.data).unwrap());
        let energy = items[0]["data"][0]["0100010800ff"].to_string();
        assert!(energy.starts_with("471"), "{energy}");
        // The meter's own identity never enters a measurement.
        assert!(!items[0].to_string().contains("server_id"));
        let codes = items[0]["data"].as_array().unwrap().iter();
        for code in codes.flat_map(|point| point.as_object().unwrap().keys()) {
            assert!(code.starts_with("0100"), "{code}");
        }
    }
    let format = run!("transmit", "--config", household.config, "--format", "json").done();
    assert_eq!(
        format.json()[0],
        serde_json::json!({
            "accepted": 0, "duplicate": 0, "refused": 0, "remaining": 0,
            "unplaced": 0, "incidents": 0, "status": true
        })
    );
}

#[test]
fn the_account_shows_the_registration() {
    let server = Server::start();
    let household = Household::register(&server, "erika@example.org", &["MT175"], DAY);
    let account = household.account(&server);
    assert_eq!(account.get("/account")["email"], "erika@example.org");
    assert_eq!(account.get("/household")["address"]["city"], "Wiesbaden");
    let meters = account.get("/household/meter");
    assert_eq!(meters[0]["uuid"], household.meters[0]);
    assert_eq!(meters[0]["model"], "MT175");
    assert_eq!(meters[0]["type"], "ELECTRICITY");
    assert_eq!(account.get("/household/measurement_device")[0]["uuid"], household.device);
    assert_eq!(account.get("/household/pv_system"), serde_json::json!([]));
    // A device reads the meters of one household.
    let file = household.folder.path().join("registration.json");
    let mut registration: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    registration["measurement_device"] = household.device.clone().into();
    fs::write(&file, registration.to_string()).unwrap();
    let again = run!("household", "add", "--further", file, "--data", server.data());
    again.refused(1, &["correct the file and try again; nothing was stored"]);
}

#[test]
fn a_revoked_consent_ends_it_for_good() {
    let Stage { server, household, .. } = &mut stage();
    household.account(server).grant();
    household.measure().done();
    assert_eq!(household.spool().len().unwrap(), 2);
    let spool = household.spool_folder();
    let marks: Vec<_> = household
        .spool()
        .pending(10)
        .unwrap()
        .iter()
        .map(|measurement| measurement.measured_at.to_string())
        .collect();

    household.account(server).revoke();
    let words = ["consent is revoked for good", "return the device"];
    household.transmit().refused(4, &words);
    for mark in &marks {
        assert!(!holds(&spool, mark), "a trace of {mark} is left");
    }
    household.measure().refused(4, &words);
    // The memory needs no server.
    server.end().done();
    household.measure().refused(4, &words);
    household.transmit().refused(4, &words);
    assert!(household.spool().is_revoked().unwrap());
    assert!(household.spool().is_empty().unwrap());
    server.go_on();
    household.measure().refused(4, &words);
}

/// A measuring daemon receives the revocation, purges and ends.
#[test]
fn a_daemon_ends_when_consent_is_revoked() {
    let server = Server::start();
    let household = Household::register(&server, "erika@example.org", &["MT175"], "1s");
    let _meter = Meter::quick(household.folder.path(), "MT175");
    let account = household.account(&server);
    account.grant();
    let daemon = |command: &str| {
        let mut ebp = ebp();
        ebp.args([command, "--every", "--config"]).arg(&household.config);
        Running::start(ebp)
    };
    let (measuring, transmitting) = (daemon("read"), daemon("transmit"));
    wait_for("three measurements", || {
        (account.measurements(&household.meters[0]).len() >= 3).then_some(())
    });
    account.revoke();
    for daemon in [measuring, transmitting] {
        let run = daemon.end();
        assert_eq!(run.code, Some(4), "{run:#?}");
        assert!(run.stderr.lines().last().unwrap().contains("consent is revoked for good"));
    }
    assert!(household.spool().is_empty().unwrap());
}

/// Whether any file of a folder has the text.
fn holds(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[test]
fn a_server_that_is_away_loses_nothing() {
    let Stage { server, household, .. } = &mut stage();
    // Never asked with success: nothing is measured.
    server.end().done();
    household.measure().refused(1, &["cannot reach https://localhost", "check the network"]);
    assert!(household.spool().is_empty().unwrap());
    server.go_on();
    household.account(server).grant();
    // Consent is heard of, then the server goes: the survey goes on.
    household.transmit().done();
    server.kill();
    household.measure().done().says(&["measured 2 meters"]);
    let words = ["cannot reach https://localhost", "check the network", "nothing is lost"];
    household.transmit().refused(1, &words);
    assert_eq!(household.spool().len().unwrap(), 2);
    server.go_on();
    household.transmit().done().says(&["sent 2 measurements, 0 remain"]);
    assert!(household.spool().is_empty().unwrap());
    for meter in &household.meters {
        assert_eq!(household.account(server).measurements(meter).len(), 1);
    }
}

#[test]
fn a_meter_that_is_silent_does_not_keep_others_from_being_measured() {
    let server = Server::start();
    let models = &["MT175", "MT681"];
    let household = Household::register(&server, "erika@example.org", models, DAY);
    let _meter = Meter::quick(household.folder.path(), "MT681");
    household.account(&server).grant();
    let run = household.measure();
    run.refused(1, &["MT175", "does not exist"]);
    assert_eq!(household.spool().len().unwrap(), 1);
    // It comes back within the slot and is made up for.
    let _other = Meter::quick(household.folder.path(), "MT175");
    household.measure().done().says(&["measured 1 meter (1 was"]);
}
