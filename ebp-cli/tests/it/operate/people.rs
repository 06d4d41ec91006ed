//! Those who come to the server: groups with their secrets, participants, somebody without anything.

use std::{fs, path::PathBuf, sync::OnceLock};

use reqwest::{
    Certificate,
    blocking::{Client, Response},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::{
    household::{self, Certificate as Issued},
    server::Server,
};

/// A client that trusts the server and shows nothing of itself.
pub fn anybody(server: &Server) -> Client {
    // Fails only if it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ca = Certificate::from_pem(&fs::read(server.ca()).unwrap()).unwrap();
    let builder = Client::builder().tls_certs_only([ca]).no_proxy();
    builder.build().unwrap()
}

/// What a group is answered, at a path, to a body if there is one.
pub fn as_group(server: &Server, group: &str, path: &str, body: Option<&Value>) -> Response {
    let (http, url) = (anybody(server), format!("{}{path}", server.url()));
    let request = match body {
        Some(body) => http.post(url).json(body),
        None => http.get(url),
    };
    request.basic_auth(group, Some(format!("the secret of the {group}"))).send().unwrap()
}

/// A registration with everything that tells who it is.
pub fn registration(name: &str, email: &str) -> Value {
    json!({
        "participant": {"name": name, "email": email},
        "address": {"street": "Musterstraße 17", "postal_code": "65183", "city": "Wiesbaden",
                    "country": "DE"},
        "location": {"latitude": 50.0826, "longitude": 8.2475},
        "metadata": {"children": 1, "adults": 2, "adults_with_job": 1,
                     "electric_vehicle_charger": false, "heat_pump": true, "home_battery": false},
        "meters": [{"type": "ELECTRICITY", "model": "MT175"}],
    })
}

/// A household with consent, registered in the server's database, whichever that is.
pub struct Participant {
    pub folder: TempDir,
    pub household: Uuid,
    pub device: Uuid,
    pub meter: Uuid,
    pub own: Issued,
    pub device_certificate: Issued,
    /// When all of its measurements were taken, which are never sent before consent is granted.
    measured_at: OnceLock<String>,
}

impl Participant {
    pub fn register(server: &Server, name: &str, email: &str) -> Self {
        Self::register_as(server, email, &registration(name, email).to_string())
    }

    /// With that registration (JSON).
    pub fn register_as(server: &Server, email: &str, registration: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("registration.json");
        fs::write(&file, registration).unwrap();
        let file = file.to_str().unwrap();
        let run = server.run(["household", "add", file, "--format", "json"], "").done();
        let registered = run.json().remove(0);
        let uuid = |value: &Value| value.as_str().unwrap().parse::<Uuid>().unwrap();
        let device = uuid(&registered["measurement_device"]);
        let path = folder.path();
        let text = device.to_string();
        let participant = registered["participant"].as_str().unwrap();
        let named = ["--participant", participant, "--device", &text];
        Self {
            household: uuid(&registered["household"]),
            meter: uuid(&registered["meters"][0]),
            device_certificate: household::issue_on(server, path, email, &named),
            own: household::issue_on(server, path, email, &named[..2]),
            device,
            folder,
            measured_at: OnceLock::new(),
        }
    }

    pub fn account(&self, server: &Server) -> household::Api {
        household::Api::new(server, &self.own)
    }

    /// A report of measurements with these numbers, as the device sends it.
    pub fn report(&self, server: &Server, numbers: std::ops::Range<u128>) -> UploadResult {
        let http = self.device(server);
        self.report_by(&http, server, numbers)
    }

    /// A client with the device's certificate.
    pub fn device(&self, server: &Server) -> Client {
        use std::sync::Arc;

        use ebp_client::identity::Identity;
        use ebp_core::clock::SystemClock;
        let Issued { chain, key, .. } = &self.device_certificate;
        let identity = Identity::load(chain, key, &server.ca()).unwrap();
        let tls = identity.client_config(Arc::new(SystemClock)).unwrap();
        Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap()
    }

    /// The same over a kept connection.
    pub fn report_by(
        &self,
        http: &Client,
        server: &Server,
        numbers: std::ops::Range<u128>,
    ) -> UploadResult {
        use ebp_core::clock::{Clock, SystemClock};
        let measured_at = self.measured_at.get_or_init(|| SystemClock.now().to_string());
        let items: Vec<_> = numbers
            .map(|number| {
                json!({"uuid": self.uuid(number), "meter": self.meter, "measured_at": measured_at,
                       "data": [{"0100010800ff": 12345.6789}]})
            })
            .collect();
        let url = format!("{}/household/meter/measurement", server.url());
        let response = http.post(url).json(&json!({ "measurements": items })).send()?;
        let status = response.status().as_u16();
        Ok((status, response.json()?))
    }

    /// The identifier of a measurement.
    pub fn uuid(&self, number: u128) -> Uuid {
        Uuid::from_u128(self.meter.as_u128() ^ (number << 8))
    }

    /// Where a private file of its own is.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        crate::support::write_private(&path, content);
        path
    }
}

/// Status and body, or the connection broke.
pub type UploadResult = reqwest::Result<(u16, Value)>;
