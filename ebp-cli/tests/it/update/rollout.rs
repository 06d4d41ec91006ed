//! A roll-out at a real server: devices that ask it, take a signed release, and report.

use std::{fs, thread, time::Duration};

use serde_json::Value;

use super::{Device, FLOOR, good, script, services::Services, signed::Group, wait_until_works};
use crate::support::{
    ebp,
    household::Household,
    meter::Meter,
    process::{self, Run},
    server::Server,
    wait_for, write_private,
};

const VERSION: &str = "0.1.9";

struct Administrator<'a> {
    server: &'a Server,
    folder: tempfile::TempDir,
}

impl<'a> Administrator<'a> {
    fn new(server: &'a Server) -> Self {
        server.set_secrets();
        let folder = tempfile::tempdir().unwrap();
        write_private(&folder.path().join("secret"), "the secret of the administrators\n");
        Self { server, folder }
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let mut command = ebp();
        command.arg("rollout").args(arguments).args(["--url", &self.server.url()]);
        command.arg("--ca").arg(self.server.ca());
        command.arg("--secret-file").arg(self.folder.path().join("secret"));
        process::run(command, b"")
    }

    /// After a while, since it is asked again and again.
    fn show(&self) -> Value {
        thread::sleep(Duration::from_millis(200));
        self.run(&["show", "--format", "json"]).done().json().remove(0)
    }

    /// Waits until so many devices are in that state.
    fn wait_for(&self, state: &str, count: u64) {
        wait_for(state, || (self.show()["counts"][state] == count).then_some(()));
    }

    /// Waits until that is its state.
    fn wait_until(&self, state: &str) {
        wait_for(state, || (self.show()["rollout"]["state"] == state).then_some(()));
    }
}

impl Device {
    /// Takes signed releases from that folder.
    fn trust(&self, group: &Group) {
        fs::copy(
            group.path("releases/metadata/1.root.json"),
            self.config.with_file_name("root.json"),
        )
        .unwrap();
        let repository = group.path("releases");
        let text = fs::read_to_string(&self.config).unwrap();
        let wanted = format!("repository = {repository:?}\nroot = \"root.json\"\n# source");
        fs::write(&self.config, text.replacen("source", &wanted, 1)).unwrap();
    }
}

/// The first device goes over and then the other; a newer release that nobody rolled out is taken by
/// neither. What a device says of itself does not count until its services report the version.
#[test]
fn a_version_goes_over_to_one_device_and_then_to_the_other() {
    let server = Server::start();
    let administrator = Administrator::new(&server);
    let first = Household::register(&server, "erika@example.org", &["MT175"], "2s");
    let other = Household::register(&server, "max@example.org", &["MT175"], "2s");
    let _meter = Meter::quick(first.folder.path(), "MT175");
    for household in [&first, &other] {
        household.account(&server).grant();
    }
    let group = Group::new();
    group.add_program(VERSION, &good(VERSION));
    group.add_program("0.2.0", &script("0.2.0", "exit 0", "exec sleep 1000"));
    group.publish();
    let one = Device::new(&first.config, "32s");
    let two = Device::new(&other.config, "24s");
    one.trust(&group);
    two.trust(&group);
    let services = Services::start(&one, &["read", "transmit"]);
    wait_until_works(&first);

    administrator.run(&["show"]).refused_with("there never was a roll-out");
    let start = ["start", VERSION, "--first", &first.device, "--steps", "100%", "--soak", "0s"];
    let run = administrator.run(&[&start[..], &["--label", "ea"]].concat()).done();
    assert!(run.stdout.contains("1 of 2: the first devices"), "{}", run.stdout);
    administrator.run(&start).refused_with("a roll-out is running");
    assert_eq!(two.round().done().stderr, "", "it stays, and says nothing");
    one.round().done();
    assert_eq!((one.launched(), two.launched()), (FLOOR.into(), FLOOR.into()));

    administrator.wait_for("offered", 1);
    one.round().done().says(&["fetching version 0.1.9", "version 0.1.9 is kept"]);
    administrator.wait_for("gone-over", 1);
    administrator.wait_for("offered", 1);
    two.round().done().says(&["version 0.1.9 is kept"]);
    // It says so; what its services last reported is nothing yet.
    thread::sleep(Duration::from_secs(2));
    assert_eq!(administrator.show()["counts"]["gone-over"], 1);
    let mut report = two.launch(&["transmit", "--config"]);
    report.arg(&two.config);
    process::run(report, b"").done();
    two.round().done();
    administrator.wait_until("finished");
    assert_eq!(administrator.show()["counts"]["gone-over"], 2);
    let listed = administrator.run(&["list", "--format", "csv"]).done().stdout;
    assert!(listed.contains("0.1.9,finished,2 of 2: 100 %"), "{listed}");
    // Nothing newer is taken until somebody rolls it out, also while the server is away.
    assert_eq!(one.round().done().stderr, "");
    assert_eq!(one.launched(), VERSION);
    drop(services);
}

