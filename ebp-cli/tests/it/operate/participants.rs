//! `ebp consent`, `ebp measurements` and `ebp participant`: what participants decide and see without
//! a page, and how other programs get their certificate.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use ebp_client::{Client, ClientOptions, identity::Identity};
use ebp_core::{
    clock::{Clock, SystemClock},
    contract::{NewMessage, ReleaseTier},
};
use ebp_needs::needs;
use ebp_store::{DataRelease, Database, open_store};
use serde_json::json;

use super::people::registration;
use crate::owner_support::Person;
use crate::support::{
    ebp,
    process::{self, Run},
    server::Server,
};

pub struct Participant {
    pub folder: tempfile::TempDir,
    pub url: String,
    meter: String,
    pub household: String,
}

impl Participant {
    /// Registered, with the folder that `ebp ca issue` makes.
    pub fn register(server: &Server, email: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("registration.json");
        fs::write(&file, registration("Erika Beispiel", email).to_string()).unwrap();
        let added = ["household", "add", file.to_str().unwrap(), "--format", "json"];
        let added = server.run(added, "").done().json().remove(0);
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let (household, meter) = (text(&added["household"]), text(&added["meters"][0]));
        let output = folder.path().join("own");
        let output = output.to_str().unwrap();
        server.run(["ca", "issue", "--household", &household, "--output", output], "").done();
        Self { url: server.url(), meter, household, folder }
    }

    pub fn own(&self) -> PathBuf {
        self.folder.path().join("own")
    }

    /// Writes to the researchers, as a page would.
    pub fn write(&self, about: &str, text: &str) {
        let file = |ending: &str| {
            let entries = fs::read_dir(self.own()).unwrap().map(|entry| entry.unwrap().path());
            entries
                .filter(|path| !path.ends_with("ca.pem"))
                .find(|path| path.extension().is_some_and(|it| it == ending))
                .unwrap()
        };
        let identity =
            Identity::load(&file("pem"), &file("key"), &self.own().join("ca.pem")).unwrap();
        let client = Client::new(&self.url, &identity, ClientOptions::default()).unwrap();
        let about = about.parse().unwrap();
        client.write_message(&NewMessage { about, text: text.to_owned().into() }).unwrap();
    }

    pub fn ask(&self, arguments: &[&str]) -> Run {
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

/// The ledger of releases, as `ebp export confirm` writes it.
fn add_to_a_release(server: &Server, household: &str) {
    let now = SystemClock.now();
    let release = DataRelease {
        number: 1,
        name: "ebp-2026".into(),
        tier: ReleaseTier::Research,
        recipient: Some("University of Examples".into()),
        as_of: now,
        finest: "nuts1".into(),
        households: 30,
        seed_fingerprint: "5".repeat(64),
        digest: "d".repeat(64),
        made_by: "alice".into(),
        made_signature: "a signature".into(),
        confirmed_by: "bob".into(),
        confirmed_signature: "another signature".into(),
        confirmed_at: "2026-05-12T08:00:00Z".parse().unwrap(),
    };
    let path = server.data().join("ebp.sqlite");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open_store(&Database::Sqlite(path)).await.unwrap();
        let households = vec![(household.parse().unwrap(), "nuts1".to_owned())];
        store.add_data_release(release, households).await.unwrap();
        store.close().await.unwrap();
    });
}

