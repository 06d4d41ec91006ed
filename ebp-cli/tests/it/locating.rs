//! Where a household is that is registered by its address: asked of a service like Nominatim by
//! whoever is configured to, guessed by its postal code, entered by hand, or not known.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::run;
use crate::support::survey::Survey;
use serde_json::{Value, json};

/// Knows the houses of one street, and counts who asks.
fn nominatim() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = String::new();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            while lines.read_line(&mut head).is_ok_and(|read| read > 2) {}
            count.fetch_add(1, Ordering::SeqCst);
            let house = r#"[{"lat": "50.4123456", "lon": "8.5123456", "place_rank": 30,
                "address": {"house_number": "1", "country_code": "de"}}]"#;
            let body = if head.contains("street=Am+Hang") { house } else { "[]" };
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    (url, asked)
}

fn registration(folder: &Path, street: &str) -> PathBuf {
    let registration = json!({
        "participant": {"name": "Erika", "email": format!("{}@example.org", street.len())},
        "address": {"street": street, "postal_code": "35390", "city": "Gießen", "country": "DE"},
        "metadata": {"children": 0, "adults": 1, "adults_with_job": 1,
                     "electric_vehicle_charger": false, "heat_pump": false, "home_battery": false},
        "meters": [{"type": "ELECTRICITY", "model": "MT175"}],
    });
    let file = folder.join("household.json");
    // Import reads one a line, which JSON of one is.
    fs::write(&file, registration.to_string()).unwrap();
    file
}

#[test]
fn the_server_looks_addresses_up() {
    let mut survey = Survey::new();
    let (url, asked) = nominatim();
    fs::write(survey.at("codes.csv"), "plz,lat,lon\n35390,50.58,8.68\n").unwrap();
    survey
        .configure(&format!("[geocoding]\nurl = \"{url}\"\ncontact = \"research@example.org\"\n"));
    let mut server = survey.start();
    let location = |survey: &Survey, action: &[&str], street: &str| -> Value {
        let file = registration(survey.folder.path(), street);
        let arguments = [&[action[0], file.to_str().unwrap()], &action[1..]].concat();
        let made = survey.as_researcher(&arguments).done().json().remove(0);
        let household = made["household"].as_str().unwrap().to_owned();
        survey.as_researcher(&["show", &household]).done().json().remove(0)["location"].clone()
    };
    let found = json!({"latitude": 50.4123456, "longitude": 8.5123456, "precision": "address"});
    assert_eq!(location(&survey, &["add", "--format", "json"], "Am Hang 1"), found);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // Not found, it is registered nevertheless.
    assert_eq!(location(&survey, &["import"], "Nirgendweg 12"), Value::Null);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    // The researcher's own table; the server is not asked to look.
    let table = survey.at("codes.csv").display().to_string();
    let rough = json!({"latitude": 50.58, "longitude": 8.68, "precision": "postal-code"});
    assert_eq!(location(&survey, &["import", "--postal-codes", &table], "Nirgendweg 123"), rough);
    let by_hand = ["add", "--latitude", "50.6", "--longitude", "8.7", "--format", "json"];
    let entered = json!({"latitude": 50.6, "longitude": 8.7, "precision": "entered"});
    assert_eq!(location(&survey, &by_hand, "Nirgendweg 1234"), entered);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    server.wait_for("route=\"/management/household/{household}\"");
    let said = server.stderr().join("\n");
    assert!(!said.contains("Hang") && !said.contains("50.41") && !said.contains("35390"), "{said}");
}

/// What the service answered for an address that a household no longer has goes.
#[test]
fn an_answer_goes_with_its_address() {
    let mut survey = Survey::new();
    let (url, asked) = nominatim();
    survey
        .configure(&format!("[geocoding]\nurl = \"{url}\"\ncontact = \"research@example.org\"\n"));
    let _server = survey.start();
    let answers = || -> Vec<String> {
        let files = fs::read_dir(survey.data().join("geocoding")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("answer-")).collect()
    };
    let file = registration(survey.folder.path(), "Am Hang 1");
    let added = ["add", file.to_str().unwrap(), "--format", "json"];
    let made = survey.as_researcher(&added).done().json().remove(0);
    let household = made["household"].as_str().unwrap();
    let before = answers();
    assert_eq!(before.len(), 1);
    let change = survey.at("change.json");
    let edit = |street: &str| {
        let address =
            json!({"street": street, "postal_code": "35390", "city": "Gießen", "country": "DE"});
        fs::write(&change, json!({"address": address}).to_string()).unwrap();
        survey.as_researcher(&["edit", household, change.to_str().unwrap()]).done();
    };
    edit("Am Hang 2");
    let after = answers();
    assert_eq!((after.len(), asked.load(Ordering::SeqCst)), (1, 2), "{after:?}");
    assert_ne!(before, after);
    // The same again is no other address.
    edit("Am Hang 2");
    assert_eq!(answers(), after);
}

#[test]
fn a_researcher_looks_addresses_up() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (url, asked) = nominatim();
    let geocoder = ["--geocoder", &url, "--geocoder-contact", "research@example.org"];
    let cache = at("cache");
    let add = |street: &str, more: &[&str]| {
        let file = registration(folder.path(), street);
        let data = at(&format!("data{}", street.len()));
        let mut arguments = vec!["household", "add", "--data", data.to_str().unwrap()];
        arguments.extend(["--geocoder-cache", cache.to_str().unwrap(), file.to_str().unwrap()]);
        arguments.extend(geocoder);
        arguments.extend(more);
        crate::support::run(arguments)
    };
    let run = add("Am Hang 1", &[]).done();
    assert_eq!(run.stderr, "");
    // Asked once: what was answered is remembered.
    add("Am Hang 1", &["--further"]).done();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    add("Nirgendweg 1", &[]).done().says(&["was not found", "ebp household edit"]);
    fs::write(at("codes.csv"), "plz,lat,lon\n35390,50.58,8.68\n").unwrap();
    let table = at("codes.csv").display().to_string();
    add("Nirgendweg 12", &["--postal-codes", &table]).done().says(&["approximation"]);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    add("Am Hang 1", &["--latitude", "91", "--longitude", "8"]).refused(2, &["latitude"]);
    let file = registration(folder.path(), "Am Hang 1");
    run!(
        "household",
        "add",
        file,
        "--geocoder",
        "http://geo.example.org",
        "--geocoder-contact",
        "a@example.org",
        "--geocoder-cache",
        cache
    )
    .refused(2, &["https://"]);
}
