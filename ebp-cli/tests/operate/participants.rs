//! `ebp consent` and `ebp measurements`: what participants decide and see without a page.

use std::path::{Path, PathBuf};

use ebp_core::clock::{Clock, SystemClock};
use serde_json::json;

use super::{owner_support::Person, people::registration};
use crate::support::{
    ebp,
    process::{self, Run},
    server::Server,
};

struct Participant {
    folder: tempfile::TempDir,
    url: String,
    meter: String,
    household: String,
}

impl Participant {
    /// Registered, with the folder that `ebp ca issue` makes.
    fn register(server: &Server, email: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("registration.json");
        std::fs::write(&file, registration("Erika Beispiel", email).to_string()).unwrap();
        let added = ["household", "add", file.to_str().unwrap(), "--format", "json"];
        let added = server.run(added, "").done().json().remove(0);
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let (household, meter) = (text(&added["household"]), text(&added["meters"][0]));
        let output = folder.path().join("own");
        let output = output.to_str().unwrap();
        server.run(["ca", "issue", "--household", &household, "--output", output], "").done();
        Self { url: server.url(), meter, household, folder }
    }

    fn own(&self) -> PathBuf {
        self.folder.path().join("own")
    }

    fn ask(&self, arguments: &[&str]) -> Run {
        let mut command = ebp();
        command.args(arguments).args(["--url", &self.url, "--folder"]).arg(self.own());
        process::run(command, b"")
    }
}

#[test]
fn consent_is_seen_granted_and_revoked() {
    let server = Server::start();
    let erika = Participant::register(&server, "erika@example.org");
    let shown = erika.ask(&["consent", "show"]).done().stdout;
    assert_eq!(shown, "consent  not-granted\n");
    erika.ask(&["consent", "revoke", "--yes"]).refused(4, &["409", "`ebp consent grant`"]);
    // Without a terminal nothing is decided by accident.
    erika.ask(&["consent", "grant"]).refused(2, &["no terminal", "--yes"]);
    let granted = erika.ask(&["consent", "grant", "--yes", "--format", "json"]).done().json();
    assert_eq!(granted[0]["state"], "granted");
    erika.ask(&["consent", "grant", "--yes"]).refused(1, &["409", "`ebp consent show`"]);
    assert_eq!(erika.ask(&["consent", "show"]).done().stdout.lines().count(), 2);

    let revoked = erika.ask(&["consent", "revoke", "--yes"]).done().stdout;
    assert!(revoked.starts_with("consent     revoked\n"), "{revoked}");
    // The certificate hears for good that it is over, and what was done.
    for again in [&["consent", "show"][..], &["consent", "revoke", "--yes"], &["measurements"]] {
        let words = ["410", "the location is masked", "cannot be undone"];
        erika.ask(again).refused(4, &words);
    }
    erika
        .ask(&["consent", "show", "--certificate", "/nonexistent.pem"])
        .refused(1, &["ebp ca issue"]);
    let elsewhere = ["consent", "show", "--folder", "/nonexistent", "--url", &erika.url];
    crate::support::run(elsewhere).refused(1, &["/nonexistent"]);
}

/// Revoking says what it does, and nothing happens unless its name is typed.
#[test]
fn a_word_is_typed_at_a_terminal() {
    let server = Server::start();
    let erika = Participant::register(&server, "erika@example.org");
    for (word, typed, code, state) in [
        ("grant", "yes", 1, "not-granted"),
        ("grant", "grant", 0, "granted"),
        ("revoke", "", 1, "granted"),
    ] {
        let mut person = Person::new();
        let mut command = ebp();
        command.args(["consent", word, "--url", &erika.url, "--folder"]).arg(erika.own());
        let mut child = person.starts(&mut command);
        person.reads(&format!("Type {word} to do it: "));
        person.types(&format!("{typed}\n"));
        assert_eq!(child.wait().unwrap().code(), Some(code), "{}", person.saw());
        let said = if word == "grant" { "starts the measuring" } else { "cannot be undone" };
        assert!(person.saw().contains(said), "{}", person.saw());
        let shown = erika.ask(&["consent", "show", "--format", "json"]).done().json();
        assert_eq!(shown[0]["state"], state);
    }
}

#[test]
fn own_measurements_and_incidents_are_seen() {
    let server = Server::start();
    let erika = Participant::register(&server, "erika@example.org");
    erika.ask(&["consent", "grant", "--yes"]).done();
    let device = device(&server, &erika);
    let now = SystemClock.now();
    let item = json!({"uuid": uuid::Uuid::new_v4(), "meter": erika.meter, "measured_at": now,
                      "data": [{"0100010800ff": 12345.6789}, {"0100100700ff": 0.25}]});
    device.measure(&json!({"measurements": [item]}));

    let json = erika.ask(&["measurements", "--format", "json"]).done().json();
    assert_eq!((json.len(), json[0]["meter"].as_str()), (1, Some(&*erika.meter)));
    let csv = erika.ask(&["measurements", "--format", "csv"]).done().stdout;
    assert_eq!(csv.lines().count(), 3, "{csv}");
    let table = erika.ask(&["measurements"]).done().stdout;
    assert!(table.contains("12345.6789") && table.contains("1-0:16.7.0*255"), "{table}");
    let other = uuid::Uuid::nil().to_string();
    let none = erika.ask(&["measurements", "--meter", &other]);
    assert_eq!((none.code, &*none.stdout), (Some(1), ""), "{none:?}");

    let none = erika.ask(&["measurements", "--incidents", "--format", "json"]).done();
    assert_eq!(none.stdout, "");
    let table = erika.ask(&["measurements", "--incidents"]).done().stdout;
    assert!(table.contains("reported at"), "{table}");
}

/// The household's device, by a certificate of its own.
fn device(server: &Server, of: &Participant) -> crate::support::household::Api {
    server.set_secrets();
    let folder: &Path = of.folder.path();
    let households = super::people::as_group(server, "administrators", "/management/device", None);
    let devices: serde_json::Value = households.json().unwrap();
    let device = devices["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|device| device["household"] == of.household.as_str())
        .unwrap()["uuid"]
        .as_str()
        .unwrap()
        .to_owned();
    let more = ["--device", device.as_str()];
    let issued =
        crate::support::household::issue(server.data(), folder, "erika@example.org", &more);
    crate::support::household::Api::new(server, &issued)
}
