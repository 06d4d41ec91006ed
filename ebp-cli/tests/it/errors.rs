//! Error reports of the program, at a real HTTP server.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use ebp_testkit::receiver::{Answers, Received, Receiver};
use serde_json::{Value, json};

use crate::{
    operate::{page, people::Participant},
    run,
    support::{ebp, household::Household, process, process::Running, server::Server, wait_for},
};

/// The key of the project.
const KEY: &str = "0123456789abcdef0123456789abcdef";

/// What no report may have in it, whatever failed.
const NEVER: [&str; 8] = [
    "Erika",
    "erika@example.org",
    "Musterstraße",
    "65183",
    "127.0.0.1",
    "localhost",
    "MT175",
    "canary",
];

fn dsn(receiver: &Receiver) -> String {
    format!("http://{KEY}@{}/7", receiver.address())
}

/// The events so far; asserts of each that nothing of the household is in it.
fn events(receiver: &Receiver, household: &[&str]) -> Vec<Value> {
    let event = |received: &Received| {
        let text = String::from_utf8(received.body.clone()).unwrap();
        for never in NEVER.iter().chain(household) {
            assert!(!text.contains(never), "{never}: {text}");
        }
        serde_json::from_str(text.split('\n').nth(2).unwrap()).unwrap()
    };
    receiver.received().iter().map(event).collect()
}

fn with_errors(config: &Path, receiver: &Receiver) {
    let text = fs::read_to_string(config).unwrap();
    let section = format!("[errors]\ndsn = {:?}\ndevice = \"hall-7\"\n[api]", dsn(receiver));
    fs::write(config, text.replace("[api]", &section)).unwrap();
}

fn with_config(arguments: &[&str], config: &Path) -> Command {
    let mut command = ebp();
    command.args(arguments).arg("--config").arg(config);
    command
}

/// Waits for a daemon's report of the panic that was asked for.
fn await_panic(receiver: &Receiver, component: &str, household: &[&str]) {
    let found = wait_for(&format!("a panic of {component}"), || {
        let of_it =
            |event: &Value| event["tags"]["component"] == component && event["level"] == "fatal";
        events(receiver, household).into_iter().find(of_it)
    });
    assert_eq!(found["release"], concat!("ebp@", env!("CARGO_PKG_VERSION")), "{found}");
    assert_eq!(found["server_name"], "");
    assert_eq!(found["tags"]["arch"], std::env::consts::ARCH);
    let panic = &found["exception"]["values"][0];
    assert_eq!(panic["type"], "panic");
    let place = panic["value"].as_str().unwrap();
    assert!(place.starts_with("ebp-cli/src/error_report.rs:"), "{place}");
    let frames = panic["stacktrace"]["frames"].as_array().unwrap();
    let innermost = frames.last().unwrap()["function"].as_str().unwrap();
    assert!(innermost.starts_with("ebp::") && innermost.ends_with("panic_for_a_test"), "{panic:#}");
}

#[test]
fn a_panic_in_each_daemon_arrives_with_version_and_function() {
    let receiver = Receiver::start();
    let (dsn, asked) = (dsn(&receiver), ("EBP_TEST_PANIC", "canary"));
    let server = Server::start_in(&[("EBP_ERRORS_DSN", &dsn), asked]);
    await_panic(&receiver, "server", &[]);

    let household = Household::register(&server, "erika@example.org", &["MT175"], "24h");
    let text = fs::read_to_string(&household.config).unwrap();
    let tunnel = "[tunnel]\nsocket = \"tunnel.sock\"\n[cycle]";
    fs::write(&household.config, text.replace("[cycle]", tunnel)).unwrap();
    with_errors(&household.config, &receiver);
    let never = [household.device.as_str(), household.meters[0].as_str()];
    for (component, arguments) in [
        ("measuring", ["read", "--every"].as_slice()),
        ("sending", &["transmit", "--every"]),
        ("tunnel", &["tunnel"]),
    ] {
        let mut command = with_config(arguments, &household.config);
        command.env(asked.0, asked.1);
        let mut daemon = Running::start(command);
        await_panic(&receiver, component, &never);
        assert!(daemon.is_running(), "{component}: a thread's panic ends no daemon");
        assert!(daemon.kill().stderr.contains("panicked at"), "{component}");
    }
    // A process that is killed between an answer and what it does next sends an event again.
    let named = |event: &Value| event["tags"]["device"] == "hall-7" && event["level"] == "fatal";
    let all = events(&receiver, &never).into_iter().filter(named);
    let distinct: BTreeSet<String> = all.map(|event| event["event_id"].to_string()).collect();
    assert_eq!(distinct.len(), 3);
}

