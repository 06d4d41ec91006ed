//! A device's certificate, from the one-time token to its revocation.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::people::{Participant, as_group};
use crate::support::{ebp, process, process::Running, server::Server, wait_for};

fn token(server: &Server, device: &str) -> String {
    let path = format!("/management/device/{device}/enrolment");
    let answer = as_group(server, "administrators", &path, Some(&json!({})));
    assert!(answer.status().is_success(), "{answer:?}");
    answer.json::<Value>().unwrap()["token"].as_str().unwrap().to_owned()
}

/// Serial numbers of a device and whether they are revoked, as `ebp ca list` shows them.
fn listed(server: &Server, device: &str) -> Vec<(String, bool)> {
    let list = server.run(["ca", "list", "--format", "json"], "").done().json();
    let of_device = list.iter().filter(|entry| entry["device"] == device);
    of_device
        .map(|entry| (entry["serial"].as_str().unwrap().to_owned(), !entry["revoked_at"].is_null()))
        .collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { files(&entry, found) } else { found.push(entry) }
    }
}

#[test]
fn from_the_token_to_the_revocation() {
    let server = Server::start();
    server.set_secrets();
    let erika = Participant::register(&server, "Erika Beispiel", "erika@example.org");
    let device = erika.device.to_string();
    let made_before = listed(&server, &device);
    let folder = erika.folder.path().join("device");
    let token_file = erika.file("token", &(token(&server, &device) + "\n"));
    let enroll = |folder: &Path| server.enroll(&token_file, folder);
    let enrolled = enroll(&folder).done();
    assert!(enrolled.stdout.contains(&device), "{enrolled:?}");
    let (chain, key) = (folder.join("device.pem"), folder.join("device.key"));
    let page = folder.join("frontend");
    let of_page = |name: &str| page.join(name);
    let private = ["frontend.pem", "frontend.key", "sign-in", "ca.pem"].map(of_page);
    for path in private.iter().chain([&chain, &key]) {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
    }
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    // The key stays where it was made.
    let own = fs::read_to_string(&key).unwrap();
    let secret = own.lines().nth(1).unwrap();
    let mut all = Vec::new();
    files(server.data(), &mut all);
    assert!(all.len() > 5, "{all:?}");
    for path in all {
        let content = fs::read(&path).unwrap();
        let found = content.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "the device's key is in {path:?}");
    }
    // The token was good for one key only.
    enroll(&erika.folder.path().join("thief")).refused(5, &["ask the administrator for a new"]);
    enroll(&folder).refused(1, &["exists already"]);

    let folder_text = folder.to_str().unwrap();
    let of_device = |arguments: &[&str]| {
        let mut command = ebp();
        command.args(arguments).args(["--folder", folder_text, "--url", &server.url()]);
        process::run(command, b"")
    };
    of_device(&["device", "renew"]).done().says(&["is renewed from", ""]);
    assert_eq!(fs::read_to_string(&key).unwrap(), own, "it was not due");
    let first = listed(&server, &device);
    of_device(&["device", "renew", "--now"]).done();
    assert_ne!(fs::read_to_string(&key).unwrap(), own, "the next one has a key of its own");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let status = of_device(&["device", "status", "--format", "json"]).done().json().remove(0);
    assert_eq!(status["expired"], false, "{status}");

    let renewed = listed(&server, &device);
    let serial = renewed.iter().find(|entry| !first.contains(entry)).unwrap().0.clone();

    // The page renews by itself, without the device's files, and takes up another code.
    let of_page = fs::read_to_string(&private[1]).unwrap();
    let renew_page = |now: &[&str]| {
        let mut command = ebp();
        command.args(["device", "renew", "--frontend"]).arg(&page).args(["--url", &server.url()]);
        command.arg("--ca").arg(folder.join("ca.pem")).args(now);
        process::run(command, b"")
    };
    renew_page(&[]).done().says(&["not due yet"]);
    let hash = fs::read_to_string(&private[2]).unwrap();
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    let path = format!("/management/device/{device}/sign-in-code");
    assert!(as_group(&server, "researchers", &path, Some(&json!(null))).status().is_success());
    renew_page(&[]).done();
    assert_ne!(fs::read_to_string(&private[2]).unwrap(), hash, "another code");
    assert_eq!(fs::read_to_string(&private[1]).unwrap(), of_page, "it was not due");
    let before = listed(&server, &device).len();
    renew_page(&["--now"]).done().says(&["valid until"]);
    assert_ne!(fs::read_to_string(&private[1]).unwrap(), of_page);
    assert_eq!(listed(&server, &device).len(), before + 1);
    let all = listed(&server, &device);
    assert!(all.iter().all(|(_, revoked)| !revoked), "two of each purpose: {all:?}");

    // `ebp ca` knows those that the server issued, and revokes them.
    let all = listed(&server, &device);
    assert_eq!(all.len(), made_before.len() + 4, "{all:?}");
    let crl = || server.run(["ca", "crl"], "").done().stdout;
    let without = crl();
    server.run(["ca", "revoke", &serial], "").done();
    assert!(listed(&server, &device).contains(&(serial.clone(), true)));
    assert!(crl().len() > without.len());
    let refused = of_device(&["device", "status"]).says(&["the certificate is revoked"]);
    assert_eq!(refused.code, Some(5));
    server.run(["ca", "revoke", &"00ff".repeat(8)], "").refused(1, &["`ebp ca list` shows"]);
}

