//! From the meter to the participant's account, with the commands that people type.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

mod support;

use std::{fs, path::Path};

use reqwest::StatusCode;
use serde_json::Value;
use support::{
    LIMIT, ebp,
    household::{Api, Certificate, Household, issue},
    meter::Meter,
    process::{Run, Running},
    server::Server,
    wait_for,
};

/// So long that no test sees two slots (but at midnight, when `in_one_slot` starts again).
const DAY: &str = "24h";

/// A server with a household and its two meters at work.
struct Stage {
    server: Server,
    household: Household,
    _meters: Vec<Meter>,
}

const MODELS: &[&str] = &["MT175", "MT681"];

fn stage() -> Stage {
    let server = Server::start();
    let household = Household::register(&server, "erika@example.org", MODELS, DAY);
    let meters = MODELS.iter().map(|model| Meter::quick(household.folder.path(), model)).collect();
    Stage { server, household, _meters: meters }
}

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
    household.measure().done().says(&["measured 2 meters (0 were"]);
    let spooled = household.spool().pending(10).unwrap();
    assert_eq!(spooled.len(), 2);
    // Again in the same slot: the measurements stay those that they are.
    household.measure().done().says(&["measured 0 meters (2 were"]);
    assert_eq!(household.spool().pending(10).unwrap(), spooled);
    for meter in &household.meters {
        assert!(account.measurements(meter).is_empty(), "nothing is sent before its time");
    }

    household
        .transmit()
        .done()
        .says(&["sent 2 measurements (0 of them were there already), 0 rem"]);
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
        serde_json::json!({"accepted": 0, "duplicate": 0, "refused": 0, "remaining": 0})
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
    let again = run!("household", "add", file, "--data", server.data());
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

/// A daemon that measures hears of the revocation, purges and ends by itself.
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
    let run = household.transmit();
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:#?}");
    run.says(&["cannot reach https://localhost", "check the network", "nothing is lost"]);
    assert_eq!(household.spool().len().unwrap(), 2);
    server.go_on();
    household.transmit().done().says(&["sent 2 measurements (0 of them"]);
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
    household.measure().done().says(&["measured 1 meters (1 were"]);
}

/// The last line says so; before it the gate may have warned that it could not ask.
#[track_caller]
fn not_authorized(run: Run, words: &[&str]) {
    assert_eq!((run.code, run.stdout.as_str()), (Some(5), ""), "{run:#?}");
    let last = run.stderr.lines().last().unwrap();
    for word in words {
        assert!(last.contains(word), "no `{word}` in {run:#?}");
    }
}

#[test]
fn only_the_right_certificate_is_let_in() {
    let Stage { server, household, .. } = &stage();
    household.account(server).grant();
    household.measure().done();
    let (data, path) = (server.data(), household.folder.path());
    let device = ["--device", &household.device];
    let configure = |certificate: &Certificate, ca: &Path| {
        household.configure(&server.url(), ca, certificate, MODELS, DAY);
    };
    let refused = |certificate: &Certificate, words: &[&str]| {
        configure(certificate, &server.ca());
        not_authorized(household.transmit(), words);
        assert_eq!(household.spool().len().unwrap(), 2, "nothing is lost");
    };

    // Of another authority.
    let elsewhere = tempfile::tempdir().unwrap();
    run!("ca", "init", "--data", elsewhere.path()).done();
    let foreign = issue(elsewhere.path(), &path.join("foreign"), &household.email, &device);
    refused(&foreign, &["does not accept this certificate", "ask the administrator"]);

    // Expired.
    let mut arguments = device.to_vec();
    arguments.extend(["--validity", "1s"]);
    let expired = issue(data, &path.join("expired"), &household.email, &arguments);
    wait_for("the certificate to expire", || {
        let answer = Api::new(server, &expired).try_get("/household/consent");
        answer.is_err().then_some(())
    });
    refused(&expired, &["this certificate has expired", "ask the administrator"]);

    // Revoked, from the next request on.
    let revoked = issue(data, &path.join("revoked"), &household.email, &device);
    run!("ca", "revoke", revoked.serial, "--data", data).done();
    refused(&revoked, &["401", "the certificate is revoked", "for a new certificate"]);
    let answer = Api::new(server, &revoked).try_get("/household/consent").unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);

    // Of nobody who is registered.
    let unknown = issue(data, &path.join("unknown"), "nobody@example.org", &device);
    let answer = Api::new(server, &unknown).try_get("/household/consent").unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    refused(&unknown, &["answers 401", "nobody is registered", "for a new certificate"]);

    // Without the scope: the participant's own writes no measurements.
    configure(&household.participant, &server.ca());
    not_authorized(household.transmit(), &["answers 403", "scope"]);
    assert_eq!(household.spool().len().unwrap(), 2);

    // The server is not the one we trust: nothing is sent to it, and it is not us who is refused.
    configure(&household.device_certificate, &elsewhere.path().join("authority/ca.pem"));
    let run = household.transmit();
    assert_eq!(run.code, Some(1), "{run:#?}");
    run.says(&["not from the authority we trust", "check `ca`"]);
    assert_eq!(household.spool().len().unwrap(), 2);

    // None at all.
    let mut missing = household.device_certificate.clone();
    missing.chain = path.join("missing.pem");
    configure(&missing, &server.ca());
    household.transmit().refused(1, &["missing.pem", "check the files under [api]"]);

    configure(&household.device_certificate, &server.ca());
    household.transmit().done().says(&["sent 2 measurements"]);
}

