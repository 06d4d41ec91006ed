//! How a device is, for node_exporter's textfile collector.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use ebp_needs::needs;

use crate::support::{household::Household, meter::Meter, server::Server};

/// The tool of Prometheus finds no fault with the text, and says nothing of it.
pub fn promtool_accepts(text: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let checked = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && said.is_empty(), "{}: {said}", checked.status);
}

fn measured() -> (Server, Household, String) {
    let server = Server::start();
    let household = Household::register(&server, "erika@example.org", &["MT175"], "24h");
    let _meter = Meter::quick(household.folder.path(), "MT175");
    let config = fs::read_to_string(&household.config).unwrap();
    fs::write(&household.config, format!("metrics_file = \"ebp.prom\"\n{config}")).unwrap();
    household.account(&server).grant();
    household.measure().done();
    household.transmit().done();
    let text = fs::read_to_string(household.config.with_file_name("ebp.prom")).unwrap();
    (server, household, text)
}

#[test]
fn a_report_says_how_the_device_is_and_nothing_of_the_household() {
    let (_server, household, text) = measured();
    let value = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(name));
        line.unwrap_or_else(|| panic!("{name}: {text}"))
            .rsplit(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap()
    };
    assert_eq!(value("ebp_device_info{version="), 1.0);
    assert_eq!(value("ebp_device_spool_measurements{state=\"pending\"}"), 0.0);
    assert_eq!(value("ebp_device_consent_granted"), 1.0);
    assert_eq!(value("ebp_device_clock_synchronised"), 1.0);
    assert!(value("ebp_device_measured_timestamp_seconds") > 1_700_000_000.0);
    for never in [&household.device, &household.meters[0], "erika", "kWh"] {
        assert!(!text.contains(never), "{never}: {text}");
    }
    // A file that cannot be written costs no measurement.
    let config = fs::read_to_string(&household.config).unwrap();
    fs::write(&household.config, config.replace("ebp.prom", "nowhere/ebp.prom")).unwrap();
    household.transmit().done().says(&["nowhere/ebp.prom", "ReadWritePaths"]);
}

#[needs(promtool)]
#[test]
fn the_tool_of_prometheus_accepts_it() {
    let (_server, _household, text) = measured();
    promtool_accepts(&text);
}
