//! `ebp serve texts`, granting consent to a text, withdrawals by letter, messages, all data: by the
//! built program against a real server.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use ebp_core::clock::{Clock, SystemClock};
use serde_json::json;

use super::{participants::Participant, people::as_group};
use crate::{
    owner_support::Person,
    support::{
        ebp,
        process::{self, Run},
        server::Server,
    },
};

fn texts(action: &str, folder: &Path) -> Run {
    let mut command = ebp();
    command.args(["serve", "texts", action]).arg(folder);
    process::run(command, b"")
}

/// Fills in what the template lacks.
fn fill_in(folder: &Path) {
    for language in ["de", "en"] {
        for name in ["summary.md", "details.md"] {
            let path = folder.join("1").join(language).join(name);
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, text.replace("TODO(", "(the ")).unwrap();
        }
    }
}

/// A server with texts, and the folder that they are in.
pub fn server_with_texts() -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    texts("new", folder.path()).done();
    fill_in(folder.path());
    let server = Server::configured(&format!(
        "[survey]\nname = \"Strom\"\ncontroller = \"Institut\"\ntexts = \"{}\"\n",
        folder.path().display()
    ));
    (server, folder)
}

/// A researcher's command.
pub fn as_researcher(server: &Server, folder: &Path, arguments: &[&str], input: &str) -> Run {
    let secret = folder.join("secret");
    if !secret.exists() {
        server.set_secrets();
        crate::support::write_private(&secret, "the secret of the researchers\n");
    }
    let mut command = ebp();
    command.args(arguments).args(["--url", &server.url(), "--ca"]).arg(server.ca());
    command.arg("--secret-file").arg(&secret);
    process::run(command, input.as_bytes())
}

#[test]
fn a_template_has_gaps_that_no_server_starts_with() {
    let folder = tempfile::tempdir().unwrap();
    texts("new", folder.path()).done();
    texts("new", folder.path()).refused(1, &["is there already"]);
    let words = ["summary.md, line 3: `TODO` is still to be filled in", "nobody can agree"];
    texts("check", folder.path()).refused(1, &words);
    let data = tempfile::tempdir().unwrap();
    let config = data.path().join("server.toml");
    let survey = format!(
        "data = \"data\"\n[survey]\nname = \"a\"\ncontroller = \"b\"\ntexts = \"{}\"\n",
        folder.path().display()
    );
    fs::write(&config, &survey).unwrap();
    crate::run!("ca", "init", "--config", config).done();
    let serve = || {
        let mut command = ebp();
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(&config);
        process::run(command, b"")
    };
    serve().refused(1, &words);
    fs::write(&config, survey.replace("\"a\"", "\"TODO\"")).unwrap();
    serve().refused(2, &["server.toml:3: `TODO` is still to be filled in"]);
    fill_in(folder.path());
    let checked = texts("check", folder.path()).done();
    assert!(checked.stderr.contains("version 1 is whole, in de, en"), "{}", checked.stderr);
}

