//! Configuration files that are read, and those that are refused.

use super::*;
use crate::spool::DEFAULT_MAX_BYTES;

const GOOD: &str = r#"spool = "spool"
[api]
url = "https://localhost:8443"
ca = "ca.pem"
certificate = "device.pem"
key = "/etc/ebp/device.key"
[cycle]
measurement = "5m"
[[meter]]
uuid = "6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a001"
model = "MT175"
port = "/dev/ttyUSB0"
"#;

fn load(text: &str) -> Result<DeviceConfig, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("device.toml");
    fs::write(&path, text).unwrap();
    DeviceConfig::load(&path)
        .map_err(|error| error.to_string().replace(&folder.path().display().to_string(), ""))
}

#[test]
fn relative_paths_start_at_the_file() {
    let config = load(GOOD).unwrap();
    assert!(config.spool.is_absolute() && config.spool.ends_with("spool"));
    assert_eq!(config.api.key, Path::new("/etc/ebp/device.key"));
    assert_eq!(config.cycle.measurement.to_string(), "5m");
    assert_eq!(config.cycle.report, Cycle::HOUR);
    assert_eq!(config.meters[0].port.to_string(), "/dev/ttyUSB0");
    assert_eq!(config.spool_options().max_bytes, DEFAULT_MAX_BYTES);
}

#[test]
fn errors_name_file_and_line() {
    for (from, to, expected) in [
        (
            "5m",
            "0m",
            "/device.toml:8: `0m` is no cycle: write a whole number with s, m or h, from 1s to 24h, such as 15m",
        ),
        (
            "model",
            "modell",
            "/device.toml:11: unknown field `modell`, expected one of `uuid`, `model`, `port`, `protocol`, `baud`, `address`, `pin_file`, `inf_presses`, `light`, `inverted`, `reset_usb`, `max_current_a`",
        ),
        (
            "/dev/ttyUSB0",
            "tcp://x",
            "/device.toml:12: `tcp://x` names no port: give a device such as /dev/ttyUSB0, tcp://host:port, a file, or -",
        ),
        (
            "\"spool\"\n",
            "\"spool\"\nspool_max_bytes = 1000\n",
            "/device.toml:2: a spool of 1000 bytes is too small: write 1048576 or more",
        ),
    ] {
        let failure = load(&GOOD.replace(from, to)).unwrap_err();
        assert_eq!(failure, expected);
    }
}

#[test]
fn the_example_is_true() {
    load(EXAMPLE).unwrap();
    // Each line that is a setting, though it is commented out; those that are no sentence.
    let whole: Vec<_> = EXAMPLE
        .lines()
        .map(|line| {
            let setting = |line: &&str| line.contains(" = ") || line.starts_with('[');
            line.strip_prefix("# ").filter(setting).unwrap_or(line)
        })
        .collect();
    let config = load(&whole.join("\n")).unwrap();
    let (cycle, default) = (&config.cycle, Cycles::default());
    assert_eq!((cycle.measurement, cycle.report), (default.measurement, default.report));
    assert_eq!((cycle.timeout, cycle.unlock_after), (default.timeout, default.unlock_after));
    assert_eq!(config.spool_max_bytes, DEFAULT_MAX_BYTES);
    assert_eq!(config.api.timeout, answer_timeout());
    let meter = &config.meters[0];
    assert!(meter.max_current_a.is_some() && meter.pin_file.is_some());
    assert!(meter.inf_presses.is_some() && meter.address.is_some());
    let publish = config.publish();
    assert!(publish.prometheus.is_some() && publish.json.is_some());
    assert_eq!(publish.interval(), Some(Duration::from_secs(10)));
    // Files are taken from the configuration's folder.
    let (mqtt, influx) = (publish.mqtt.unwrap(), publish.influx.unwrap());
    for file in [mqtt.ca, mqtt.password_file, influx.ca, influx.password_file] {
        assert!(file.unwrap().is_absolute());
    }
}

#[test]
fn what_makes_no_sense_for_a_meter_is_refused() {
    let with = |settings: &str| load(&format!("{GOOD}{settings}\n"));
    let meter = "meter 6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a001";
    for (settings, expected) in [
        ("inf_presses = 51", "/device.toml:13: 51 presses are too many: write 0 to 50"),
        ("inf_presses = 9", &format!("/device.toml: {meter}: inf_presses leads nowhere")),
        ("address = \"47/11\"", "/device.toml:13: an address has 1 to 32 printable ASCII"),
        ("address = 4711", "/device.toml:13: address must be a text in quotation marks"),
    ] {
        let failure = with(settings).unwrap_err();
        assert!(failure.starts_with(expected), "{settings}: {failure}");
        assert!(!failure.contains("47"), "a meter's number is told to nobody: {failure}");
    }
    let config = with("pin_file = \"pin\"\ninf_presses = 9\naddress = \"4711\"").unwrap();
    assert_eq!(config.meters[0].inf_presses, Some(9));
    assert_eq!(config.meters[0].address, "4711".parse().ok());
    assert!(!format!("{config:?}").contains("4711"));
}

#[test]
fn two_meters_on_one_port_are_refused() {
    let second = GOOD.split("[[meter]]").nth(1).unwrap().replace("a001", "a002");
    let failure = load(&format!("{GOOD}[[meter]]{second}")).unwrap_err();
    assert!(failure.contains("share the port"), "{failure}");
}

#[test]
fn updates_are_switched_on_by_their_section() {
    assert_eq!(load(GOOD).unwrap().update, None);
    let with = |section: &str| load(&GOOD.replace("[cycle]", &format!("{section}\n[cycle]")));
    let update = with("[update]\nsource = \"releases\"").unwrap().update.unwrap();
    assert!(update.source.as_ref().is_some_and(|source| source.is_absolute()), "{update:?}");
    assert_eq!(update.limits(), ebp_update::Limits::default());
    let update = with("[update]\nmanaged = \"flux\"\ntrial = \"16s\"").unwrap().update.unwrap();
    assert_eq!((update.managed, update.source), (ebp_update::Manager::Flux, None));
    for (wrong, told) in [
        ("trial = \"0s\"", "`0s` is no duration: write a number with s, m or h, such as 40m"),
        ("managed = \"me\"", "unknown variant `me`, expected `ebp` or `flux`"),
        ("url = \"https://x\"", "unknown field `url`"),
    ] {
        let error = with(&format!("[update]\n{wrong}")).unwrap_err();
        assert!(error.contains(told), "{error}");
    }
}
