//! A survey that is masked by regions: a server with a configuration file, a researcher,
//! households whose values are found in no other file.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use ebp_anon::{
    RegionCode,
    geodata::{Geodata, Provenance, RegionData, Vertex},
};
use ebp_core::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use super::{
    ebp,
    household::{Api, Certificate, issue},
    process::{Run, Running, run},
};
use crate::run;

/// A server with a configuration file, which changes between its starts.
pub struct Survey {
    pub folder: tempfile::TempDir,
    port: u16,
}

/// A household that has granted its consent.
pub struct Consenting {
    pub uuid: String,
    pub device: Certificate,
    /// What must be found nowhere once it has revoked.
    pub needles: Vec<Vec<u8>>,
}

impl Survey {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let survey = Self { folder, port: 0 };
        run!("ca", "init", "--data", survey.data()).done();
        let mut command = ebp();
        command.args(["serve", "secret", "set", "researchers", "--data"]).arg(survey.data());
        run(command, b"the researchers' long secret\n").done();
        super::write_private(&survey.at("secret"), "the researchers' long secret\n");
        survey.configure("");
        survey
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.at("data")
    }

    pub fn configure(&self, more: &str) {
        fs::write(self.at("server.toml"), format!("data = \"data\"\n{more}")).unwrap();
    }

    /// One region from 50 to 51 degrees north and 8 to 9 east.
    pub fn make_regions(&self, name: &str, density: f64) {
        self.make_region(name, "DE714", (50, 8), density);
    }

    /// One region of a degree by a degree, north and east of there.
    pub fn make_region(&self, name: &str, code: &str, (south, west): (i32, i32), density: f64) {
        let corner = |x, y| Vertex { x: (west + x) * 10_000_000, y: (south + y) * 10_000_000 };
        let shape = vec![vec![corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1)]];
        let regions = vec![RegionData {
            code: RegionCode::new(code).unwrap(),
            name: "Square".to_owned(),
            density,
            shapes: vec![shape],
        }];
        let geodata = Geodata { provenance: Provenance::default(), regions };
        fs::write(self.at(name), geodata.to_compact()).unwrap();
    }

    pub fn command(&self) -> Command {
        let mut command = ebp();
        command.args(["serve", "-v", "--config"]).arg(self.at("server.toml"));
        command.env("EBP_SERVER_LIMITS__SLOTS_PERCENT", "0");
        command.args(["--listen", &format!("127.0.0.1:{}", self.port)]);
        command
    }

    pub fn start(&mut self) -> Running {
        let mut process = Running::start(self.command());
        let line = process.wait_for("serving https://127.0.0.1:");
        let port = line.split("127.0.0.1:").nth(1).unwrap().split(' ').next().unwrap();
        self.port = port.parse().unwrap();
        process
    }

    pub fn refuses_to_start(&self, words: &[&str]) {
        let refused = run(self.command(), b"");
        assert_eq!(refused.code, Some(1), "{refused:#?}");
        let last = refused.stderr.lines().last().unwrap();
        assert!(words.iter().all(|word| last.contains(word)), "{words:?} not in {last}");
    }

    /// In Hesse, each somewhere else.
    pub fn household(&self, name: &str, number: u32) -> Consenting {
        let away = f64::from(number) * 0.003;
        self.household_at(name, (50.412_345_678 + away, 8.512_345_678 + away))
    }

    pub fn household_at(&self, name: &str, (latitude, longitude): (f64, f64)) -> Consenting {
        let email = format!("{name}.geheimnis@example.org");
        let registration = json!({
            "participant": {"name": format!("{name} Unauffindbar"), "email": email},
            "address": {"street": format!("{name}winkel 9"), "postal_code": "65183",
                        "city": format!("Hinter{name}ingen"), "country": "DE"},
            "location": {"latitude": latitude, "longitude": longitude},
            "metadata": {"children": 0, "adults": 2, "adults_with_job": 1,
                         "electric_vehicle_charger": false, "heat_pump": false,
                         "home_battery": false},
            "meters": [{"type": "ELECTRICITY", "model": "MT175"}],
            "pv_systems": [{"nominal_power": 7.48, "azimuth": 180, "tilt": 35,
                            "installed_on": "2019-05-03"}],
        });
        let file = self.at("registration.json");
        fs::write(&file, registration.to_string()).unwrap();
        let added = run!("household", "add", file, "--format", "json", "--data", self.data());
        fs::remove_file(&file).unwrap();
        let added = added.done().json().remove(0);
        let text = |member: &str| added[member].as_str().unwrap().to_owned();
        let more = [
            "--device",
            &text("measurement_device"),
            "--scope",
            "consent",
            "--scope",
            "measurement-write",
        ];
        let device = issue(&self.data(), &self.at(&format!("device-{name}")), &email, &more);
        let needles = [
            format!("{name}.geheimnis"),
            format!("{name} unauffindbar"),
            format!("{name}winkel"),
            format!("hinter{name}"),
            latitude.to_string()[..10].to_owned(),
            longitude.to_string()[..9].to_owned(),
        ];
        let mut needles: Vec<Vec<u8>> = needles.map(String::into_bytes).into();
        for degrees in [latitude, longitude] {
            needles.push(degrees.to_le_bytes().to_ascii_lowercase());
            needles.push(degrees.to_be_bytes().to_ascii_lowercase());
        }
        let household = Consenting { uuid: text("household"), device, needles };
        self.api(&household).grant();
        let meter = added["meters"][0].as_str().unwrap();
        let now = SystemClock.now();
        let item = json!({"uuid": uuid::Uuid::new_v4(), "meter": meter, "measured_at": now,
                          "data": [{"0100010800ff": 1}]});
        self.api(&household).measure(&json!({"measurements": [item]}));
        household
    }

    pub fn api(&self, household: &Consenting) -> Api {
        let ca = self.data().join("authority/ca.pem");
        Api::at(&format!("https://localhost:{}", self.port), &ca, &household.device)
    }

    pub fn as_researcher(&self, more: &[&str]) -> Run {
        let mut command = ebp();
        command.arg("household").args(more).arg("--url");
        command.arg(format!("https://localhost:{}", self.port));
        command.arg("--ca").arg(self.data().join("authority/ca.pem"));
        command.arg("--secret-file").arg(self.at("secret"));
        run(command, b"")
    }

    /// Every household that a researcher sees, as it is shown.
    pub fn all(&self) -> Vec<Value> {
        let listed = self.as_researcher(&["list", "--format", "json"]).done().json();
        let uuids = listed.iter().map(|entry| entry["uuid"].as_str().unwrap().to_owned());
        uuids.filter_map(|uuid| self.show_uuid(&uuid)).collect()
    }

    /// Those that revoked.
    pub fn revoked(&self) -> Vec<Value> {
        let mut all = self.all();
        all.retain(|shown| shown["consent"]["state"] == "revoked");
        all
    }

    pub fn show(&self, household: &Consenting) -> Option<Value> {
        self.show_uuid(&household.uuid)
    }

    fn show_uuid(&self, uuid: &str) -> Option<Value> {
        let run = self.as_researcher(&["show", uuid]);
        (run.code == Some(0)).then(|| run.json().remove(0))
    }

    /// In no file of the data folder, nor in what the server said.
    pub fn assert_absent(&self, needles: &[Vec<u8>], said: &[String]) {
        let log = said.join("\n").to_ascii_lowercase();
        for needle in needles {
            assert!(!contains(log.as_bytes(), needle), "in the log: {needle:?}");
        }
        assert_eq!(holding(&self.data(), needles), [""; 0]);
    }
}

fn contains(content: &[u8], needle: &[u8]) -> bool {
    content.windows(needle.len()).any(|window| window == needle)
}

/// The files below the folder that hold one of these, without regard to case.
pub fn holding(folder: &Path, needles: &[Vec<u8>]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, needles));
            continue;
        }
        let content = fs::read(&path).unwrap().to_ascii_lowercase();
        for needle in needles.iter().filter(|needle| contains(&content, needle)) {
            found.push(format!("{}: {}", path.display(), String::from_utf8_lossy(needle)));
        }
    }
    found
}
