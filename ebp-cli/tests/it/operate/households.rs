//! `ebp household`: registering once, importing again, removing a mistake, and measurements.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::people::{Participant, registration};
use crate::support::{
    ebp,
    process::{self, Run},
    server::Server,
    survey::Survey,
};

/// A researcher at a server.
struct Researcher {
    server: Server,
    folder: tempfile::TempDir,
}

impl Researcher {
    fn new() -> Self {
        let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
        server.set_secrets();
        let secret = folder.path().join("secret");
        crate::support::write_private(&secret, "the secret of the researchers\n");
        Self { server, folder }
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn ask(&self, arguments: &[&str]) -> Run {
        let mut command = ebp();
        command.arg("household").args(arguments).args(["--url", &self.server.url()]);
        command.arg("--ca").arg(self.server.ca());
        command.arg("--secret-file").arg(self.folder.path().join("secret"));
        process::run(command, b"")
    }

    fn count(&self) -> usize {
        self.ask(&["list", "--format", "json"]).done().json().len()
    }
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap()
}

#[test]
fn a_household_is_registered_once_unless_it_is_a_further_one() {
    let researcher = Researcher::new();
    let erika = registration("Erika Beispiel", "erika@example.org");
    let file = researcher.file("erika.json", &erika.to_string());
    let added = researcher.ask(&["add", &file, "--format", "json"]).done().json().remove(0);
    let mut again = erika.clone();
    again["address"]["street"] = json!("MUSTERSTR. 17");
    let again = researcher.file("again.json", &again.to_string());
    let household = text(&added, "household");
    researcher.ask(&["add", &again]).refused(1, &["409", household, "--further"]);
    // On the server's own machine alike.
    let here = ["household", "add", &again];
    researcher.server.run(here, "").refused(1, &[household, "--further"]);
    researcher.ask(&["add", &again, "--further"]).done();
    assert_eq!(researcher.count(), 2);

    // An unknown model and a missing location are told at once.
    let mut doubtful = registration("Max Muster", "max@example.org");
    doubtful["meters"][0]["model"] = json!("MT157");
    doubtful.as_object_mut().unwrap().remove("location");
    let doubtful = researcher.file("doubtful.json", &doubtful.to_string());
    let told = ["MT157", "MT175", "ebp meter list", "has no location", "[geocoding]"];
    researcher.ask(&["add", &doubtful]).done().says(&told);
}

#[test]
fn an_import_can_be_repeated() {
    let researcher = Researcher::new();
    let named = |name: &str| registration(name, &format!("{name}@example.org"));
    let lines = ["ida", "max", "ida"].map(|name| named(name).to_string()).join("\n");
    let file = researcher.file("many.jsonl", &lines);
    let dry = researcher.ask(&["import", &file, "--dry-run"]).done().json();
    assert_eq!(researcher.count(), 0, "nothing is stored");
    let outcomes = |lines: &[Value]| -> Vec<String> {
        lines.iter().map(|line| text(line, "outcome").to_owned()).collect()
    };
    assert_eq!(outcomes(&dry), ["new", "new", "known"]);
    assert_eq!(dry[2]["same_as_line"], 1);

    let first = researcher.ask(&["import", &file]).done().json();
    assert_eq!(outcomes(&first), ["registered", "registered", "known"]);
    assert_eq!((&first[1]["line"], text(&first[1], "email")), (&json!(2), "max@example.org"));
    assert_eq!(first[2]["household"], first[0]["household"]);
    let second = researcher.ask(&["import", &file]).done().json();
    assert_eq!(outcomes(&second), ["known"; 3]);
    for member in ["household", "participant", "measurement_device", "meters"] {
        assert_eq!(second[1][member], first[1][member], "{member}");
    }

    // The same as CSV, with a further household and a wrong line.
    let header = "participant.name,participant.email,address.street,address.postal_code,\
                  address.city,address.country,location.latitude,location.longitude,\
                  metadata.children,metadata.adults,metadata.adults_with_job,\
                  metadata.electric_vehicle_charger,metadata.heat_pump,metadata.home_battery,\
                  meters.0.type,meters.0.model";
    let row = |name: &str, code: &str| {
        format!(
            "{name},{name}@example.org,Musterstraße 17,{code},Wiesbaden,DE,50.0826,8.2475,1,2,1,\
             false,true,false,ELECTRICITY,MT175"
        )
    };
    let table = [header.to_owned(), row("ida", "65183"), row("otto", "x"), row("olga", "65183")];
    let file = researcher.file("many.csv", &table.join("\n"));
    let run = researcher.ask(&["import", &file, "--format", "table"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stdout.contains("known") && run.stdout.contains("olga@example.org"), "{run:?}");
    let run = run.says(&["many.csv:3: ", "address/postal_code", "import the file again"]);
    assert!(run.stdout.contains(text(&first[0], "household")), "{run:?}");
    assert_eq!(researcher.count(), 3);
    let unknown = researcher.file("unknown.csv", "name,strasse\nida,x\n");
    researcher.ask(&["import", &unknown]).refused(2, &["unknown.csv:1:", "`name`"]);
}

#[test]
fn a_mistake_is_removed_and_measurements_are_seen() {
    let researcher = Researcher::new();
    let server = &researcher.server;
    let erika = Participant::register(server, "Erika Beispiel", "erika@example.org");
    let file = erika.folder.path().join("registration.json");
    let further = ["add", file.to_str().unwrap(), "--further", "--format", "json"];
    let mistake = researcher.ask(&further).done().json().remove(0);
    researcher.ask(&["remove", text(&mistake, "household")]).done();
    assert_eq!(researcher.count(), 1);

    let household = erika.household.to_string();
    let none = researcher.ask(&["measurements", &household, "--format", "json"]).done();
    assert_eq!(none.stdout, "");
    erika.account(server).grant();
    assert_eq!(erika.report(server, 1..4).unwrap().0, 200);
    let seen = researcher.ask(&["measurements", &household, "--format", "json"]).done().json();
    assert_eq!(seen.len(), 3);
    assert_eq!(text(&seen[0], "meter"), erika.meter.to_string());
    assert_eq!(seen[0]["data"][0]["0100010800ff"].to_string(), "12345.6789");
    let csv = researcher.ask(&["measurements", &household, "--format", "csv"]).done().stdout;
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!(lines[0], "meter,measured_at,received_at,obis,value,flags");
    assert!(lines.len() == 4 && lines[1].contains(",1-0:1.8.0*255,12345.6789,"), "{csv}");
    let table = researcher.ask(&["measurements", &household]).done().stdout;
    assert!(table.contains("12345.6789") && table.contains(&erika.meter.to_string()), "{table}");
    let later = ["measurements", &household, "--from", "2999-01-01T00:00:00Z", "--format", "json"];
    assert_eq!(researcher.ask(&later).done().stdout, "");

    let kept = researcher.ask(&["remove", &household]);
    kept.refused(1, &["409", "measurements were made", "what has measurements is kept"]);
}

#[test]
fn a_household_that_revoked_is_seen_once_it_is_masked() {
    let mut survey = Survey::new();
    survey.make_regions("regions.ebpgeo", 1365.0);
    survey.configure("regions = \"regions.ebpgeo\"\n");
    let _server = survey.start();
    let wanda = survey.household("wanda", 1);
    let measurements =
        |uuid: &str| survey.as_researcher(&["measurements", uuid, "--format", "json"]);
    assert_eq!(measurements(&wanda.uuid).done().json().len(), 1);
    survey.api(&wanda).revoke();
    measurements(&wanda.uuid).refused(1, &["404", "ebp household list"]);
    let masked = survey.revoked().remove(0);
    assert_eq!(measurements(text(&masked, "uuid")).done().json().len(), 1);
}

/// A participant's own certificate, by the household.
#[test]
fn a_certificate_is_for_who_is_registered() {
    let researcher = Researcher::new();
    let server = &researcher.server;
    let erika = Participant::register(server, "Erika Beispiel", "erika@example.org");
    let household = erika.household.to_string();
    let listed = || server.run(["ca", "list", "--format", "json"], "").done().json();
    let before = listed();
    let nobody = uuid::Uuid::from_u128(1).to_string();
    let new: PathBuf = researcher.folder.path().join("new/folder");
    let output = new.to_str().unwrap();
    let issue = |arguments: &[&str]| {
        let command = ["ca", "issue", "--output", output];
        server.run(command.iter().chain(arguments).copied(), "")
    };
    issue(&["--email", "x@example.org"]).refused(1, &["nobody is registered", "register the"]);
    issue(&["--email", "x@example.org", "--participant", &nobody]).refused(1, &["nobody is"]);
    let other = ["--email", "erika@example.org", "--participant", &nobody];
    issue(&other).refused(1, &["has another identifier", "leave --participant out"]);
    issue(&["--household", &nobody]).refused(1, &["there is no household", "ebp household list"]);
    let unknown = ["--email", "erika@example.org", "--device", &nobody];
    issue(&unknown).refused(1, &["there is no device", "ebp household show"]);
    let blocked = researcher.file("file", "");
    let arguments = ["ca", "issue", "--household", &household, "--output", &blocked];
    server.run(arguments, "").refused(1, &["cannot make", "file"]);
    assert_eq!(listed(), before, "none is registered for nothing");
    assert!(!new.exists());

    let issued = issue(&["--household", &household]).done().stdout;
    let serial = issued.lines().next().unwrap().split_whitespace().nth(1).unwrap().to_owned();
    assert_eq!(fs::read_dir(&new).unwrap().count(), 3, "certificate, key, ca.pem");
    let listed = listed();
    let own = listed.iter().find(|entry| entry["serial"] == *serial).unwrap();
    assert_eq!((&own["household"], &own["device"]), (&json!(household), &Value::Null));
    let of_device: Vec<_> =
        listed.iter().filter(|entry| entry["device"] == json!(erika.device)).collect();
    assert!(!of_device.is_empty());
    assert!(of_device.iter().all(|entry| entry["household"] == json!(household)), "{listed:?}");
    let table = server.run(["ca", "list"], "").done().stdout;
    assert!(table.contains(&household), "{table}");
}