/// A certificate that two thirds of its time are over of is renewed by the daemon, by itself.
#[test]
fn the_daemon_renews() {
    let server = Server::start();
    server.set_secrets();
    let erika = Participant::register(&server, "Erika Beispiel", "erika@example.org");
    erika.account(&server).grant();
    // Certificates begin five minutes early: of these six, five are over.
    let short = crate::support::household::issue(
        server.data(),
        &erika.folder.path().join("short"),
        "erika@example.org",
        &["--device", &erika.device.to_string(), "--validity", "60s"],
    );
    let before = fs::read_to_string(&short.key).unwrap();
    let config = erika.file(
        "device.toml",
        &format!(
            "spool = \"spool\"\n[api]\nurl = {:?}\nca = {:?}\ncertificate = {:?}\nkey = {:?}\n\
             [frontend]\nfolder = \"page\"\n\
             [cycle]\nmeasurement = \"24h\"\nreport = \"1s\"\ntimeout = \"10s\"\n\
             [[meter]]\nuuid = \"{}\"\nmodel = \"MT175\"\nport = \"none\"\n",
            server.url(),
            server.ca(),
            short.chain,
            short.key,
            erika.meter
        ),
    );
    let mut command = ebp();
    command.args(["transmit", "--every", "--config"]).arg(config);
    let mut daemon = Running::start(command);
    wait_for("the next key", || {
        assert!(daemon.lives(), "{:?}", daemon.stderr());
        (fs::read_to_string(&short.key).unwrap() != before).then_some(())
    });
    // The device was enrolled without a page, and gets its certificate now.
    let page = erika.folder.path().join("page");
    wait_for("the page's certificate", || {
        assert!(daemon.lives(), "{:?}", daemon.stderr());
        page.join("frontend.pem").exists().then_some(())
    });
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&page), mode(&page.join("frontend.key"))), (0o700, 0o600));
    wait_for("the next certificates in the list", || {
        (listed(&server, &erika.device.to_string()).len() == 4).then_some(())
    });
    assert_eq!(fs::metadata(&short.key).unwrap().permissions().mode() & 0o777, 0o600);
    // It goes on with the next one when the first is revoked.
    server.run(["ca", "revoke", &short.serial], "").done();
    let told = daemon.stderr().len();
    wait_for("reports afterwards", || {
        let lines = daemon.stderr();
        let sent = lines[told.min(lines.len())..].iter().filter(|l| l.contains("sent 0"));
        (sent.count() >= 2).then_some(())
    });
    drop(daemon);
}

/// A server revokes what it issued with the household's consent; a backup of before is restored, and
/// those certificates are revoked in it as well.
#[test]
fn a_backup_of_before_a_revocation_is_restored_with_the_devices_certificates_revoked() {
    let mut server = Server::start();
    server.set_secrets();
    let erika = Participant::register(&server, "Erika Beispiel", "erika@example.org");
    let device = erika.device.to_string();
    let token_file = erika.file("token", &(token(&server, &device) + "\n"));
    server.enroll(&token_file, erika.folder.path().join("device")).done();
    erika.account(&server).grant();
    let by_hand = &erika.device_certificate.serial;
    let serials = listed(&server, &device).into_iter().map(|(serial, _)| serial);
    let serials: Vec<String> = serials.filter(|serial| serial != by_hand).collect();
    assert_eq!(serials.len(), 2, "the device's own and its page's");
    let copy = server.data().join("copy.sqlite");
    let copy = copy.to_str().unwrap();
    server.run(["serve", "backup", "--output", copy], "").done();
    erika.account(&server).revoke();
    server.end().done();
    let restored = server.run(["serve", "restore", "--input", copy], "").done();
    assert!(restored.stderr.contains("revoked again: 1 household"), "{restored:?}");
    let list = server.run(["ca", "list", "--format", "json"], "").done().json();
    for serial in serials {
        let entry = list.iter().find(|entry| entry["serial"] == *serial);
        let entry = entry.unwrap_or_else(|| panic!("{serial} is not listed"));
        assert!(!entry["revoked_at"].is_null(), "{entry}");
    }
}