/// A version that its first device leaves is offered to no other one, and a server that is away
/// changes nothing of what it said.
#[test]
fn a_version_that_fails_stays_with_its_first_device() {
    let mut server = Server::start();
    let first = Household::register(&server, "erika@example.org", &["MT175"], "2s");
    let other = Household::register(&server, "max@example.org", &["MT175"], "2s");
    for household in [&first, &other] {
        household.account(&server).grant();
    }
    let group = Group::new();
    group.add_program("0.1.8", &script("9.9.9", "exit 0", "exec sleep 1000"));
    group.publish();
    let (one, two) = (Device::new(&first.config, "24s"), Device::new(&other.config, "24s"));
    one.trust(&group);
    two.trust(&group);
    {
        let administrator = Administrator::new(&server);
        administrator
            .run(&["start", "0.1.8", "--first", &first.device, "--steps", "100%", "--soak", "0s"])
            .done();
        one.round().done();
        two.round().done();
        administrator.wait_for("offered", 1);
        one.round().done().says(&["version 0.1.8 is not run: it says that it is version 9.9.9"]);
        administrator.wait_for("failed", 1);
        let shown = administrator.run(&["show"]).done().stdout;
        assert!(shown.contains("it says that it is version 9.9.9"), "{shown}");
        assert!(shown.contains("the step is not passed until `ebp rollout advance`"), "{shown}");
        two.round().done();
        assert_eq!(two.launched(), FLOOR);
        administrator.run(&["halt", "--revision", "7"]).refused_with("changed");
        administrator.run(&["halt", "--revision", "1"]).done();
        administrator.run(&["advance"]).refused_with("a roll-out is halted");
        administrator.run(&["end", "--label", "bo"]).done();
        assert_eq!(administrator.show()["events"][0]["by"], "bo");
    }
    server.end();
    // However long ago it said so.
    let wish = two.updates.join("wish.json");
    let remembered = fs::read_to_string(&wish).unwrap();
    let at = remembered.find("\"at\":\"20").unwrap() + "\"at\":\"".len();
    fs::write(&wish, format!("{}2016{}", &remembered[..at], &remembered[at + 4..])).unwrap();
    let run = two.round().done();
    run.says(&["the server does not say which version should run", "stays on what it runs"]);
    assert_eq!(two.launched(), FLOOR);
    // Until its administrator says otherwise.
    let text = fs::read_to_string(&two.config).unwrap();
    fs::write(&two.config, text.replace("root =", "version = \"newest\"\nroot =")).unwrap();
    two.round().done().says(&["version 0.1.8 is not run: it says that it is version 9.9.9"]);
}

/// A device whose configuration says what it runs tells the server what it keeps as soon as it keeps it,
/// not an hour later.
#[test]
fn a_device_with_a_version_of_its_own_says_at_once_what_it_keeps() {
    let server = Server::start();
    let administrator = Administrator::new(&server);
    let household = Household::register(&server, "erika@example.org", &["MT175"], "2s");
    household.account(&server).grant();
    let group = Group::new();
    group.add_program(VERSION, &good(VERSION));
    group.publish();
    let device = Device::new(&household.config, "24s");
    device.trust(&group);
    let text = fs::read_to_string(&device.config).unwrap();
    let pinned = format!("version = {VERSION:?}\nroot =");
    fs::write(&device.config, text.replace("root =", &pinned)).unwrap();
    administrator.run(&["start", VERSION]).done();
    device.round().done().says(&["version 0.1.9 is kept"]);
    // It counts by its services' report, and by what that one round has said.
    let mut report = device.launch(&["transmit", "--config"]);
    report.arg(&device.config);
    process::run(report, b"").done();
    administrator.wait_for("gone-over", 1);
}

/// On a device with Kubernetes it is said who updates it, and nothing else is done.
#[test]
fn a_device_of_flux_only_reports() {
    let server = Server::start();
    let administrator = Administrator::new(&server);
    let household = Household::register(&server, "erika@example.org", &["MT175"], "2s");
    household.account(&server).grant();
    let device = Device::new(&household.config, "24s");
    let text = fs::read_to_string(&device.config).unwrap();
    fs::write(&device.config, text.replacen("[update]", "[update]\nmanaged = \"flux\"", 1))
        .unwrap();
    administrator.run(&["start", "0.1.9"]).done();
    device.round().done().says(&["Flux updates this device"]);
    administrator.wait_for("flux", 1);
}
