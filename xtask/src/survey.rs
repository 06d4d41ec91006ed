//! A small survey for checks: an authority, households that consent, their devices.
//!
//! Enters: a program and a folder, and the URL of a PostgreSQL for one that is not SQLite's. Leaves: a
//! folder for each household with what its device and its participant need. Absent: servers.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::run::{output, succeed};

/// The model of each meter.
pub const MODEL: &str = "MT175";

/// The administrators' secret.
const SECRET: &str = "a secret of this check\n";

pub struct Survey {
    program: PathBuf,
    folder: PathBuf,
    database: Option<String>,
    /// Of the authority's certificate.
    pub fingerprint: String,
}

pub struct Household {
    pub device: String,
    pub meter: String,
    pub folder: PathBuf,
    email: String,
}

impl Survey {
    /// Makes the authority and the administrators' secret.
    pub fn create(program: &Path, folder: &Path, database: Option<String>) -> Result<Self> {
        let mut survey = Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            database,
            fingerprint: String::new(),
        };
        let said = survey.ebp(&["ca", "init"]).output()?;
        let said = String::from_utf8_lossy(&said.stderr);
        let fingerprint = said.split_whitespace().find(|word| word.matches(':').count() == 31);
        fingerprint
            .with_context(|| format!("no fingerprint: {said}"))?
            .clone_into(&mut survey.fingerprint);
        let secret = survey.secret();
        fs::write(&secret, SECRET)?;
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600))?;
        let mut set = survey.ebp(&["serve", "secret", "set", "administrators"]);
        succeed(set.stdin(fs::File::open(&secret)?))?;
        Ok(survey)
    }

    /// The program on the survey's database.
    pub fn ebp(&self, arguments: &[&str]) -> Command {
        self.ebp_of(&self.program, arguments)
    }

    /// Another program on it.
    pub fn ebp_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env("EBP_SERVER_DATA", self.folder.join("data"));
        if let Some(url) = &self.database {
            command.env("EBP_SERVER_DATABASE_URL", url);
        }
        command
    }

    /// The authority's certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("data/authority/ca.pem")
    }

    fn secret(&self) -> PathBuf {
        self.folder.join("secret")
    }

    /// A household of one meter and one device, the NUMBERth.
    pub fn register(&self, number: usize) -> Result<Household> {
        let folder = self.folder.join(format!("household-{number}"));
        fs::create_dir_all(&folder)?;
        let email = format!("household-{number}@example.org");
        let path = folder.join("registration.json");
        let registration = serde_json::json!({
            "participant": { "name": "Erika Beispiel", "email": email },
            "address": { "street": format!("Musterstraße {number}"), "postal_code": "65183",
                         "city": "Wiesbaden", "country": "DE" },
            "location": { "latitude": 50.0826, "longitude": 8.24 },
            "metadata": { "children": 1, "adults": 2, "adults_with_job": 1,
                          "electric_vehicle_charger": false, "heat_pump": true,
                          "home_battery": false },
            "meters": [{ "type": "ELECTRICITY", "model": MODEL }],
            "measurement_device": format!("0b1f4e0a-7a55-4c3e-9d6b-2f6f0c0f{number:04}"),
        });
        fs::write(&path, registration.to_string())?;
        let path = path.to_string_lossy();
        let printed = output(&mut self.ebp(&["household", "add", "--format", "json", &path]))?;
        let added: Value = serde_json::from_str(&printed)?;
        let found = |name: &str| {
            let value = added.pointer(name).and_then(Value::as_str);
            value.map(str::to_owned).with_context(|| format!("no {name} in {printed}"))
        };
        Ok(Household {
            device: found("/measurement_device")?,
            meter: found("/meters/0")?,
            folder,
            email,
        })
    }

    /// Consents as the participant, and enrols the device by the command of a program.
    pub fn enroll(&self, household: &Household, mut device: Command, url: &str) -> Result<()> {
        let token = household.folder.join("token");
        let mut command = self.ebp(&["device", "token", &household.device, "--url", url]);
        command.arg("--secret-file").arg(self.secret()).arg("--ca").arg(self.authority());
        succeed(command.arg("--output").arg(&token).stdout(Stdio::null()))?;
        device.args(["device", "enroll", "--url", url, "--fingerprint", &self.fingerprint]);
        device.args(["--no-frontend", "--token-file"]).arg(token);
        succeed(device.arg("--output").arg(household.folder.join("device")).stdout(Stdio::null()))?;
        let mut issue = self.ebp(&["ca", "issue", "--email", &household.email, "--output"]);
        succeed(issue.arg(household.folder.join("participant")).stdout(Stdio::null()))?;
        let mut grant = self.participant(household, &["consent", "grant", "--yes", "--url", url]);
        succeed(grant.stdout(Stdio::null()))
    }

    /// The program as the household's participant.
    pub fn participant(&self, household: &Household, arguments: &[&str]) -> Command {
        let mut command = self.ebp(arguments);
        command.arg("--folder").arg(household.folder.join("participant"));
        command
    }
}
