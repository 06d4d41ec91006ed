//! Trouble with a meter is told to the server once, is over there when it is over here, and waits
//! while the server is away.

use serde_json::Value;

use super::{configure, daemon};
use crate::support::{
    household::{Api, Household},
    meter::Meter,
    server::Server,
    wait_for,
};

const PORT: &str = "SERIAL-PORT-UNAVAILABLE";
const CODES: &str = "OBIS-CODES-UNAVAILABLE";

/// What the server holds of a meter: type, when it was reported, when it ended.
fn held(server: &Server, household: &Household, meter: usize) -> Vec<(String, Value, Value)> {
    let path = format!("/household/meter/{}/incident", household.meters[meter]);
    let held = Api::new(server, &household.device_certificate).get(&path);
    let field = |item: &Value, name: &str| item.get(name).cloned().unwrap_or_default();
    held.as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let kind = item["type"].as_str().unwrap().to_owned();
            (kind, field(item, "reported_at"), field(item, "resolved_at"))
        })
        .collect()
}

fn open(held: &[(String, Value, Value)]) -> Vec<&str> {
    held.iter().filter(|(_, _, ended)| ended.is_null()).map(|(kind, ..)| &**kind).collect()
}

#[test]
fn trouble_is_told_once_and_ends_at_the_server_too() {
    // The test asks as the device, and more often than one does.
    let mut server =
        Server::configured("[limits]\nrequests_burst = 1000\nrequests_per_second = 500\n");
    let household = Household::register(&server, "erika@example.org", &["MT175", "MT681"], "1s");
    configure(&household, "timeout = \"10s\"", "timeout = \"10s\"\nunlock_after = 1");
    household.account(&server).grant();
    // The one is locked, and nobody knows its PIN; the other's head is not there.
    let link = household.folder.path().join("MT175");
    let locked = ["--model", "MT175", "--interval", "300ms", "--locked"];
    let meter = Meter::start(&link, locked);
    let (mut reading, mut sending) = (daemon("read", &household), daemon("transmit", &household));
    let told = wait_for("both incidents at the server", || {
        let held = [held(&server, &household, 0), held(&server, &household, 1)];
        (open(&held[0]) == [CODES] && open(&held[1]) == [PORT]).then_some(held)
    });

    // Neither restarts nor the reports of some seconds repeat it.
    for _ in 0..2 {
        reading.kill();
        sending.kill();
        (reading, sending) = (daemon("read", &household), daemon("transmit", &household));
        let before = household.account(&server).measurements(&household.meters[0]).len();
        wait_for("further reports", || {
            let now = household.account(&server).measurements(&household.meters[0]).len();
            (now > before + 1).then_some(())
        });
    }
    assert_eq!([held(&server, &household, 0), held(&server, &household, 1)], told);

    // Both end while the server is away, and the device is started anew.
    server.kill();
    meter.end().done();
    let meter = Meter::quick(household.folder.path(), "MT175");
    let _other = Meter::quick(household.folder.path(), "MT681");
    reading.wait_for(&format!("{PORT} has ended"));
    reading.wait_for(&format!("{CODES} has ended"));
    // A third comes and stays.
    meter.end().done();
    reading.wait_for(&format!("{PORT} is reported"));
    reading.kill();
    sending.kill();
    let _reading = daemon("read", &household);
    let _sending = daemon("transmit", &household);
    server.go_on();
    wait_for("the server to have heard of the end and of the third", || {
        let held = [held(&server, &household, 0), held(&server, &household, 1)];
        (open(&held[0]) == [PORT] && open(&held[1]).is_empty()).then_some(())
    });
    let [first, second] = [held(&server, &household, 0), held(&server, &household, 1)];
    assert_eq!((first.len(), second.len()), (2, 1), "{first:?} {second:?}");
    // What was told before keeps its beginning.
    assert_eq!(second[0].1, told[1][0].1);
    assert!(first.iter().any(|(kind, since, _)| kind == CODES && *since == told[0][0].1));
}
