//! What a device's daemons tell: at their start what they do and when next, and with -v each value.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
};

use crate::support::{
    ebp, household::Household, meter::Meter, process::Running, server::Server, wait_for,
};
use ebp_core::{
    clock::{Clock, SystemClock},
    cycle::Cycle,
};
use jiff::Timestamp;
use serde_json::{Value, json};

const MODEL: &str = "MT175";

/// A daemon of the household's device.
fn daemon(household: &Household, arguments: &[&str]) -> Running {
    let mut command = ebp();
    command.args(arguments).args(["--every", "--config"]).arg(&household.config);
    Running::start(command)
}

fn register(server: &Server, cycle: &str) -> (Household, Meter) {
    let household = Household::register(server, "erika@example.org", &[MODEL], cycle);
    let meter = Meter::quick(household.folder.path(), MODEL);
    household.account(server).grant();
    (household, meter)
}

/// The instant behind a word, as `at 2026-03-01T12:15:00Z, in 7m 12s` has it.
fn instant_behind(line: &str, word: &str) -> Timestamp {
    let rest = line.split(word).nth(1).unwrap_or_else(|| panic!("no `{word}` in {line}"));
    rest.split([',', ' ']).next().unwrap().parse().unwrap_or_else(|e| panic!("{e}: {line}"))
}

#[test]
fn what_is_measured_and_when_next() {
    let server = Server::start();
    let (household, meter) = register(&server, "24h");
    let before = SystemClock.now();
    let mut reading = daemon(&household, &["read"]);
    let told = reading.wait_for("measuring ");
    let expected = format!(
        "ebp: measuring 1 meter every 24h ({MODEL} at {}): now, next at ",
        meter.link.display()
    );
    assert!(told.starts_with(&expected), "{told}");
    // The next slot begins with the next day.
    let next = instant_behind(&told, "next at ");
    let day: Cycle = "24h".parse().unwrap();
    let slots = [before, SystemClock.now()];
    assert!(slots.iter().any(|at| next == day.slot(*at).end()), "{told}");
    assert!(told.split(", in ").nth(1).is_some_and(|wait| !wait.is_empty()), "{told}");
    wait_for("a measurement", || (household.spool().len().unwrap() == 1).then_some(()));
    // Values are told to those who ask for them.
    let quiet = reading.kill();
    assert!(!quiet.stderr.contains("kWh"), "{quiet:#?}");

    // What is measured already is not measured now.
    let mut reading = daemon(&household, &["read"]);
    let told = reading.wait_for("measuring ");
    assert!(told.contains("): next at ") || told.contains(&next.to_string()), "{told}");
}

#[test]
fn each_measurement_with_v() {
    let server = Server::start();
    let (household, meter) = register(&server, "2s");
    let mut reading = daemon(&household, &["read", "-v"]);
    let told = reading.wait_for("kWh");
    let name = format!("meter {} at {}", household.meters[0], meter.link.display());
    assert!(told.contains(&name), "{told}");
    let measured = wait_for("it in the spool", || household.spool().pending(1).unwrap().pop());
    let (energy, power) = (measured.data[0].value, measured.data.last().unwrap().value);
    assert!(told.contains(&format!("1.8.0 {energy} kWh, ")), "{told}: {measured:?}");
    assert!(told.contains(&format!("16.7.0 {power} kW, measured at ")), "{told}: {measured:?}");
    assert_eq!(instant_behind(&told, "measured at "), measured.measured_at);
}

#[test]
fn where_to_and_what_is_sent() {
    let server = Server::start();
    let (household, _meter) = register(&server, "24h");
    household.measure().done();
    let measured = household.spool().pending(1).unwrap().remove(0);
    let mut sending = daemon(&household, &["transmit", "-v"]);
    let told = sending.wait_for("sending to ");
    let expected = format!("ebp: sending to {} every 1s: next ", server.url());
    let when = told.strip_prefix(&expected).unwrap_or_else(|| panic!("{told}"));
    assert!(when == "now" || when.starts_with("at "), "{told}");
    let told = sending.wait_for("sending: meter ");
    let expected =
        format!("sending: meter {}: 1.8.0 {} kWh", measured.meter, measured.data[0].value);
    assert!(told.contains(&expected), "{told}");
    assert_eq!(instant_behind(&told, "measured at "), measured.measured_at);
    sending.wait_for("sent 1 measurement, 0 remain");
    sending.kill();

    // Without -v the values stay where they are.
    let mut quiet = daemon(&household, &["transmit"]);
    quiet.wait_for("sent 0 measurements, 0 remain");
    assert!(!quiet.kill().stderr.contains("kWh"));
}

