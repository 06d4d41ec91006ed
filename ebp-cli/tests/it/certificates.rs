//! Who is let in: certificates of the authority, of others, expired, revoked, none.

use std::{fs, path::Path};

use crate::run;
use crate::support::{
    household::Household,
    household::{Api, Certificate, issue},
    server::Server,
    stage::{DAY, MODELS, Stage, stage},
    wait_for,
};
use ebp_needs::needs;
use reqwest::StatusCode;
use serde_json::Value;

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
        household.transmit().refused(5, words);
        assert_eq!(household.spool().len().unwrap(), 2, "nothing is lost");
    };

    // Of another authority.
    let elsewhere = tempfile::tempdir().unwrap();
    run!("ca", "init", "--data", elsewhere.path()).done();
    let (nobody, here) = (uuid::Uuid::nil().to_string(), &household.device);
    let nobody = ["--device", here.as_str(), "--participant", &nobody];
    let foreign = issue(elsewhere.path(), &path.join("foreign"), &household.email, &nobody);
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

    // Of nobody who is registered: none is issued, and one from before the database knew better is
    // of no use, nor would a new one be.
    let mut of_nobody = vec!["ca", "issue", "--email", "nobody@example.org", "--data"];
    let unknown = path.join("unknown");
    of_nobody.extend([data.to_str().unwrap(), "--output", unknown.to_str().unwrap()]);
    of_nobody.extend(nobody);
    crate::support::run(&of_nobody).refused(1, &["nobody is registered with that e-mail address"]);
    // On a machine of its own an authority has a file, which servers import.
    let machine = tempfile::tempdir().unwrap();
    let copy = machine.path().join("authority");
    fs::create_dir(&copy).unwrap();
    for file in ["ca.pem", "ca.key"] {
        fs::copy(data.join("authority").join(file), copy.join(file)).unwrap();
    }
    let device = uuid::Uuid::from_u128(1).to_string();
    let gone = ["--device", &device, "--participant", nobody[3]];
    let unknown = issue(machine.path(), &unknown, "nobody@example.org", &gone);
    refused(&unknown, &["the certificate is not registered"]);
    fs::copy(copy.join("register.jsonl"), data.join("authority/register.jsonl")).unwrap();
    refused(&unknown, &["answers 401", "Nobody is registered", "no new certificate changes"]);

    // Without the scope: the participant's own writes no measurements.
    configure(&household.participant, &server.ca());
    household.transmit().refused(5, &["answers 403", "scope"]);
    assert_eq!(household.spool().len().unwrap(), 2);

    // The server is not the one we trust: nothing is sent to it, and it is not us who is refused.
    configure(&household.device_certificate, &elsewhere.path().join("authority/ca.pem"));
    household.transmit().refused(1, &["not from the authority we trust", "check `ca`"]);
    assert_eq!(household.spool().len().unwrap(), 2);

    // None at all.
    let mut missing = household.device_certificate.clone();
    missing.chain = path.join("missing.pem");
    configure(&missing, &server.ca());
    household.transmit().refused(1, &["missing.pem", "check the files under [api]"]);

    configure(&household.device_certificate, &server.ca());
    household.transmit().done().says(&["sent 2 measurements"]);
    // Also with nothing to send it is told.
    configure(&revoked, &server.ca());
    household.transmit().refused(5, &["the certificate is revoked"]);
    // Measuring goes on: consent was granted, and a certificate is not consent.
    household.measure().done().says(&["consent could not be asked for; it was granted"]);
}

/// As somebody else's client sees it.
#[needs(curl)]
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
    let refused = curl(&[]).unwrap();
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
    // Without a database it has to be said whom a certificate is for.
    run!("ca", "issue", "--email", "erika@example.org", "--output", data, "--data", data)
        .refused(1, &["no database here", "give --participant"]);
    let participant = ["--participant", "6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a002"];
    let mine = issue(data, data, "erika@example.org", &participant);
    let device = "6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a001";
    let named = [participant[0], participant[1], "--device", device];
    issue(data, data, "erika@example.org", &named);
    run!(
        "ca",
        "issue",
        "--email",
        "erika@example.org",
        "--participant",
        participant[1],
        "--device",
        device,
        "--output",
        data,
        "--data",
        data
    )
    .refused(1, &["exists already", "choose another folder with --output"]);
    run!("ca", "issue", "--email", "no address", participant[0], participant[1], "--data", data)
        .refused(1, &["write it as reg"]);
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
