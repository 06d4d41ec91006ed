//! `ebp device wipe` on devices that measured: everything of the household goes, and nothing else.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use ebp_device::{config::DeviceConfig, holdings::Holdings};

use crate::{
    run,
    support::{
        ebp,
        household::Household,
        meter::Meter,
        process::{self, Run, Running},
        server::Server,
        wait_for, write_private,
    },
};

const MODEL: &str = "MT175";

/// A device with everything that the program writes there: it has measured, sent, failed and renewed,
/// and writes figures and readings for others.
struct Device {
    household: Household,
    server: Server,
    _meter: Meter,
}

impl Device {
    fn new() -> Self {
        let server = Server::start();
        let household = Household::register(&server, "erika@example.org", &[MODEL], "24h");
        let meter = Meter::quick(household.folder.path(), MODEL);
        household.account(&server).grant();
        let config = fs::read_to_string(&household.config).unwrap();
        let config = config.replace("\nport = ", "\npin_file = \"its.pin\"\nport = ");
        let config = format!(
            "socket = \"read.sock\"\nmetrics_file = \"out/ebp.prom\"\n{config}\
             [frontend]\nfolder = \"page\"\n[tunnel]\nsocket = \"tunnel.sock\"\n\
             [influx]\nto = \"out/readings.lines\"\n"
        );
        fs::write(&household.config, config).unwrap();
        let device = Self { household, server, _meter: meter };
        fs::create_dir(device.folder().join("out")).unwrap();
        write_private(&device.folder().join("its.pin"), "1234\n");
        device
    }

    fn folder(&self) -> &Path {
        self.household.folder.path()
    }

    /// The daemons run until each has done its work once.
    fn work(&self) {
        let daemon = |words: &[&str]| {
            let mut command = ebp();
            command.args(words).arg("--config").arg(&self.household.config);
            Running::start(command)
        };
        let reading = daemon(&["read", "--every"]);
        wait_for("a measurement", || (self.household.spool().len().unwrap() == 1).then_some(()));
        let sending = daemon(&["transmit", "--every"]);
        let holding = daemon(&["tunnel"]);
        for file in ["page/sign-in", "out/ebp.prom", "spool/tunnel.sqlite", "out/readings.lines"] {
            let path = self.folder().join(file);
            // Without a code the page has no hash of it.
            let path = match file {
                "page/sign-in" => path.with_file_name("frontend.pem"),
                _ => path,
            };
            wait_for(file, || path.exists().then_some(()));
        }
        for daemon in [reading, sending, holding] {
            daemon.signal(rustix::process::Signal::TERM);
            daemon.end();
        }
        // A failure, which is counted.
        self.server_is_gone();
        run!("transmit", "--config", self.household.config);
    }

    fn server_is_gone(&self) {
        let config = fs::read_to_string(&self.household.config).unwrap();
        let config = config.replace(&self.server.url(), "https://127.0.0.1:9");
        fs::write(&self.household.config, config).unwrap();
    }

    fn wipe(&self, more: &[&str]) -> Run {
        let mut command = ebp();
        command.args(["device", "wipe", "--updates", "/nonexistent", "--config"]);
        command.arg(&self.household.config).args(more);
        process::run(command, b"")
    }

    /// All files below its folder.
    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                match entry.file_type().unwrap().is_dir() {
                    true => folders.push(entry.path()),
                    false => files.push(entry.path()),
                }
            }
        }
        files.sort();
        files
    }
}

/// What the test itself puts beside the device: registration, configuration, the authority's and the
/// participant's certificates, the meter's name, the daemons' sockets.
fn is_of_the_test(device: &Device, path: &Path) -> bool {
    let participant = &device.household.participant;
    let name = path.file_name().unwrap().to_str().unwrap();
    let ca = device.folder().join("ca.pem");
    [&participant.chain, &participant.key, &device.household.config, &ca]
        .contains(&&path.to_owned())
        || ["registration.json", MODEL, "read.sock", "tunnel.sock", "notes.txt"].contains(&name)
}

/// A file that the device's programs write and that nobody has declared would outlive a wipe.
#[test]
fn every_file_that_a_device_writes_is_declared_and_goes() {
    let device = Device::new();
    device.work();
    let config = DeviceConfig::load(&device.household.config).unwrap();
    let holdings = Holdings::from_config(&config, &device.folder().join("state"));
    let written: Vec<_> =
        device.files().into_iter().filter(|path| !is_of_the_test(&device, path)).collect();
    let undeclared: Vec<_> = written.iter().filter(|path| !holdings.has(path)).collect();
    assert!(undeclared.is_empty(), "declare them in ebp-device/src/holdings.rs: {undeclared:?}");
    for name in
        ["spool.sqlite", "tunnel.sqlite", "ledger.json", "frontend.key", "its.pin", "ebp.prom"]
    {
        assert!(written.iter().any(|path| path.ends_with(name)), "no {name}: {written:?}");
    }
    fs::write(device.folder().join("spool/notes.txt"), "notes").unwrap();

    let would_go = device.wipe(&["--dry-run"]).done();
    for path in &written {
        assert!(would_go.stdout.contains(path.to_str().unwrap()), "{path:?}: {would_go:#?}");
        assert!(path.exists());
    }
    let wiped = device.wipe(&["--yes"]).done();
    for words in ["What is left", "journalctl --rotate", "Destroy the card"] {
        assert!(wiped.stdout.contains(words), "{wiped:#?}");
    }
    for path in &written {
        let line = format!("wiped: {} (", path.display());
        assert!(wiped.stdout.contains(&line) && !path.exists(), "{path:?}: {wiped:#?}");
    }
    let left: Vec<_> =
        device.files().into_iter().filter(|path| !is_of_the_test(&device, path)).collect();
    assert_eq!(left, Vec::<PathBuf>::new());
    assert_eq!(fs::read_to_string(device.folder().join("spool/notes.txt")).unwrap(), "notes");
    // A second time there is nothing to do.
    let again = device.wipe(&["--yes"]).done();
    assert!(again.stdout.starts_with("nothing was there to wipe\n"), "{again:#?}");
}

#[test]
fn refused_while_a_daemon_runs_and_without_a_word_of_anybody() {
    let device = Device::new();
    let mut command = ebp();
    command.args(["read", "--every", "--config"]).arg(&device.household.config);
    let mut reading = Running::start(command);
    reading.wait_for("measuring ");
    let key = device.household.device_certificate.key.clone();
    let pid = reading.pid().to_string();
    device.wipe(&["--yes"]).refused(1, &["read --every", "open", "kill", &pid]);
    assert!(key.exists());
    reading.kill();
    // Nobody is there to confirm it.
    device.wipe(&[]).refused(2, &["no terminal", "--yes"]);
    assert!(key.exists() && device.household.config.exists());
    device.wipe(&["--yes"]).done();
    assert!(!key.exists() && device.household.config.exists());
}

#[test]
fn what_a_link_leads_to_stays() {
    let device = Device::new();
    device.household.measure().done();
    let outside = device.folder().join("elsewhere");
    fs::write(&outside, "not the device's").unwrap();
    let pin = device.folder().join("its.pin");
    fs::remove_file(&pin).unwrap();
    symlink(&outside, &pin).unwrap();
    let wiped = device.wipe(&["--yes"]).done();
    assert!(wiped.stdout.contains("what it leads to was not touched"), "{wiped:#?}");
    assert_eq!(fs::read_to_string(&outside).unwrap(), "not the device's");
    assert!(fs::symlink_metadata(&pin).is_err());
}
