//! A meter that is exchanged without anybody's knowing: the device flags what it measures, and
//! administrators see it, until the exchange is registered.

use std::{fs, time::Duration};

use ebp_core::model::Flag;
use serde_json::Value;
use uuid::Uuid;

use crate::support::{
    ebp, household::Household, meter::Meter, process, process::Run, server::Server, write_private,
};

const MODEL: &str = "MT175";

/// Measures once and says whether that has the flag.
fn is_flagged(household: &Household) -> bool {
    // In a slot of its own.
    std::thread::sleep(Duration::from_millis(1_100));
    household.measure().done();
    let pending = household.spool().pending(1_000).unwrap();
    pending.last().unwrap().flags.contains(&Flag::AnotherMeter)
}

fn ask(server: &Server, household: &Household, arguments: &[&str]) -> Run {
    let secret = household.folder.path().join("secret");
    write_private(&secret, "the secret of the administrators\n");
    let mut command = ebp();
    command.arg("device").args(arguments).args(["--url", &server.url()]);
    command.arg("--ca").arg(server.ca()).arg("--secret-file").arg(secret);
    process::run(command, b"")
}

#[test]
fn another_meter_is_flagged_until_the_exchange_is_registered() {
    let server = Server::start();
    server.set_secrets();
    let household = Household::register(&server, "erika@example.org", &[MODEL], "1s");
    let link = household.folder.path().join(MODEL);
    let meter = |number: &str| {
        let arguments = ["--model", MODEL, "--interval", "300ms", "--number", number];
        Meter::start(&link, arguments)
    };
    household.account(&server).grant();
    let first = meter("4711081");
    assert!(!is_flagged(&household) && !is_flagged(&household));
    first.end();
    // Each measurement is one of a process of its own.
    let second = meter("4711082");
    assert!(is_flagged(&household) && is_flagged(&household));
    household.transmit().done();
    let items = household.account(&server).measurements(&household.meters[0]);
    let flags = |item: &Value| item["flags"].to_string().contains("another-meter");
    assert_eq!(items.iter().map(flags).collect::<Vec<_>>(), [false, false, true, true]);

    let listed = ask(&server, &household, &["fleet", "--state", "incident", "--format", "json"]);
    let listed = listed.done().json();
    assert_eq!(listed[0]["meters"][0]["another_meter"], true, "{listed:?}");
    assert_eq!(listed[0]["participant"], "Erika Beispiel");
    let table = ask(&server, &household, &["fleet"]).done().stdout;
    assert!(table.contains("incident") && table.contains("Erika Beispiel"), "{table}");
    let counts = ask(&server, &household, &["fleet", "--counts", "--format", "csv"]).done().stdout;
    assert!(counts.contains("incident,1\n") && counts.contains("silent,0\n"), "{counts}");
    let coverage = ask(&server, &household, &["coverage", &household.device]).done().stdout;
    assert!(coverage.contains('f') && coverage.contains(&household.meters[0]), "{coverage}");
    let history = ask(&server, &household, &["history", &household.device]).done().stdout;
    assert!(history.contains("spool, bytes"), "{history}");
    let silence = ["silence", &household.device, "--reason", "The meter is looked at"];
    let begun = ask(&server, &household, &silence).done().json();
    let shown = ask(&server, &household, &silence[..2]).done().json();
    assert_eq!((&shown, &begun[0]["until_recovery"]), (&begun, &Value::Bool(true)));
    ask(&server, &household, &["silence", &household.device, "--end"]).done();
    ask(&server, &household, &silence[..2]).refused(1, &["not silenced", "--reason"]);
    let lost = ask(&server, &household, &["fleet", "--state", "lost"]);
    assert!(lost.code == Some(2) && lost.stderr.contains("never-spoke"), "{lost:?}");

    // No number of a meter is in any file of the device.
    for file in fs::read_dir(household.spool_folder()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        for number in [4_711_081_u32, 4_711_082] {
            assert!(!bytes.windows(4).any(|window| window == number.to_be_bytes()));
            assert!(!bytes.windows(7).any(|window| window == number.to_string().as_bytes()));
        }
    }

    // The new meter has an identifier of its own from now on.
    let text = fs::read_to_string(&household.config).unwrap();
    let text = text.replace(&household.meters[0], &Uuid::new_v4().to_string());
    fs::write(&household.config, text).unwrap();
    assert!(!is_flagged(&household));
    second.end();
    let _third = meter("4711083");
    assert!(is_flagged(&household));
}
