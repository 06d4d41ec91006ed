//! MQTT against Debian's mosquitto: plain, with TLS and an own authority, with a wrong password, and
//! with a broker that is gone for a while.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

mod broker;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use broker::{Broker, Files, Subscriber, wait_for};
use ebp_needs::needs;
use ebp_publish::{
    Meter, Notice, PublishConfig, PublishError, Publisher, Reading, config::MqttConfig,
};
use serde_json::Value;

const UUID: &str = "6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a002";
const OPEN: &str = "allow_anonymous true\n";

type Notices = Arc<Mutex<Vec<Notice>>>;

struct Household {
    publisher: Publisher,
    meter: Meter,
    notices: Notices,
    second: u64,
}

impl Household {
    fn start(config: MqttConfig) -> Self {
        let meter = Meter::new(UUID.parse().unwrap(), Some("MT175".to_owned()));
        let notices = Notices::default();
        let heard = Arc::clone(&notices);
        let config = PublishConfig { mqtt: Some(config), ..PublishConfig::default() };
        let hear = move |notice| heard.lock().unwrap().push(notice);
        let publisher = Publisher::start(&config, std::slice::from_ref(&meter), hear).unwrap();
        Self { publisher, meter, notices, second: 0 }
    }

    /// Ten simulated seconds later the meter shows that.
    fn read(&mut self, import: &str) {
        self.second += 10;
        let at = jiff::Timestamp::from_second(1_790_000_000 + i64::try_from(self.second).unwrap());
        let reading = Reading {
            import_kwh: Some(import.parse().unwrap()),
            power_kw: Some("0.250".parse().unwrap()),
            ..Reading::new(at.unwrap())
        };
        self.publisher.offer(&self.meter, &reading, Duration::from_secs(self.second));
    }

    #[track_caller]
    fn wait_until_it_works(&self) {
        self.wait_for_notice(|notice| matches!(notice, Notice::Works(_)));
    }

    #[track_caller]
    fn wait_for_notice(&self, is_it: impl Fn(&Notice) -> bool) {
        wait_for("notice", || self.notices.lock().unwrap().iter().any(&is_it).then_some(()));
    }
}

fn import(payload: &str) -> String {
    serde_json::from_str::<Value>(payload).unwrap()["import_kwh"].to_string()
}

#[needs(mosquitto)]
#[test]
fn a_meter_is_announced_published_and_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(folder.path(), OPEN);
    let subscriber = Subscriber::start(broker.port, &[]);
    let mut household = Household::start(MqttConfig::new(
        format!("mqtt://localhost:{}", broker.port).parse().unwrap(),
    ));
    assert_eq!(subscriber.next("/availability"), "online");
    let discovery: Value = serde_json::from_str(&subscriber.next("/config")).unwrap();
    assert_eq!(discovery["cmps"]["import"]["state_class"], "total_increasing");
    household.read("100.51");
    household.read("100.52");
    let state = subscriber.next("/state");
    assert_eq!(import(&state), "100.52");
    // The register falls, is coarse, missing; then it goes on.
    for value in ["90.10", "100.60", "100", "0.00", "100.70"] {
        household.read(value);
        std::thread::sleep(Duration::from_millis(50));
    }
    let published: Vec<String> =
        subscriber.rest("/state").iter().map(|payload| import(payload)).collect();
    assert_eq!(published, ["100.60", "100.70"]);

    // Home Assistant was started: everything once more.
    let birth = ["-h", "localhost", "-t", "homeassistant/status", "-m", "online", "-p"];
    let port = broker.port.to_string();
    let sent = std::process::Command::new("mosquitto_pub").args(birth).arg(&port).status().unwrap();
    assert!(sent.success());
    subscriber.next("/config");
    assert_eq!(import(&subscriber.next("/state")), "100.70");

    drop(household);
    assert_eq!(subscriber.next("/availability"), "offline");
    // Retained, and without anything that names meter or survey.
    let late = Subscriber::start(broker.port, &[]);
    assert_eq!(import(&late.next("/state")), "100.70");
    assert!(!state.contains(UUID));
}

#[needs(mosquitto)]
#[test]
fn tls_with_an_own_authority_and_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::make(folder.path());
    let passwords = folder.path().join("passwords");
    let made = std::process::Command::new("mosquitto_passwd")
        .args(["-b", "-c"])
        .arg(&passwords)
        .args(["erika", "hunter2"])
        .status()
        .unwrap();
    assert!(made.success());
    let settings = format!(
        "{}allow_anonymous false\npassword_file {}\n",
        files.settings(),
        passwords.display()
    );
    let broker = Broker::start(folder.path(), &settings);
    let password = folder.path().join("password");
    let write = |text: &str| {
        fs::write(&password, text).unwrap();
        fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
    };
    let config = || {
        let address = format!("mqtts://erika@localhost:{}", broker.port);
        let mut config = MqttConfig::new(address.parse().unwrap());
        config.ca = Some(files.ca.clone());
        config.password_file = Some(password.clone());
        config
    };

    write("hunter3\n");
    let household = Household::start(config());
    household.wait_for_notice(|notice| {
        matches!(notice, Notice::Failed(_, PublishError::Refused { .. }))
    });
    // It tries again, and says nothing more.
    std::thread::sleep(Duration::from_secs(3));
    let notices = household.notices.lock().unwrap();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(!format!("{notices:?}").contains("hunter"));
    drop(notices);
    drop(household);

    write("hunter2\n");
    let mut household = Household::start(config());
    household.wait_until_it_works();
    let ca = files.ca.to_string_lossy();
    let subscriber =
        Subscriber::start(broker.port, &["--cafile", &ca, "-u", "erika", "-P", "hunter2"]);
    household.read("100.51");
    household.read("100.52");
    assert_eq!(import(&subscriber.next("/state")), "100.52");

    // Without the authority the broker is not trusted.
    let mut distrusting = config();
    distrusting.ca = None;
    let household = Household::start(distrusting);
    household.wait_for_notice(|notice| {
        matches!(notice, Notice::Failed(_, PublishError::Unreachable { .. }))
    });
}

#[needs(mosquitto)]
#[test]
fn a_broker_that_is_gone_delays_nothing_and_gets_no_burst() {
    let folder = tempfile::tempdir().unwrap();
    let mut broker = Broker::start(folder.path(), OPEN);
    let address = format!("mqtt://localhost:{}", broker.port);
    let mut household = Household::start(MqttConfig::new(address.parse().unwrap()));
    household.wait_until_it_works();
    household.read("100.000");
    household.read("100.001");
    broker.stop();
    household.wait_for_notice(|notice| matches!(notice, Notice::Failed(..)));
    household.notices.lock().unwrap().clear();
    // Ten minutes and more of simulated time: 600 readings.
    let begun = Instant::now();
    for reading in 2..602 {
        household.read(&format!("100.{reading:03}"));
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(1), "600 readings were offered in {took:?}");
    broker.restart();
    let subscriber = Subscriber::start(broker.port, &[]);
    assert_eq!(subscriber.next("/availability"), "online");
    household.wait_until_it_works();
    let mut published = vec![import(&subscriber.next("/state"))];
    published.extend(subscriber.rest("/state").iter().map(|payload| import(payload)));
    // What was read last, and at most what was under way when the broker went.
    assert_eq!(published.last().map(String::as_str), Some("100.601"));
    assert!(published.len() <= 2, "{published:?}");
    household.read("100.602");
    assert_eq!(import(&subscriber.next("/state")), "100.602");
}