#[test]
fn a_panic_of_the_page_arrives_too() {
    let receiver = Receiver::start();
    let server = Server::start();
    server.set_secrets();
    let erika = Participant::register(&server, "Erika Beispiel", "erika@example.org");
    let (_, _, config) = page::enrol(&server, &erika);
    let path = erika.folder.path().join("page.toml");
    fs::write(&path, config).unwrap();
    with_errors(&path, &receiver);
    let mut command = with_config(&["serve", "device"], &path);
    command.env("EBP_TEST_PANIC", "canary");
    let page = Running::start(command);
    await_panic(&receiver, "page", &[&erika.device.to_string(), &erika.meter.to_string()]);
    page.kill();
}

#[test]
fn what_fails_while_the_service_is_away_is_sent_by_the_next_start() {
    let receiver = Receiver::start();
    receiver.answer_with(Answers::Closed);
    let mut server = Server::start();
    let household = Household::register(&server, "erika@example.org", &["MT175"], "24h");
    with_errors(&household.config, &receiver);
    server.kill();
    // The server is not reached, and no head is there.
    let transmit = || {
        let run = household.transmit().says(&["check the network"]);
        assert_eq!(run.code, Some(1), "{run:#?}");
        run
    };
    transmit().says(&["errors cannot be sent", "they are kept"]);
    household.measure();
    assert!(receiver.received().is_empty());
    let queue = household.spool_folder().join("errors/queue");
    assert!(fs::read_dir(&queue).unwrap().count() >= 1);

    receiver.answer_with(Answers::Status(200, Vec::new()));
    transmit();
    let never = [household.device.as_str(), household.meters[0].as_str()];
    let events = events(&receiver, &never);
    assert!(events.len() >= 2, "{events:#?}");
    let types = |event: &Value| -> Vec<String> {
        let values = event["exception"]["values"].as_array().unwrap();
        values.iter().map(|value| value["type"].as_str().unwrap().to_owned()).collect()
    };
    let first = types(&events[0]);
    assert_eq!(first.last().map(String::as_str), Some("ClientError::Unreachable"), "{first:?}");
    assert_eq!(events[0]["tags"]["component"], "sending");
    assert_eq!(fs::read_dir(&queue).unwrap().count(), 0);

    // What was counted is listed.
    let listed = run!("errors", "list", "--config", household.config, "--format", "json").done();
    let groups = listed.json();
    let sending = groups.iter().find(|group| group["component"] == "sending").unwrap();
    assert_eq!(sending["types"][0], "ClientError::Unreachable", "{groups:#?}");
    assert_eq!(sending["count"], 2);
    assert_eq!(sending["group"], events[0]["fingerprint"][0]);
    let table = run!("errors", "list", "--folder", household.spool_folder().join("errors")).done();
    assert!(table.stdout.contains("ClientError::Unreachable"), "{table:?}");
    table.says(&["ebp: 0 reports to send; "]);
}

#[test]
fn nothing_is_sent_without_a_dsn_and_everything_is_counted() {
    let mut server = Server::start();
    let household = Household::register(&server, "erika@example.org", &["MT175"], "24h");
    server.kill();
    household.transmit().refused(1, &["check the network"]);
    let folder = household.spool_folder().join("errors");
    assert!(!folder.join("queue").exists());
    let groups = run!("errors", "list", "--config", household.config, "--format", "json").done();
    assert_eq!(groups.json()[0]["count"], 1);
    // What the participant has not decided yet is no error.
    server.go_on();
    household.transmit().refused(4, &["consent is not granted"]);
    let groups = run!("errors", "list", "--config", household.config, "--format", "json").done();
    assert_eq!(groups.json().len(), 1);
    run!("errors", "test", "--config", household.config).refused(2, &["no error tracking service"]);
}

#[test]
fn a_report_to_try_the_service_with() {
    let receiver = Receiver::start();
    let folder = tempfile::tempdir().unwrap();
    let test = |variable: (&str, &str)| {
        let mut command = ebp();
        command.args(["errors", "test", "--folder"]).arg(folder.path().join("errors"));
        command.env(variable.0, variable.1);
        process::run(command, b"")
    };
    test(("EBP_ERRORS_DSN", &dsn(&receiver))).done().says(&["took the report in"]);
    let event = events(&receiver, &[]).remove(0);
    assert_eq!(event["exception"]["values"][0]["type"], "Test");
    let frames = event["exception"]["values"][0]["stacktrace"]["frames"].as_array().unwrap();
    let is_main = |frame: &Value| frame["function"] == "ebp::main";
    assert!(frames.iter().any(is_main), "{frames:#?}");
    assert_eq!(event["extra"], json!({}));
    // A service that is away keeps the report here; a wrong DSN is named without its key.
    receiver.answer_with(Answers::Closed);
    test(("EBP_ERRORS_DSN", &dsn(&receiver))).refused(1, &["is not reached", "sent later"]);
    let wrong = test(("EBP_ERRORS_DSN", &format!("ftp://{KEY}@example.org/1")));
    assert!(!wrong.stderr.contains(KEY), "{wrong:?}");
    wrong.refused(2, &["EBP_ERRORS_DSN: a DSN is of the form"]);
    let missing = run!("errors", "list", "--config", folder.path().join("no.toml"));
    missing.refused(2, &["no.toml does not exist"]);
}

