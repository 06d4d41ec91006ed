//! What a device in the field must outlive: trouble with its meters and heads, a card that is full
//! or cannot be written to, servers of the worst kind. Each time with the program from outside.

mod answers;
mod card;
mod heads;
mod incidents;
mod interferer;
use crate::support::{ebp, household::Household, process::Running};

/// One of the device's two daemons.
fn daemon(command: &str, household: &Household) -> Running {
    let mut ebp = ebp();
    ebp.args([command, "--every", "--config"]).arg(&household.config);
    Running::start(ebp)
}

/// Changes a line of the device's configuration.
fn configure(household: &Household, from: &str, to: &str) {
    let text = std::fs::read_to_string(&household.config).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(&household.config, text.replacen(from, to, 1)).unwrap();
}

/// The identifiers of what waits in the spool.
fn pending(household: &Household) -> std::collections::BTreeSet<String> {
    let pending = household.spool().pending(100_000).unwrap();
    pending.iter().map(|measurement| measurement.uuid.to_string()).collect()
}

/// The identifiers of what the server has of the household's meters; none is there twice.
fn arrived(
    household: &Household,
    server: &crate::support::server::Server,
) -> std::collections::BTreeSet<String> {
    let account = household.account(server);
    let mut arrived = std::collections::BTreeSet::new();
    for meter in &household.meters {
        for item in account.measurements(meter) {
            let uuid = item["uuid"].as_str().unwrap().to_owned();
            assert!(arrived.insert(uuid), "{item} twice");
        }
    }
    arrived
}
