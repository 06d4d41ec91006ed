//! `ebp job export` and `ebp job fetch`: a server makes the data set, and the archive is fetched over
//! connections that break off, until a household in it revokes its consent.

use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use ebp_core::{
    clock::{Clock, SystemClock},
    contract::Registration,
    model::Measurement,
};
use ebp_store::{Database, HouseholdId, open_store};
use jiff::SignedDuration;
use serde_json::json;
use uuid::Uuid;

use crate::support::{
    ebp,
    process::{self, Run},
    server::Server,
    write_private,
};

/// A household that measured for three weeks until an hour ago; returns its identifier.
fn household(server: &Server) -> HouseholdId {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let path = server.data().join("ebp.sqlite");
        let store = open_store(&Database::Sqlite(path)).await.unwrap();
        let until = SystemClock.now() - SignedDuration::from_hours(1);
        let since = until - SignedDuration::from_hours(24 * 21);
        let registration: Registration = serde_json::from_value(json!({
            "participant": {"name": "Erika Mustermann", "email": "erika@example.org"},
            "address": {"street": "Heidestraße 17", "postal_code": "51147", "city": "Köln",
                        "country": "DE"},
            "location": {"latitude": 50.8503, "longitude": 7.1017},
            "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": true,
                         "electric_vehicle_charger": false, "home_battery": false},
            "meters": [{"type": "ELECTRICITY", "model": "MT175"}]
        }))
        .unwrap();
        let made = store.register(registration, since).await.unwrap();
        let household = HouseholdId(made.household);
        store.grant_consent(household, since).await.unwrap();
        let rows: Vec<_> = (0..21 * 96)
            .map(|slot| {
                let data = format!("[{{\"0100010800ff\":{}.{:04}}}]", 100 + slot / 7, slot % 9973);
                Measurement {
                    uuid: Uuid::new_v4(),
                    meter: made.meters[0],
                    measured_at: since + SignedDuration::from_secs(900 * slot + 2),
                    data: serde_json::from_str(&data).unwrap(),
                    flags: Vec::new(),
                }
            })
            .collect();
        for part in rows.chunks(500) {
            store.insert_measurements(household, part.to_vec(), until).await.unwrap();
        }
        store.close().await.unwrap();
        household
    })
}

fn revoke(server: &Server, household: HouseholdId) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let path = server.data().join("ebp.sqlite");
        let store = open_store(&Database::Sqlite(path)).await.unwrap();
        store.revoke_consent(household, SystemClock.now()).await.unwrap();
        store.close().await.unwrap();
    });
}

/// Passes connections on, each until so many octets came back while the count lasts.
fn relay(port: u16, cuts: usize, octets: usize) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let cut = Arc::new(AtomicUsize::new(0));
    let counted = cut.clone();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (mut up, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut up, &mut to));
            let (mut from, mut client, cut) = (server, client, cut.clone());
            thread::spawn(move || {
                let (mut buffer, mut sum) = (vec![0; 16 << 10], 0);
                while let Ok(read @ 1..) = from.read(&mut buffer) {
                    sum += read;
                    if sum > octets && cut.load(Ordering::Relaxed) < cuts {
                        cut.fetch_add(1, Ordering::Relaxed);
                        break;
                    }
                    if client.write_all(&buffer[..read]).is_err() {
                        break;
                    }
                }
                let _ = client.shutdown(Shutdown::Both);
                let _ = from.shutdown(Shutdown::Both);
            });
        }
    });
    (own, counted)
}

fn job(server: &Server, port: u16, folder: &Path, arguments: &[&str]) -> Run {
    let mut command = ebp();
    command.current_dir(folder).arg("job").args(arguments).arg("--ca").arg(server.ca());
    command.args(["--url", &format!("https://localhost:{port}"), "--secret-file", "secret"]);
    process::run(command, b"")
}

#[test]
fn an_archive_is_fetched_over_connections_that_break_off() {
    let server = Server::start();
    server.set_secrets();
    let household = household(&server);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_private(&folder.join("secret"), "the secret of the researchers\n");
    let csv = ["export", "--format", "csv", "--name", "set", "--key", "one"];
    let made = job(&server, server.port(), folder, &[&csv[..], &["--output", "set.tar"]].concat());
    let told = made.done().stdout;
    assert!(told.contains("rows of 1 household") && told.contains("set.tar"), "{told}");
    let whole = fs::read(folder.join("set.tar")).unwrap();
    assert!(whole.len() > 300_000, "{} octets", whole.len());

    let unpacked = Command::new("tar").current_dir(folder).args(["-xf", "set.tar"]).status();
    assert!(unpacked.unwrap().success());
    let mut check = ebp();
    check.current_dir(folder).args(["export", "--check", "set"]);
    let told = process::run(check, b"").done().stdout;
    assert!(told.contains("holds what it says"), "{told}");

    let listed = job(&server, server.port(), folder, &["list", "--format", "json"]).done().json();
    assert_eq!((&listed[0]["kind"], &listed[0]["progress"]), (&json!("export"), &json!(1000)));
    let uuid = listed[0]["uuid"].as_str().unwrap().to_owned();
    let (port, cuts) = relay(server.port(), 3, 100_000);
    let fetched = job(&server, port, folder, &["fetch", &uuid, "--output", "again.tar"]).done();
    assert_eq!(cuts.load(Ordering::Relaxed), 3, "{fetched:?}");
    assert!(fetched.stderr.contains("going on"), "{fetched:?}");
    assert!(fs::read(folder.join("again.tar")).unwrap() == whole);
    let left = fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name());
    let parts = left.filter(|name| name.to_string_lossy().ends_with(".part")).count();
    assert_eq!(parts, 0);
    let there = ["fetch", &uuid, "--output", "again.tar"];
    job(&server, port, folder, &there).refused(2, &["exists"]);

    revoke(&server, household);
    let gone = job(&server, port, folder, &["fetch", &uuid, "--output", "gone.tar"]);
    gone.refused(1, &["erased"]);
    assert!(!folder.join("gone.tar").exists());
}