/// What is wrong with a configuration is said of it, and what was counted is shown nevertheless.
#[test]
fn a_configuration_that_cannot_be_used_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("device.toml");
    let ask = |what: &str, text: &str, data: Option<&Path>| {
        fs::write(&config, text).unwrap();
        let mut command = with_config(&["errors", what], &config);
        command.env_remove("EBP_SERVER_DATA").envs(data.map(|data| ("EBP_SERVER_DATA", data)));
        process::run(command, b"")
    };
    for wrong in ["dsn = \"https://errors.example.org/1\"", "dsn = \"ftp://a@b/1\"", "dsn = \"\""] {
        let text = format!("spool = \"spool\"\n[errors]\n{wrong}\n");
        ask("test", &text, None).refused(2, &["device.toml: [errors]: a DSN is of the form"]);
        ask("list", &text, None).done().says(&["0 reports to send"]);
    }
    let unknown = "spool = \"spool\"\n[errors]\ndns = \"x\"\n";
    ask("test", unknown, None).refused(2, &["[errors]: unknown field `dns`"]);
    ask("list", "spool = \n", None).refused(2, &["device.toml:1: "]);
    let nothing = "[errors]\ndevice = \"hall-7\"\n";
    ask("list", nothing, None).refused(2, &["names neither `spool`, `data` nor `state`"]);
    // Of what was counted where the section names a folder, and where the environment names the data.
    let own = |folder: &str| format!("data = \"data\"\n[errors]\ndsn = 7\nfolder = {folder:?}\n");
    let receiver = Receiver::start();
    let dsn = dsn(&receiver);
    for (text, data, counted) in [
        (own("own"), None, "own"),
        ("listen = \"127.0.0.1:0\"\n".to_owned(), Some("elsewhere"), "elsewhere/errors"),
    ] {
        let counted = folder.path().join(counted);
        let mut command = ebp();
        command.args(["errors", "test", "--folder"]).arg(&counted).env("EBP_ERRORS_DSN", &dsn);
        process::run(command, b"").done();
        let data = data.map(|data| folder.path().join(data));
        let listed = ask("list", &text, data.as_deref()).done();
        assert!(listed.stdout.contains("Test"), "{listed:?}");
    }
}

#[test]
fn a_service_of_a_private_authority_is_trusted_by_its_certificate_alone() {
    let (receiver, root) = Receiver::start_tls();
    let (_, foreign) = Receiver::start_tls();
    let folder = tempfile::tempdir().unwrap();
    let of = |name: &str| format!("https://{KEY}@{name}:{}/7", receiver.address().port());
    let test = |dsn: &str, authority: &str| {
        fs::write(folder.path().join("ca.pem"), authority).unwrap();
        let config = folder.path().join("server.toml");
        let text = format!("data = \"data\"\n[errors]\ndsn = {dsn:?}\nca = \"ca.pem\"\n");
        fs::write(&config, text).unwrap();
        process::run(with_config(&["errors", "test"], &config), b"")
    };
    // A certificate of another authority, and one of another name: nothing is said to such a service.
    test(&of("localhost"), &foreign).refused(1, &["is not reached", "sent later"]);
    test(&of("127.0.0.1"), &root).refused(1, &["is not reached", "sent later"]);
    assert!(receiver.received().is_empty());
    test(&of("localhost"), "no certificate").refused(1, &["ca.pem", "no certificate in PEM"]);

    // What waited is sent, too.
    let taken = test(&of("localhost"), &root).done().says(&["took the report in"]);
    assert!(!taken.stderr.contains(KEY), "{taken:?}");
    let events = events(&receiver, &[]);
    assert!(!events.is_empty(), "it arrives");
    let types = |event: &Value| event["exception"]["values"][0]["type"].clone();
    assert!(events.iter().all(|event| types(event) == "Test"), "{events:#?}");
    let head = receiver.received()[0].head.to_ascii_lowercase();
    assert!(head.contains(&format!("sentry_key={KEY}")), "{head}");
}

/// A device measures though its reports cannot be sent.
#[test]
fn a_wrong_dsn_of_the_environment_stops_nothing() {
    let server = Server::start();
    let household = Household::register(&server, "erika@example.org", &["MT175"], "24h");
    household.account(&server).grant();
    let mut command = with_config(&["transmit"], &household.config);
    command.env("EBP_ERRORS_DSN", "nonsense");
    process::run(command, b"").done().says(&["errors are counted on this machine alone", "sent 0"]);
}