#[test]
fn the_releases_that_a_household_is_in_are_seen() {
    let server = Server::start();
    let erika = Participant::register(&server, "erika@example.org");
    erika.ask(&["consent", "grant", "--yes"]).done();
    let shown = erika.ask(&["consent", "show", "--format", "json"]).done().json();
    assert_eq!(shown[0]["releases"], json!([]));
    add_to_a_release(&server, &erika.household);
    let shown = erika.ask(&["consent", "show"]).done().stdout;
    let expected = "release     1, ebp-2026, 2026-05-12T08:00:00Z: research to University of Examples, \
                    shown: nuts1\n";
    assert!(shown.starts_with("consent     granted\n") && shown.ends_with(expected), "{shown}");
    let shown = erika.ask(&["consent", "show", "--format", "json"]).done().json();
    assert_eq!(shown[0]["state"], "granted");
    assert_eq!(shown[0]["releases"][0]["recipient"], "University of Examples");
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

/// `openssl` with these arguments.
fn openssl(arguments: &[&str], stdin: &str) -> Run {
    let mut command = Command::new("openssl");
    command.args(arguments);
    process::run(command, stdin.as_bytes())
}

/// What stands in PEM, without what is told around it.
fn pem_blocks(text: &str) -> Vec<String> {
    let blocks = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    blocks.map(|block| block.split("-----END").next().unwrap().replace('\n', "")).collect()
}

#[needs(openssl)]
#[test]
fn a_pkcs12_file_holds_key_and_chain_and_opens_by_its_password_alone() {
    let server = Server::start();
    let erika = Participant::register(&server, "erika@example.org");
    let path = |name: &str| erika.folder.path().join(name).to_str().unwrap().to_owned();
    let (file, password) = (path("survey.p12"), path("password"));
    crate::support::write_private(Path::new(&password), "correct horse battery\n");
    let write = || {
        let mut command = ebp();
        command.args(["participant", "pkcs12", "--folder"]).arg(erika.own());
        command.args(["--output", &file, "--password-file", &password]);
        process::run(command, b"")
    };
    assert_eq!(write().done().stdout, format!("{file}\n"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::read(&file).unwrap();
    write().refused(1, &["exists already", "--output"]);
    assert_eq!(fs::read(&file).unwrap(), before);

    // Without its legacy algorithms.
    let given = format!("file:{password}");
    let open = |more: &[&str]| {
        let arguments = [&["pkcs12", "-in", &file, "-passin", &given], more].concat();
        openssl(&arguments, "")
    };
    let told = open(&["-info", "-noout"]).done().stderr;
    for word in ["MAC: sha256", "AES-256-CBC", "hmacWithSHA256"] {
        assert!(told.contains(word), "{told}");
    }
    assert!(!told.contains("3DES") && !told.contains("RC2"), "{told}");
    let entries = fs::read_dir(erika.own()).unwrap().map(|entry| entry.unwrap().path());
    let key = entries.into_iter().find(|path| path.extension() == Some("key".as_ref())).unwrap();
    let chain = fs::read_to_string(key.with_extension("pem")).unwrap();
    let certificates = pem_blocks(&open(&["-nokeys"]).done().stdout);
    assert_eq!(certificates, pem_blocks(&chain));
    assert!(certificates.len() > 1, "the authority's is there, too");
    let public = |key: &str| openssl(&["pkey", "-pubout"], key).done().stdout;
    let held = open(&["-nodes", "-nocerts"]).done().stdout;
    assert_eq!(public(&held), public(&fs::read_to_string(&key).unwrap()));

    crate::support::write_private(Path::new(&password), "correct horse staple\n");
    let wrong = open(&["-nodes"]);
    assert!(wrong.code != Some(0) && wrong.stdout.is_empty(), "{wrong:?}");
    wrong.says(&["invalid password"]);
}

#[test]
fn a_pkcs12_file_wants_a_password_and_says_what_is_missing() {
    let server = Server::start();
    let erika = Participant::register(&server, "erika@example.org");
    let ask = |more: &[&str], stdin: &[u8]| {
        let mut command = ebp();
        command.args(["participant", "pkcs12"]).args(more);
        process::run(command, stdin)
    };
    let own = erika.own();
    let own = own.to_str().unwrap();
    ask(&["--folder", own], b"\n").refused(2, &["password of the file is empty"]);
    let umlaut = ask(&["--folder", own], "correct hörse battery\n".as_bytes());
    umlaut.refused(2, &["ASCII", "choose another"]);
    let exposed = erika.folder.path().join("password");
    fs::write(&exposed, "correct horse battery\n").unwrap();
    fs::set_permissions(&exposed, fs::Permissions::from_mode(0o644)).unwrap();
    let exposed = exposed.to_str().unwrap();
    let refused = ask(&["--folder", own, "--password-file", exposed], b"");
    refused.refused(1, &["others than its owner", "chmod 600"]);
    ask(&["--folder", "/nonexistent"], b"x\n").refused(1, &["/nonexistent"]);
    let into = "/nonexistent/survey.p12";
    ask(&["--folder", own, "--output", into], b"x\n").refused(1, &[into]);
    // Nothing was written so far; then it lies beside the certificate, under its name.
    let written = ask(&["--folder", own], b"correct horse battery\n").done().stdout;
    let file = Path::new(written.trim());
    assert!(file.starts_with(own) && file.with_extension("pem").exists(), "{written}");
}