/// As somebody else's client sees it.
#[test]
fn without_a_certificate_nobody_is_let_in() {
    let server = Server::start();
    let household = Household::register(&server, "erika@example.org", &["MT175"], DAY);
    let curl = |more: &[&Path]| {
        let mut command = std::process::Command::new("curl");
        command.args([
            "--silent",
            "--show-error",
            "--noproxy",
            "*",
            "--max-time",
            "20",
            "--cacert",
        ]);
        command.arg(server.ca());
        for (option, file) in ["--cert", "--key"].iter().zip(more) {
            command.arg(option).arg(file);
        }
        command.arg(format!("{}/account", server.url())).output()
    };
    let Ok(refused) = curl(&[]) else {
        eprintln!("skipped: this machine has no curl");
        return;
    };
    let problem: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!(problem["status"], 401, "{problem}");
    assert_eq!(problem["type"], "urn:ebp:problem:unauthenticated");
    let Certificate { chain, key, .. } = &household.participant;
    let let_in = curl(&[chain, key]).unwrap();
    let account: Value = serde_json::from_slice(&let_in.stdout).unwrap();
    assert_eq!(account["email"], "erika@example.org");
}

#[test]
fn the_commands_of_the_authority() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    run!("ca", "list", "--data", data).refused(1, &["found one with `ebp ca init`"]);
    run!("serve", "--data", data).refused(1, &["found one with `ebp ca init`"]);
    run!("ca", "init", "--data", data).done();
    run!("ca", "init", "--data", data).refused(1, &["use it, or choose another folder"]);
    let mine = issue(data, data, "erika@example.org", &[]);
    let device = "6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a001";
    issue(data, data, "erika@example.org", &["--device", device]);
    run!(
        "ca",
        "issue",
        "--email",
        "erika@example.org",
        "--device",
        device,
        "--output",
        data,
        "--data",
        data
    )
    .refused(1, &["exists already", "choose another folder with --output"]);
    run!("ca", "issue", "--email", "no address", "--data", data).refused(1, &["write it as reg"]);
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(fs::metadata(&mine.key).unwrap().permissions().mode() & 0o777, 0o600);

    run!("ca", "revoke", mine.serial, "--data", data).done();
    let list = run!("ca", "list", "--data", data, "--format", "json").done().json();
    let own: Vec<_> = list.iter().filter(|entry| entry["serial"] == mine.serial.as_str()).collect();
    assert_eq!(own.len(), 1, "{list:#?}");
    assert!(own[0]["revoked_at"].is_string(), "{own:?}");
    assert!(list.iter().any(|entry| entry["device"] == device && entry["revoked_at"].is_null()));
    let csv = run!("ca", "list", "--data", data, "--format", "csv").done();
    assert_eq!(csv.stdout.lines().count(), 1 + list.len());
    let crl = run!("ca", "crl", "--data", data).done();
    assert!(crl.stdout.starts_with("-----BEGIN X509 CRL-----"), "{}", crl.stdout);
    run!("ca", "revoke", "00ff".repeat(8), "--data", data).refused(1, &["`ebp ca list` shows"]);
}

#[test]
fn a_server_ends_politely_and_says_when_it_cannot_start() {
    let mut server = Server::start();
    let address = server.url().replace("https://localhost", "127.0.0.1");
    let other = tempfile::tempdir().unwrap();
    run!("ca", "init", "--data", other.path()).done();
    let run = run!("serve", "--data", other.path(), "--listen", address);
    run.refused(1, &[&address, "choose another address with --listen"]);
    let begun = std::time::Instant::now();
    server.end().done();
    assert!(begun.elapsed() < LIMIT / 4);
}

#[test]
fn wrong_configurations_name_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("device.toml");
    run!("read", "--config", file).refused(2, &["device.toml does not exist"]);
    fs::write(&file, "spool = \"spool\"\nspeed = 3\n").unwrap();
    run!("transmit", "--config", file).refused(2, &["device.toml:2: unknown field `speed`"]);
    let server = folder.path().join("server.toml");
    fs::write(&server, "data = \".\"\nlisten = \"everywhere\"\n").unwrap();
    run!("serve", "--config", server).refused(2, &["server.toml:2:"]);
    let registration = folder.path().join("household.toml");
    fs::write(&registration, "[participant]\nname = 3\n").unwrap();
    run!("household", "add", registration, "--data", folder.path())
        .refused(2, &["household.toml:2:"]);
}
