//! `ebp household`: a researcher registers, sees and changes households from another machine.

use std::fs;

use serde_json::{Value, json};

use super::people::registration;
use crate::support::{ebp, process, process::Run, server::Server};

/// What `--print-example` prints is what the very command takes, and so is what it comments out.
#[test]
fn the_printed_examples_are_registered() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let print = |action: &str| {
        let mut command = ebp();
        command.args(["household", action, "--print-example"]);
        // What is in the environment is no argument.
        command.env("EBP_SERVER_CONFIG", "/nonexistent.toml");
        process::run(command, b"").done().stdout
    };
    let file = folder.path().join("registration.toml");
    let add = |text: &str, more: &[&str]| {
        fs::write(&file, text).unwrap();
        let add = ["household", "add", file.to_str().unwrap(), "--format", "json"];
        server.run([&add, more].concat(), "").done().json().remove(0)
    };
    let example = print("add");
    let added = add(&example, &[]);
    assert_eq!(added["meters"].as_array().unwrap().len(), 2);
    let is_member = |line: &str| {
        let name = line.split(" = ").next().unwrap();
        line.starts_with('[')
            || (name != line && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'_')))
    };
    let whole = example
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| is_member(rest)).unwrap_or(line));
    let whole = whole.collect::<Vec<_>>().join("\n");
    assert!(whole.contains("\n[location]\nlatitude = "), "{whole}");
    let added = add(&whole, &["--further"]);
    let named = |value: &Value| whole.contains(value.as_str().unwrap());
    assert!(named(&added["measurement_device"]) && named(&added["meters"][0]), "{added}");

    server.set_secrets();
    let many = folder.path().join("many.csv");
    fs::write(&many, print("import")).unwrap();
    let secret = folder.path().join("secret");
    crate::support::write_private(&secret, "the secret of the researchers\n");
    let import = |more: &[&str]| {
        let mut command = ebp();
        command.args(["household", "import"]).arg(&many).args(["--url", &server.url()]);
        command.arg("--ca").arg(server.ca()).arg("--secret-file").arg(&secret).args(more);
        process::run(command, b"").done().json()
    };
    let dry = import(&["--dry-run"]);
    assert_eq!(dry.iter().map(|line| &line["outcome"]).collect::<Vec<_>>(), ["known", "new"]);
    let lines = import(&[]);
    assert_eq!(
        lines.iter().map(|line| &line["outcome"]).collect::<Vec<_>>(),
        ["known", "registered"]
    );
}

#[test]
fn add_list_show_edit_import() {
    let server = Server::start();
    server.set_secrets();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let secret = folder.path().join("secret");
    crate::support::write_private(&secret, "the secret of the researchers\n");
    let secret = secret.to_str().unwrap().to_owned();
    let ask = |arguments: &[&str]| -> Run {
        let mut command = ebp();
        command.arg("household").args(arguments).args(["--url", &server.url()]);
        command.arg("--ca").arg(server.ca()).args(["--secret-file", &secret]);
        process::run(command, b"")
    };
    let erika = registration("Erika Beispiel", "erika@example.org");
    let added = ask(&["add", &file("erika.json", &erika.to_string()), "--format", "json"]).done();
    let household = added.json().remove(0)["household"].as_str().unwrap().to_owned();
    let meter = added.json().remove(0)["meters"][0].as_str().unwrap().to_owned();
    let list = ask(&["list", "--format", "json"]).done().json();
    assert_eq!(list.len(), 1, "{list:?}");
    let show = |household: &str| -> Value {
        serde_json::from_str(&ask(&["show", household]).done().stdout).unwrap()
    };
    assert_eq!(show(&household)["participant"]["email"], "erika@example.org");

    let moved = json!({"address": {"street": "Neue Gasse 2", "postal_code": "20095",
                                   "city": "Hamburg", "country": "DE"}});
    ask(&["edit", &household, &file("moved.json", &moved.to_string())]).done();
    ask(&["edit", &household, &file("meter.toml", "model = \"MT681\""), "--meter", &meter]).done();
    let generation = "type = \"PV-GENERATION\"\nmodel = \"EHZ\"";
    ask(&["edit", &household, &file("new.toml", generation), "--new-meter"]).done();
    let shown = show(&household);
    assert_eq!(shown["address"]["city"], "Hamburg", "{shown}");
    let models: Vec<_> =
        shown["meters"].as_array().unwrap().iter().map(|m| m["model"].clone()).collect();
    assert_eq!(models, ["MT681", "EHZ"]);

    // One of three lines is wrong: it is told by its number, the others are in.
    let lines = [
        registration("Max Muster", "max@example.org").to_string(),
        registration("Ida Neu", "no address").to_string(),
        registration("Otto Alt", "otto@example.org").to_string(),
    ];
    let import = ask(&["import", &file("many.jsonl", &lines.join("\n"))]);
    assert_ne!(import.code, Some(0), "{import:?}");
    assert_eq!(import.json().len(), 2, "{import:?}");
    assert!(import.stderr.contains('2') && !import.stderr.contains("no address"), "{import:?}");
    assert_eq!(ask(&["list", "--format", "json"]).done().json().len(), 3);

    ask(&["show", "6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a001"]).refused(1, &["ebp household list"]);
    fs::write(&secret, "another secret altogether\n").unwrap();
    ask(&["list"]).refused(5, &["check the researchers' secret"]);
}
