//! A device that is lost, an e-mail address that changes, secrets that somebody guesses at.

use serde_json::json;

use super::people::{Participant, anybody, as_group};
use crate::{
    run,
    support::{household::issue, process::Run, server::Server},
};

fn device_status(server: &Server, erika: &Participant) -> u16 {
    let url = format!("{}/household/consent", server.url());
    erika.device(server).get(url).send().unwrap().status().as_u16()
}

#[test]
fn a_lost_device_is_revoked_from_anywhere_and_here() {
    let server = Server::start();
    server.set_secrets();
    let erika = Participant::register(&server, "Erika Beispiel", "erika@example.org");
    let max = Participant::register(&server, "Max Muster", "max@example.org");
    let secret = erika.file("secret", "the secret of the administrators\n");
    let (url, ca) = (server.url(), server.ca());
    let from_anywhere = |command: &str, device: &str| -> Run {
        run!("device", command, device, "--url", url, "--ca", ca, "--secret-file", secret)
    };
    let (device, nobody) = (erika.device.to_string(), uuid::Uuid::nil().to_string());
    // By the e-mail address alone, where the database is at hand.
    let second = erika.folder.path().join("second");
    issue(server.data(), &second, "Erika@example.org", &["--device", &device]);
    let data = server.data();
    run!("ca", "issue", "--email", "nobody@example.org", "--output", second, "--data", data)
        .refused(1, &["nobody is registered", "register the household"]);
    let foreign = max.device.to_string();
    let email = "erika@example.org";
    run!("ca", "issue", "--email", email, "--device", foreign, "--output", second, "--data", data)
        .refused(1, &["not of that participant's household"]);

    let kept = erika.device(&server);
    let ask = || kept.get(format!("{url}/household/consent")).send().unwrap().status().as_u16();
    assert_eq!(ask(), 200);
    from_anywhere("revoke", &nobody).refused(1, &["404"]);
    let revoked = from_anywhere("revoke", &device).done();
    assert!(revoked.stderr.contains("revoked by this: 2"), "{revoked:?}");
    assert_eq!(ask(), 401);
    let listed = from_anywhere("certificates", &device).done();
    assert!(listed.stdout.contains(&erika.device_certificate.serial), "{listed:?}");
    let all = server.run(["ca", "list", "--format", "json"], "").done().json();
    let open = all.iter().filter(|entry| entry["device"] == *device);
    assert!(open.clone().count() == 2 && open.clone().all(|entry| !entry["revoked_at"].is_null()));

    // On the server's own machine.
    assert_eq!(device_status(&server, &max), 200);
    server.run(["device", "revoke", &nobody], "").refused(1, &["there is no device"]);
    let here = server.run(["device", "revoke", &foreign], "").done();
    assert!(here.stderr.contains("revoked by this: 1"), "{here:?}");
    assert_eq!(device_status(&server, &max), 401);
}

#[test]
fn the_device_is_told_what_to_do_when_the_address_changes() {
    let server = Server::start();
    server.set_secrets();
    let erika = Participant::register(&server, "Erika Beispiel", "erika@example.org");
    let folder = erika.device_certificate.chain.parent().unwrap().to_owned();
    let status = || {
        let device = folder.join("device");
        std::fs::create_dir_all(&device).unwrap();
        for (from, to) in [
            (&server.ca(), "ca.pem"),
            (&erika.device_certificate.chain, "device.pem"),
            (&erika.device_certificate.key, "device.key"),
        ] {
            std::fs::copy(from, device.join(to)).unwrap();
        }
        run!("device", "status", "--folder", device, "--url", server.url())
    };
    status().done();
    let path = format!("{}/management/household/{}", server.url(), erika.household);
    let change = json!({"participant": {"name": "Erika Beispiel", "email": "e@example.net"}});
    let secret = "the secret of the researchers";
    let request = anybody(&server).patch(path).json(&change);
    let changed = request.basic_auth("researchers", Some(secret)).send().unwrap();
    assert_eq!(changed.status(), 200);
    let told = status();
    assert_eq!(told.code, Some(5), "{told:?}");
    told.says(&["e-mail address has changed", "one-time token", "`ebp device enroll`"]);
    assert_eq!(erika.account(&server).try_get("/account").unwrap().status(), 401);
}

#[test]
fn those_who_wait_for_wrong_secrets_are_let_in_by_a_command() {
    let server = Server::start();
    server.set_secrets();
    let http = anybody(&server);
    let guess = || {
        let request = http.get(format!("{}/management/household", server.url()));
        let answer = request.basic_auth("researchers", Some("a guess at it")).send().unwrap();
        answer.status().as_u16()
    };
    while guess() != 429 {}
    let erika_secret = tempfile::tempdir().unwrap();
    let secret = erika_secret.path().join("secret");
    crate::support::write_private(&secret, "the secret of the researchers\n");
    let (url, ca) = (server.url(), server.ca());
    let list = || run!("household", "list", "--url", url, "--ca", ca, "--secret-file", secret);
    list().refused(1, &["too many tries", "`ebp serve secret unblock`"]);
    let ended = server.run(["serve", "secret", "unblock"], "").done();
    assert!(ended.stderr.contains("of 2 addresses and networks"), "{ended:?}");
    list().done();
    assert_eq!(as_group(&server, "administrators", "/metrics", None).status(), 200);
}