#[test]
fn a_text_is_read_and_agreed_to() {
    let (mut server, folder) = server_with_texts();
    let erika = Participant::register(&server, "erika@example.org");
    erika.ask(&["consent", "grant", "--yes"]).refused(2, &["--text-version 1"]);
    let grant = |version: &str, language: &str| {
        let text = ["--text-version", version, "--language", language];
        erika.ask(&[&["consent", "grant", "--yes", "--format", "json"][..], &text].concat())
    };
    grant("2", "de").refused(1, &["it has version 1 now", "nothing was changed"]);
    let unknown = grant("1", "fr");
    assert!(unknown.code == Some(2) && unknown.stderr.contains("there are de and en"));
    let granted = grant("1", "de").done().json();
    assert_eq!(granted[0]["text"], json!({"version": 1, "language": "de"}));
    let shown = erika.ask(&["consent", "show"]).done().stdout;
    assert!(shown.contains("version 1, de"), "{shown}");

    // At a terminal it is shown first; another version came meanwhile.
    for language in ["de", "en"] {
        for name in ["summary.md", "details.md"] {
            let own = folder.path().join("2").join(language);
            fs::create_dir_all(&own).unwrap();
            fs::write(own.join(name), format!("# The second {name} in {language}")).unwrap();
        }
    }
    server.end();
    server.go_on();
    let max = Participant::register(&server, "max@example.org");
    let mut person = Person::new();
    let mut command = ebp();
    command.args(["consent", "grant", "--language", "en", "--url", &max.url, "--folder"]);
    let mut child = person.starts(command.arg(max.own()));
    person.reads("The second summary.md in en");
    person.reads("Type details for the whole information. Type grant to do it: ");
    person.types("details\n");
    person.reads("The second details.md in en");
    person.types("grant\n");
    assert_eq!(child.wait().unwrap().code(), Some(0), "{}", person.saw());
    let shown = max.ask(&["consent", "show", "--format", "json"]).done().json();
    assert_eq!(shown[0]["text"], json!({"version": 2, "language": "en"}));

    // Everything about the household, in a file of its own.
    let file = max.folder.path().join("household.json");
    let file = file.to_str().unwrap();
    max.ask(&["consent", "export", "--output", file]).done();
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let all: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert_eq!(all["household"]["uuid"].as_str(), Some(&*max.household));
    assert_eq!(all["agreed_text"]["summary"], "# The second summary.md in en\n");
    max.ask(&["consent", "export", "--output", file]).refused(1, &["exists"]);
    let printed = max.ask(&["consent", "export"]).done().json();
    assert_eq!(printed[0]["household"], all["household"]);
    max.ask(&["consent", "revoke", "--yes"]).done();
    max.ask(&["consent", "export"]).refused(4, &["410"]);
}

#[test]
fn letters_and_messages_are_for_researchers() {
    let server = Server::start();
    let erika = Participant::register(&server, "erika@example.org");
    let folder = tempfile::tempdir().unwrap();
    let ask =
        |arguments: &[&str], input: &str| as_researcher(&server, folder.path(), arguments, input);
    let today = SystemClock.now().strftime("%Y-%m-%d").to_string();
    let revoke = |day: &str, more: &[&str]| {
        let letter = ["household", "revoke", &erika.household, "--received-on", day];
        ask(&[&letter[..], &["--channel", "letter"], more].concat(), "")
    };
    revoke(&today, &["--yes"]).refused(1, &["409", "`ebp household remove`"]);
    erika.ask(&["consent", "grant", "--yes"]).done();
    erika.write("meter", "Der Zähler ist neu.\nSeit Mai.");
    let listed = ask(&["message", "list", "--format", "json"], "").done().json();
    assert_eq!(listed[0]["text"], "Der Zähler ist neu.\nSeit Mai.");
    let message = listed[0]["uuid"].as_str().unwrap();
    let table = ask(&["message", "list"], "").done().stdout;
    assert!(table.contains("Der Zähler ist neu.") && table.contains("meter"), "{table}");
    let empty = ask(&["message", "answer", message], " \n");
    empty.refused(1, &["an answer has 1 to 2000 characters"]);
    let answered = ask(&["message", "answer", message], "Danke.\n").done().json();
    assert_eq!(answered[0]["answer"], "Danke.");
    let again = ask(&["message", "answer", message, "--text", "Noch einmal"], "");
    again.refused(1, &["409", "`ebp message list --all`"]);
    ask(&["message", "close", message], "").refused(1, &["409"]);
    assert_eq!(ask(&["message", "list", "--format", "json"], "").done().json().len(), 0);
    let all = ask(&["message", "list", "--all"], "").done().stdout;
    assert!(all.contains("Danke."), "{all}");

    revoke(&today, &[]).refused(2, &["no terminal", "--yes"]);
    revoke("2020-01-01", &["--yes"]).refused(1, &["422", "before consent was granted"]);
    let wrong = revoke("tomorrow", &["--yes"]);
    assert!(wrong.code == Some(2) && wrong.stderr.contains("--received-on"));
    let revoked = revoke(&today, &["--yes"]).done().json();
    assert_eq!(revoked[0]["withdrawal"]["channel"], "letter");
    assert_eq!(
        revoked[0]["withdrawal"]["received_on"].as_str(),
        Some(&*format!("{}-01", &today[..7]))
    );
    erika.ask(&["consent", "show"]).refused(4, &["410"]);
    revoke(&today, &["--yes"]).refused(1, &["404"]);
    let left = as_group(&server, "researchers", "/management/message", None);
    assert_eq!(left.json::<serde_json::Value>().unwrap()["items"], json!([]));
}
