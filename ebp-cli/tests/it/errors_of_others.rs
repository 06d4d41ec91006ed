//! Errors of the device's page and of its updater, which count in folders of their own, reach the server
//! with those of the measuring service.

use std::{collections::BTreeSet, fs, path::Path};

use rustix::process::Signal;

use crate::{
    operate::{page, people::Participant},
    run,
    support::{
        ebp, household::Household, process, process::Running, server::Server, wait_for,
        write_private,
    },
};

/// The components of the groups that the device sends.
fn components(config: &Path) -> BTreeSet<String> {
    let groups = run!("errors", "list", "--config", config, "--format", "json").done().json();
    groups.iter().map(|group| group["component"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn errors_of_the_page_and_of_the_updater_reach_the_server() {
    let server = Server::start();
    server.set_secrets();
    let household = Household::register(&server, "erika@example.org", &["MT175"], "24h");
    household.account(&server).grant();
    let text = fs::read_to_string(&household.config).unwrap();
    let text = text.replace("[cycle]", "[update]\nsource = \"gone\"\n[cycle]");
    fs::write(&household.config, format!("socket = \"read.sock\"\n{text}")).unwrap();
    let socket = household.config.with_file_name("read.sock");
    let updates = household.folder.path().join("updates");
    let update = || {
        let mut update = ebp();
        update.args(["update", "--config"]).arg(&household.config);
        update.arg("--folder").arg(&updates).args(["--floor", env!("CARGO_BIN_EXE_ebp")]);
        process::run(update, b"").refused_with("check `source` under [update]");
    };
    // What is counted while nobody measures is told later.
    update();
    assert!(!components(&household.config).contains("updater"));
    let mut reading = ebp();
    reading.args(["read", "--every", "--config"]).arg(&household.config);
    let reading = Running::start(reading);
    wait_for("the socket", || socket.exists().then_some(()));
    update();

    let max = Participant::register(&server, "Max Beispiel", "max@example.org");
    let (_, _, config) = page::enrol(&server, &max);
    let config = config.replace("no.sock", socket.to_str().unwrap());
    let config = max.file("page.toml", &config);
    let mut page = ebp();
    page.args(["serve", "device", "--config"]).arg(config).env("EBP_TEST_PANIC", "canary");
    let mut page = Running::start(page);
    page.wait_for("panicked");
    page.signal(Signal::TERM);
    page.end().done();

    let both = ["page", "updater"].map(str::to_owned).into();
    wait_for("both", || components(&household.config).is_superset(&both).then_some(()));
    household.transmit().done();
    let secret = household.folder.path().join("secret");
    write_private(&secret, "the secret of the administrators\n");
    let url = server.url();
    let shown = run!(
        "device",
        "errors",
        "--format",
        "json",
        "--url",
        url,
        "--ca",
        server.ca(),
        "--secret-file",
        secret
    );
    let shown = shown.done().stdout;
    for component in both {
        assert!(shown.contains(&format!("\"component\":\"{component}\"")), "{component}: {shown}");
    }
    assert!(!shown.contains("canary"), "{shown}");
    reading.kill();
}
