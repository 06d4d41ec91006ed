//! A registered household: its meters, its device with certificate and configuration, its
//! participant's access to the Data API.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use ebp_client::identity::Identity;
use ebp_core::clock::SystemClock;
use ebp_device::spool::Spool;
use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    process::{self, Run},
    server::Server,
};
use crate::run;

/// Certificate and key as `ebp ca issue` made them.
#[derive(Clone)]
pub struct Certificate {
    pub serial: String,
    pub chain: PathBuf,
    pub key: PathBuf,
}

/// Issues a certificate; `more` are further arguments.
pub fn issue(data: &Path, output: &Path, email: &str, more: &[&str]) -> Certificate {
    fs::create_dir_all(output).unwrap();
    let mut arguments = vec!["ca", "issue", "--email", email, "--data", data.to_str().unwrap()];
    arguments.extend(["--output", output.to_str().unwrap()]);
    arguments.extend(more);
    issued(&super::run(arguments).done())
}

/// The same with the server's environment, which may name another database than its folder's.
pub fn issue_on(server: &Server, output: &Path, email: &str, more: &[&str]) -> Certificate {
    fs::create_dir_all(output).unwrap();
    let mut arguments = vec!["ca", "issue", "--email", email];
    arguments.extend(["--output", output.to_str().unwrap()]);
    arguments.extend(more);
    issued(&server.run(arguments, "").done())
}

/// What `ebp ca issue` printed.
fn issued(issued: &Run) -> Certificate {
    let field = |name: &str| {
        let line = issued.stdout.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].trim().to_owned()
    };
    Certificate {
        serial: field("serial"),
        chain: field("certificate").into(),
        key: field("key").into(),
    }
}

/// A household and everything in it.
pub struct Household {
    pub folder: TempDir,
    pub email: String,
    pub device: String,
    /// The meters' identifiers, in the order of the models given.
    pub meters: Vec<String>,
    pub device_certificate: Certificate,
    pub participant: Certificate,
    pub config: PathBuf,
}

impl Household {
    /// Registers a household with meters of these models, issues its certificates, and writes the
    /// device's configuration: each meter at `folder/MODEL`.
    pub fn register(server: &Server, email: &str, models: &[&str], cycle: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let meters: Vec<_> =
            models.iter().map(|model| json!({"type": "ELECTRICITY", "model": model})).collect();
        let registration = json!({
            "participant": {"name": "Erika Beispiel", "email": email},
            "address": {"street": "Musterstraße 1", "postal_code": "65183", "city": "Wiesbaden",
                        "country": "DE"},
            "location": {"latitude": 50.0826, "longitude": 8.24},
            "metadata": {"children": 1, "adults": 2, "adults_with_job": 1,
                         "electric_vehicle_charger": false, "heat_pump": true, "home_battery": false},
            "meters": meters,
        });
        let file = folder.path().join("registration.json");
        fs::write(&file, registration.to_string()).unwrap();
        let mut command = super::ebp();
        command.args(["household", "add"]).arg(file).args(["--format", "json"]);
        command.args(server.named());
        let registered = process::run(command, b"").done().json().remove(0);
        let device = registered["measurement_device"].as_str().unwrap().to_owned();
        let meters = registered["meters"].as_array().unwrap();
        let meters = meters.iter().map(|meter| meter.as_str().unwrap().to_owned()).collect();
        let path = folder.path();
        let participant = registered["participant"].as_str().unwrap();
        let named = ["--participant", participant, "--device", &device];
        let device_certificate = issue_on(server, path, email, &named);
        let participant = issue_on(server, path, email, &named[..2]);
        let config = path.join("device.toml");
        let household = Self {
            email: email.into(),
            device,
            meters,
            device_certificate,
            participant,
            config,
            folder,
        };
        household.configure(
            &server.url(),
            &server.ca(),
            &household.device_certificate,
            models,
            cycle,
        );
        household
    }

    /// Writes the device's configuration.
    pub fn configure(
        &self,
        url: &str,
        ca: &Path,
        certificate: &Certificate,
        models: &[&str],
        cycle: &str,
    ) {
        let mut text = format!(
            "spool = \"spool\"\nstate = \"state\"\nclock = \"trusted\"\n[api]\nurl = {url:?}\nca = {ca:?}\ncertificate = {:?}\nkey = {:?}\n\
             [cycle]\nmeasurement = \"{cycle}\"\nreport = \"1s\"\ntimeout = \"10s\"\n",
            certificate.chain, certificate.key
        );
        for (model, uuid) in models.iter().zip(&self.meters) {
            text += &format!("[[meter]]\nuuid = {uuid:?}\nmodel = {model:?}\nport = {model:?}\n");
        }
        fs::write(&self.config, text).unwrap();
    }

    /// One measurement cycle.
    pub fn measure(&self) -> Run {
        run!("read", "--config", self.config)
    }

    /// One report cycle.
    pub fn transmit(&self) -> Run {
        run!("transmit", "--config", self.config)
    }

    /// The spool's folder.
    pub fn spool_folder(&self) -> PathBuf {
        self.folder.path().join("spool")
    }

    /// The spool, to look into.
    pub fn spool(&self) -> Spool {
        Spool::open(&self.spool_folder()).unwrap()
    }

    /// The participant at the Data API.
    pub fn account(&self, server: &Server) -> Api {
        Api::new(server, &self.participant)
    }
}

/// The Data API as the holder of a certificate sees it.
pub struct Api {
    http: Client,
    url: String,
}

impl Api {
    pub fn new(server: &Server, certificate: &Certificate) -> Self {
        Self::at(&server.url(), &server.ca(), certificate)
    }

    /// At an address that is in this authority's certificate.
    pub fn at(url: &str, ca: &Path, certificate: &Certificate) -> Self {
        let identity = Identity::load(&certificate.chain, &certificate.key, ca).unwrap();
        let tls = identity.client_config(Arc::new(SystemClock)).unwrap();
        let http = Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap();
        Self { http, url: url.to_owned() }
    }

    pub fn try_delete(&self, path: &str) -> reqwest::Result<Response> {
        self.http.delete(format!("{}{path}", self.url)).send()
    }

    pub fn try_get(&self, path: &str) -> reqwest::Result<Response> {
        self.http.get(format!("{}{path}", self.url)).send()
    }

    /// The answer's body.
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        body(self.try_get(path).unwrap())
    }

    #[track_caller]
    pub fn grant(&self) -> Value {
        body(self.http.post(format!("{}/household/consent", self.url)).send().unwrap())
    }

    #[track_caller]
    pub fn revoke(&self) -> Value {
        body(self.http.delete(format!("{}/household/consent", self.url)).send().unwrap())
    }

    /// Uploads measurements, which must be stored.
    #[track_caller]
    pub fn measure(&self, upload: &Value) -> Value {
        let url = format!("{}/household/meter/measurement", self.url);
        body(self.http.post(url).json(upload).send().unwrap())
    }

    /// Everything that the server has of a meter, oldest first.
    #[track_caller]
    pub fn measurements(&self, meter: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut query = String::new();
        loop {
            let page = self.get(&format!("/household/meter/{meter}/measurement{query}"));
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => query = format!("?cursor={next}"),
                None => return items,
            }
        }
    }
}

#[track_caller]
fn body(response: Response) -> Value {
    let status = response.status();
    let text = response.text().unwrap();
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap()
}
