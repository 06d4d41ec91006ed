//! Versions that services run for a while.

use std::fs;

use super::{Device, FLOOR, House, good, script, services::Services};
use crate::{
    run,
    support::{household::Api, process},
};

/// A version that works is kept, and the server knows it; one that cannot report goes back.
#[test]
fn a_version_that_works_is_kept_and_one_that_does_not_goes_back() {
    let house = House::new("32s");
    let device = &house.device;
    assert_eq!(device.launched(), FLOOR);
    device.desire("0.1.9", good("0.1.9").as_bytes());
    let run = device.round().done();
    let run =
        run.says(&["fetching version 0.1.9", "trying version 0.1.9; with it there have to be"]);
    let meter = format!("meter {}", house.household.meters[0]);
    run.says(&[&meter, "reports", "version 0.1.9 is kept"]);
    let status = device.status();
    assert_eq!(status["committed"], "0.1.9", "{status}");
    assert_eq!((&status["phase"], &status["floor"]), (&"idle".into(), &FLOOR.into()), "{status}");
    assert_eq!(device.launched(), "0.1.9");
    let account: Api = house.household.account(&house.server);
    let known = account.get("/household/measurement_device").to_string();
    assert!(known.contains("0.1.9"), "{known}");
    // Nothing more is to be done.
    assert_eq!(device.round().done().stderr, "");

    // It measures and never reports.
    let reader = good("0.1.9").replace("ebp 0.1.9", "ebp 0.1.8");
    let mute = reader.replace("case \"$1\" in\n", "case \"$1\" in\ntransmit) exec sleep 1000 ;;\n");
    device.desire("0.1.8", mute.as_bytes());
    let run = device.round().done();
    let reason = "with it these did not work, and had before: reports";
    run.says(&["going back from version 0.1.8", reason, "everything works again"]);
    assert_eq!(device.launched(), "0.1.9");
    device.round().done().says(&["version 0.1.8 was reverted and is refused"]);
    drop(house.services);
}

/// Without anything that worked before, a version still has to stay.
#[test]
fn a_version_that_exits_at_once_goes_back() {
    let device = Device::without_server();
    let _services = Services::start(&device, &["read"]);
    // The floor has no certificate, so that it ends at once, too, and nothing is demanded.
    device.desire("2.0.0", script("2.0.0", "exit 0", "exec sleep 1000").as_bytes());
    device.round().done().says(&["nothing worked before", "version 2.0.0 is kept"]);
    device.desire("2.1.0", script("2.1.0", "exit 0", "exit 1").as_bytes());
    let run = device.round().done().says(&["going back from version 2.1.0: read.service was"]);
    assert!(run.stderr.contains("restarted"), "{run:#?}");
    assert_eq!(device.launched(), "2.0.0");
    let status = device.status();
    assert!(status["refused"]["2.1.0"].as_str().unwrap().contains("restarted"), "{status}");

    process::run(device.command(&["retry", "2.1.0"]), b"").done();
    process::run(device.command(&["retry", "2.1.0"]), b"").refused(1, &["is not refused"]);
    assert!(device.status()["refused"].as_object().unwrap().is_empty());
    // Another version at that place is another matter.
    device.desire("2.1.0", script("2.1.0", "exit 0", "exec sleep 1000").as_bytes());
    device.round().done().says(&["version 2.1.0 is kept"]);
    assert_eq!(device.launched(), "2.1.0");
}

#[test]
fn the_program_tests_itself() {
    let house = House::new("32s");
    let config = &house.household.config;
    let run = run!("self-test", "--config", config).done();
    run.says(&["is understood", "a copy of the spool was opened", "the server answers"]);
    // A server that is away is no fault of the program; a wrong authority may be.
    let text = fs::read_to_string(config).unwrap();
    let port = house.server.port().to_string();
    let away = text.replace(&format!(":{port}"), ":1");
    let elsewhere = config.with_file_name("away.toml");
    fs::write(&elsewhere, away).unwrap();
    run!("self-test", "--config", elsewhere).done().says(&["that is no fault of this program"]);
    fs::write(&elsewhere, text.replace("[cycle]", "[cycle]\nx = 1")).unwrap();
    run!("self-test", "--config", elsewhere).refused(2, &["unknown field `x`"]);
    let own = fs::read_dir(std::env::temp_dir()).unwrap();
    let left = own.filter(|entry| {
        entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("ebp-self-test-")
    });
    assert_eq!(left.count(), 0);
}