/// The daemon's answer to a line at its socket.
fn ask(household: &Household, line: &str) -> Value {
    let socket = household.config.with_file_name("read.sock");
    let mut stream = wait_for("the socket", || UnixStream::connect(&socket).ok());
    stream.write_all(format!("{line}\n").as_bytes()).unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

fn with_socket(household: &Household) {
    let config = fs::read_to_string(&household.config).unwrap();
    fs::write(&household.config, format!("socket = \"read.sock\"\n{config}")).unwrap();
}

#[test]
fn other_programs_ask_at_the_socket() {
    let server = Server::start();
    let (household, _meter) = register(&server, "24h");
    with_socket(&household);
    let meter = &household.meters[0];
    let mut reading = daemon(&household, &["read"]);
    reading.wait_for("measuring ");
    wait_for("a measurement", || (household.spool().len().unwrap() == 1).then_some(()));

    let status = &ask(&household, r#"{"ask": "status"}"#)["status"];
    assert_eq!(status["consent"], "granted", "{status}");
    assert_eq!((&status["pending"], &status["refused"]), (&json!(1), &json!(0)), "{status}");
    let measured = household.spool().pending(1).unwrap().remove(0);
    assert_eq!(status["newest"][0], json!(measured), "{status}");
    assert_eq!(status["meters"][0]["measured_at"], json!(measured.measured_at), "{status}");
    assert_eq!(status["meters"][0]["model"], MODEL, "{status}");

    let now = &ask(&household, &json!({"ask": "now", "meter": meter}).to_string())["telegram"];
    assert_eq!(now["meter"], json!(meter), "{now}");
    let at: Timestamp = now["at"].as_str().unwrap().parse().unwrap();
    assert!(at > measured.measured_at, "{now}: {measured:?}");
    assert_eq!(now["data"][0]["obis"], json!(measured.data[0])["obis"], "{now}");
    // It is no measurement.
    assert_eq!(household.spool().len().unwrap(), 1);

    let other = json!({"ask": "now", "meter": household.device}).to_string();
    assert_eq!(ask(&household, &other)["refusal"]["reason"], "unknown-meter");
    for wrong in ["", "{}", r#"{"ask": "all"}"#, r#"{"ask": "status", "more": 1}"#, "[[[["] {
        assert_eq!(ask(&household, wrong)["refusal"]["reason"], "not-understood", "{wrong}");
    }
    let socket = household.config.with_file_name("read.sock");
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o660);
    // A second daemon of the same device does not take the socket away.
    let mut second = daemon(&household, &["read"]);
    second.wait_for("requests cannot be answered");
    second.kill();
    assert!(ask(&household, r#"{"ask": "status"}"#)["status"].is_object());
    // What a killed daemon leaves behind is replaced.
    reading.kill();
    assert!(socket.exists());
    let mut reading = daemon(&household, &["read"]);
    reading.wait_for("measuring ");
    assert!(ask(&household, r#"{"ask": "status"}"#)["status"].is_object());
    reading.kill();
}

#[test]
fn nothing_is_read_at_the_socket_without_consent() {
    let server = Server::start();
    let household = Household::register(&server, "erika@example.org", &[MODEL], "24h");
    let _meter = Meter::quick(household.folder.path(), MODEL);
    with_socket(&household);
    let mut reading = daemon(&household, &["read"]);
    reading.wait_for("consent is not granted");
    let status = &ask(&household, r#"{"ask": "status"}"#)["status"];
    assert_eq!(status["consent"], "not-granted", "{status}");
    let now = json!({"ask": "now", "meter": household.meters[0]}).to_string();
    assert_eq!(ask(&household, &now)["refusal"]["reason"], "no-consent");
    reading.kill();
}
