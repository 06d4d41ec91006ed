//! `ebp household`: a researcher registers, sees and changes households from another machine.

use std::fs;

use serde_json::{Value, json};

use super::people::registration;
use crate::support::{ebp, process, process::Run, server::Server};

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
