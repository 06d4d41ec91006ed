//! `ebp update` and its launcher as a device has them: the built program is the floor, and releases are
//! copies of it with another version, or scripts that are bad in some way. A script stands for
//! systemctl; threads of the test keep the services running as systemd does.

mod bad;
mod disk;
mod kill;
mod launcher;
mod rollout;
mod services;
mod signed;
mod trial;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::support::{
    ebp,
    household::Household,
    meter::Meter,
    process::{self, Run, Running},
    server::Server,
};
use services::Services;

/// The program's own version.
const FLOOR: &str = env!("CARGO_PKG_VERSION");
const MODEL: &str = "MT175";
const SERVICES: [&str; 2] = ["read", "transmit"];
const LONGEST_ROUND: Duration = Duration::from_secs(240);

/// The built program with another version in it, of the same length as its own.
fn program_of(version: &str) -> PathBuf {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().unwrap()).path();
    let path = folder.join(version);
    if !path.exists() {
        assert_eq!(version.len(), FLOOR.len());
        let mut program = fs::read(env!("CARGO_BIN_EXE_ebp")).unwrap();
        let places: Vec<_> = memchr::memmem::find_iter(&program, FLOOR).collect();
        for place in places {
            // Not a part of another version.
            if !program[place - 1].is_ascii_digit() {
                program[place..place + version.len()].copy_from_slice(version.as_bytes());
            }
        }
        fs::write(&path, program).unwrap();
        executable(&path);
    }
    path
}

fn executable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A release that is the program itself.
fn good(version: &str) -> String {
    let exec = format!("exec {} \"$@\"", program_of(version).display());
    script(version, &exec, &exec)
}

/// A release that prints a version, tests itself like that, and does that for anything else.
fn script(version: &str, self_test: &str, other: &str) -> String {
    format!(
        "#!/bin/sh\ncase \"$1\" in\n--version) echo ebp {version} ;;\nself-test) {self_test} ;;\n\
         *) {other} ;;\nesac\n"
    )
}

/// A device with updates.
struct Device {
    folder: tempfile::TempDir,
    config: PathBuf,
    updates: PathBuf,
}

impl Device {
    /// One with that configuration, to which a socket and updates are added.
    fn new(config: &Path, trial: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (source, bin) = (folder.path().join("source"), folder.path().join("bin"));
        fs::create_dir(&source).unwrap();
        fs::create_dir(&bin).unwrap();
        let text = fs::read_to_string(config).unwrap();
        let update = format!(
            "[update]\nsource = {source:?}\ntrial = \"{trial}\"\nunits = [\"read.service\", \
             \"transmit.service\"]\n[cycle]"
        );
        let text = format!("socket = \"read.sock\"\n{text}").replace("[cycle]", &update);
        fs::write(config, text).unwrap();
        // What systemd would do, the services' threads do.
        let systemctl = bin.join("systemctl");
        let text = format!(
            "#!/bin/sh\ncase \"$*\" in\n*try-restart*) echo >>{folder}/requests ;;\n\
             *show*) cat {folder}/*.state 2>/dev/null || true ;;\nesac\n",
            folder = folder.path().display()
        );
        fs::write(&systemctl, text).unwrap();
        executable(&systemctl);
        let updates = folder.path().join("updates");
        Self { config: config.to_owned(), updates, folder }
    }

    /// One without a server, whose services do nothing with the floor.
    fn without_server() -> Self {
        let place = tempfile::tempdir().unwrap().keep();
        let config = place.join("device.toml");
        let text = "spool = \"spool\"\n[api]\nurl = \"https://localhost:1\"\nca = \"ca.pem\"\n\
                    certificate = \"device.pem\"\nkey = \"device.key\"\n[cycle]\nmeasurement = \"1s\"\n[[meter]]\n\
                    uuid = \"6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a001\"\nmodel = \"MT175\"\n\
                    port = \"meter\"\n";
        fs::write(&config, text).unwrap();
        Self::new(&config, "24s")
    }

    /// What should run from now on.
    fn desire(&self, version: &str, program: &[u8]) {
        let source = self.folder.path().join("source");
        let name = format!("ebp-{version}");
        fs::write(source.join(&name), program).unwrap();
        let sum = digest(&SHA256, program);
        let sum: String = sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let own = json!({"file": name, "length": program.len(), "sha256": sum});
        let desired = json!({"version": version, "programs": {std::env::consts::ARCH: own}});
        // As a good publisher does: whole or not at all.
        fs::write(source.join("new"), desired.to_string()).unwrap();
        fs::rename(source.join("new"), source.join("desired.json")).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = ebp();
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", self.folder.path().join("bin").display());
        command.args(["update"]).args(arguments).arg("--folder").arg(&self.updates);
        command.env("PATH", path);
        command
    }

    /// A round of updates, with nothing else.
    fn updater(&self) -> Command {
        let mut command = self.command(&["--floor", env!("CARGO_BIN_EXE_ebp")]);
        command.arg("--config").arg(&self.config);
        command
    }

    /// A round to its end, which may take as long as a trial and what follows it.
    fn round(&self) -> Run {
        let mut round = Running::start(self.updater());
        let begun = Instant::now();
        while round.is_running() {
            assert!(begun.elapsed() < LONGEST_ROUND, "{:#?}", round.stderr());
            thread::sleep(Duration::from_millis(20));
        }
        round.end()
    }

    fn status(&self) -> Value {
        let run = process::run(self.command(&["status", "--format", "json"]), b"").done();
        run.json().remove(0)
    }

    /// The launcher, for a service.
    fn launch(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&["exec"]);
        command.arg("--").args(arguments);
        command
    }

    /// The version that a service would run.
    fn launched(&self) -> String {
        let run = process::run(self.launch(&["--version"]), b"").done();
        run.stdout.trim().strip_prefix("ebp ").unwrap().to_owned()
    }
}

/// A household whose device measures and reports by services.
struct House {
    device: Device,
    services: Services,
    household: Household,
    server: Server,
    _meter: Meter,
}

impl House {
    fn new(trial: &str) -> Self {
        Self::prepared(trial, |_, _| {})
    }

    /// One of which something is changed before its services start.
    fn prepared(trial: &str, prepare: impl FnOnce(&Household, &mut Device)) -> Self {
        let server = Server::start();
        let household = Household::register(&server, "erika@example.org", &[MODEL], "2s");
        let meter = Meter::quick(household.folder.path(), MODEL);
        household.account(&server).grant();
        let mut device = Device::new(&household.config, trial);
        prepare(&household, &mut device);
        let services = Services::start(&device, &SERVICES);
        let house = Self { device, services, household, server, _meter: meter };
        house.wait_until_it_works();
        house
    }

    /// Starts them again after they were killed.
    fn start_services(&mut self) {
        self.services = Services::start(&self.device, &SERVICES);
    }

    fn wait_until_it_works(&self) {
        wait_until_works(&self.household);
    }
}

/// Waits until a report with the floor's version is acknowledged, and a meter measured.
fn wait_until_works(household: &Household) {
    let socket = household.config.with_file_name("read.sock");
    crate::support::wait_for("a device that works", || {
        let request = ebp_device::socket::Request::Status {};
        let wait = Duration::from_secs(5);
        let answer = ebp_device::socket::ask(&socket, &request, wait).ok()?;
        let ebp_device::socket::Answer::Status(status) = answer else { return None };
        (status.acknowledged.is_some() && status.meters[0].measured_at.is_some()).then_some(())
    });
}
