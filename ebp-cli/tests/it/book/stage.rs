//! What stands around the blocks of a page: a folder, the program, and what a block names.

use std::{
    cell::RefCell,
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::Signal;
use tempfile::TempDir;

use super::root;
use crate::support::{
    ebp,
    household::{Household, issue},
    meter::Meter,
    process::Running,
    server::Server,
    write_private,
};

/// The server that the book's examples speak of.
const SERVER: &str = "https://ebp.example.org:8443";
/// The meter that the chapter on the Data API speaks of.
const METER: &str = "0d9a4c1b-7e11-4d0c-9f4e-6f1d0c1e8b1f";
/// Places of the examples that are folders of the page here. Longer names come first.
const PLACES: [&str; 5] = ["/var/lib/ebp", "/etc/ebp", "/dev/ttyUSB0", "/backup", "/tmp"];

/// The stage of one page.
pub struct Stage {
    folder: TempDir,
    meters: RefCell<Vec<Meter>>,
    server: RefCell<Option<(Running, String)>>,
    survey: RefCell<Option<(Server, Household)>>,
    /// What the chapter on the Data API asks.
    api: RefCell<Option<(Server, Household)>>,
}

impl Stage {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for place in ["var-lib-ebp", "etc-ebp", "backup", "tmp"] {
            fs::create_dir(folder.path().join(place)).unwrap();
        }
        Self {
            folder,
            meters: RefCell::default(),
            server: RefCell::default(),
            survey: RefCell::default(),
            api: RefCell::default(),
        }
    }

    /// Sets up what a block's stage names: `meter` is a reading head at /dev/ttyUSB0 on an MT175 that
    /// only draws, `locked-ehz` on a locked EHZ; `server` is the server of `/var/lib/ebp`, whose
    /// groups have the secret in the file `secret`; `device` is a device with a meter, consent and a
    /// server, configured by /etc/ebp/device.toml and device.toml; `registration` is the book's
    /// example of one in registration.toml, `measurements` a table in measurements.csv; `participant`
    /// is the folder survey that a participant is given, and a password in the file of that name;
    /// `data-api` is a server with a household that consents, and the files of each kind of user.
    pub fn prepare(&self, names: &str) {
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name {
                "meter" if self.meters.borrow().is_empty() => {
                    let arguments = ["--model", "MT175", "--interval", "500ms", "--pv-peak", "0"];
                    let meter = Meter::start(&self.place("/dev/ttyUSB0"), arguments);
                    self.meters.borrow_mut().push(meter);
                }
                "locked-ehz" if self.meters.borrow().is_empty() => {
                    let arguments = ["--model", "EHZ", "--interval", "500ms", "--locked"];
                    let meter = Meter::start(&self.place("/dev/ttyUSB0"), arguments);
                    self.meters.borrow_mut().push(meter);
                }
                "server" if self.server.borrow().is_none() => self.serve(),
                "device" if self.survey.borrow().is_none() => self.install_device(),
                "data-api" if self.api.borrow().is_none() => self.open_api(),
                "registration" => {
                    let server = fs::read_to_string(root().join("docs/src/server.md")).unwrap();
                    let example = toml_block(&server, "[participant]");
                    fs::write(self.folder.path().join("registration.toml"), example).unwrap();
                }
                "participant" => self.give_participant(),
                "measurements" => {
                    fs::write(self.folder.path().join("measurements.csv"), MEASUREMENTS).unwrap();
                }
                "meter" | "locked-ehz" | "server" | "device" | "data-api" => {}
                other => panic!("no stage is called `{other}`"),
            }
        }
    }

    /// A household's device, with a server of its own.
    fn install_device(&self) {
        let server = Server::in_folder(&self.folder.path().join("device-server"));
        let household = Household::register(&server, "erika@example.org", &["MT175"], "24h");
        household.account(&server).grant();
        let text = fs::read_to_string(&household.config).unwrap();
        for folder in [self.place("/etc/ebp"), self.folder.path().to_owned()] {
            fs::write(folder.join("device.toml"), &text).unwrap();
            // Two devices of this kind would be one: each measures the slot.
            self.meters.borrow_mut().push(Meter::quick(&folder, "MT175"));
        }
        *self.survey.borrow_mut() = Some((server, household));
    }

    /// A server, a household that consents, and what each kind of user has.
    fn open_api(&self) {
        let folder = self.folder.path();
        let server = Server::in_folder(&folder.join("api-server"));
        let household = Household::register(&server, "erika@example.org", &["MT175"], "24h");
        household.account(&server).grant();
        for group in ["researchers", "administrators"] {
            let mut command = ebp();
            command.args(["serve", "secret", "set", group, "--data"]).arg(server.data());
            super::process::run(command, b"correct horse battery\n").done();
            let line =
                format!("machine localhost login {group} password \"correct horse battery\"\n");
            write_private(&folder.join(format!("{group}.netrc")), &line);
        }
        let scopes = "account,household,consent,measurement-read";
        let named = ["--device", &household.device, "--scope", scopes];
        let frontend = issue(server.data(), &folder.join("frontend"), &household.email, &named);
        for (name, certificate) in
            [("device", &household.device_certificate), ("frontend", &frontend)]
        {
            fs::copy(&certificate.chain, folder.join(format!("{name}.pem"))).unwrap();
            fs::copy(&certificate.key, folder.join(format!("{name}.key"))).unwrap();
        }
        fs::copy(server.ca(), folder.join("ca.pem")).unwrap();
        let registered = fs::read_to_string(household.folder.path().join("registration.json"));
        let new = registered.unwrap().replace("erika@", "max@").replace("\":", "\": ");
        fs::write(folder.join("registration.json"), new).unwrap();
        *self.api.borrow_mut() = Some((server, household));
    }

    /// A registered participant's folder, and a password of their choice.
    fn give_participant(&self) {
        let server = Server::in_folder(&self.folder.path().join("participant-server"));
        let household = Household::register(&server, "erika@example.org", &["MT175"], "24h");
        let folder = self.folder.path().join("survey");
        fs::create_dir(&folder).unwrap();
        for file in [&household.participant.chain, &household.participant.key] {
            fs::copy(file, folder.join(file.file_name().unwrap())).unwrap();
        }
        fs::copy(server.ca(), folder.join("ca.pem")).unwrap();
        write_private(&self.folder.path().join("password"), "correct horse battery\n");
    }

    fn serve(&self) {
        let data = self.place("/var/lib/ebp");
        if !data.join("authority").exists() {
            let mut command = ebp();
            command.args(["ca", "init", "--data"]).arg(&data);
            super::process::run(command, b"").done();
        }
        for group in ["researchers", "administrators"] {
            let mut command = ebp();
            command.args(["serve", "secret", "set", group, "--data"]).arg(&data);
            super::process::run(command, b"correct horse battery\n").done();
        }
        write_private(&self.folder.path().join("secret"), "correct horse battery\n");
        fs::copy(data.join("authority/ca.pem"), self.folder.path().join("ca.pem")).unwrap();
        let mut command = ebp();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
        let mut running = Running::start(command);
        let line = running.wait_for("serving https://");
        let url = line.split_whitespace().find(|word| word.starts_with("https://")).unwrap();
        *self.server.borrow_mut() = Some((running, url.to_owned()));
    }

    /// Where a place of the examples is here.
    fn place(&self, place: &str) -> PathBuf {
        self.folder.path().join(place.trim_start_matches('/').replace('/', "-"))
    }

    /// What stands in the book by what it is here.
    fn names(&self) -> Vec<(String, String)> {
        let mut names: Vec<_> = PLACES
            .map(|place| (place.to_owned(), self.place(place).display().to_string()))
            .to_vec();
        if let Some((_, url)) = &*self.server.borrow() {
            names.push((SERVER.to_owned(), url.clone()));
        }
        if let Some((server, household)) = &*self.api.borrow() {
            names.push((SERVER.to_owned(), server.url()));
            names.push((METER.to_owned(), household.meters[0].clone()));
        }
        names
    }

    /// The script with its places here. (Each is replaced once: what replaces it may hold another.)
    pub fn at_home(&self, script: &str) -> String {
        replace(script, &self.names())
    }

    /// What was printed, with the book's places.
    pub fn as_written(&self, printed: &str) -> String {
        let back: Vec<_> =
            self.names().into_iter().map(|(written, here)| (here, written)).collect();
        replace(printed, &back)
    }

    /// A reader's environment.
    pub fn surround(&self, command: &mut Command) {
        let program = Path::new(env!("CARGO_BIN_EXE_ebp")).parent().unwrap().display();
        let mut variables = HashMap::from([
            ("HOME", self.folder.path().display().to_string()),
            ("PATH", format!("{program}:/usr/local/bin:/usr/bin:/bin")),
            ("LANG", "C.UTF-8".to_owned()),
        ]);
        // A program that measures its coverage writes that down where it was told to.
        if let Ok(file) = std::env::var("LLVM_PROFILE_FILE") {
            variables.insert("LLVM_PROFILE_FILE", file);
        }
        command.env_clear().envs(variables).current_dir(self.folder.path());
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some((server, _)) = self.server.take() {
            server.signal(Signal::TERM);
        }
    }
}

/// A table as evaluations take it: a meter that misses a slot of four.
const MEASUREMENTS: &str = "meter,measured_at,received_at,model
6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a002,2026-03-01T12:00:01Z,2026-03-01T13:07:00Z,MT175
6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a002,2026-03-01T12:15:01Z,2026-03-01T13:07:00Z,MT175
6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a002,2026-03-01T12:45:01Z,2026-03-01T13:07:00Z,MT175
";

/// The block of TOML with that line.
fn toml_block<'a>(page: &'a str, line: &str) -> &'a str {
    let mut blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.find(|block| block.lines().any(|found| found == line)).unwrap()
}

/// Replaces each name wherever it stands, in one pass.
fn replace(text: &str, names: &[(String, String)]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        match names.iter().find(|(name, _)| rest.starts_with(name.as_str())) {
            Some((name, by)) => {
                out.push_str(by);
                rest = &rest[name.len()..];
            }
            None => {
                out.push(letter);
                rest = &rest[letter.len_utf8()..];
            }
        }
    }
    out
}
