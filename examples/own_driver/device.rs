//! What a device needs beside its meters, for an example that has no server: an identity that was just
//! made, and a Data API that grants consent and takes nothing.

use std::{error::Error, fs, io::Write, path::Path, sync::Arc};

use ebp_client::{ClientError, DeviceKey, identity::Identity};
use ebp_core::{
    contract::{Consent, DeviceCertificate, DeviceStatus, SignIn, UploadRequest, UploadResponse},
    model::{Incident, IncidentType, Meter},
    private_file,
};
use ebp_device::{
    clock::{ClockSource, DeviceSystemClock},
    config::{Api, DeviceConfig, MeterEntry},
    connection::{Connect, DeviceApi},
    device::Device,
    transmitter::{DataApi, Upload},
};
use jiff::Timestamp;
use uuid::Uuid;

/// Opens a device in that folder, with that meter.
///
/// # Errors
/// If a file cannot be written.
pub fn open(folder: &Path, meter: MeterEntry) -> Result<Device, Box<dyn Error>> {
    let made = rcgen::generate_simple_self_signed(vec!["device.example".to_owned()])?;
    let [ca, certificate, key] = ["ca.pem", "device.pem", "device.key"].map(|n| folder.join(n));
    fs::write(&ca, made.cert.pem())?;
    fs::write(&certificate, made.cert.pem())?;
    write_secret(&key, &made.signing_key.serialize_pem())?;
    let api = Api::new("https://localhost:8443".to_owned(), ca, certificate, key);
    let mut config = DeviceConfig::new(folder.join("spool"), api, vec![meter]);
    config.cycle.measurement = "2s".parse()?;
    config.cycle.unlock_after = 1;
    // An example need not wait for a synchronised clock.
    config.clock = ClockSource::Trusted;
    let clock = Arc::new(DeviceSystemClock::new(config.clock));
    Ok(Device::open_with(config, clock, Arc::new(StandIn))?)
}

/// A file that nobody but its owner may read.
///
/// # Errors
/// If it cannot be written.
pub fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = private_file::options().create(true).truncate(true).write(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// Stands in for the Data API.
struct StandIn;

impl Connect for StandIn {
    fn connect(&self, _: &Identity) -> Result<Arc<dyn DeviceApi>, ClientError> {
        Ok(Arc::new(Self))
    }
}

fn nobody() -> ClientError {
    ClientError::Unreachable {
        server: "https://localhost:8443".to_owned(),
        reason: "this example has no server".to_owned(),
    }
}

impl Upload for StandIn {
    fn upload(&self, _: &UploadRequest) -> Result<UploadResponse, ClientError> {
        Err(nobody())
    }
}

impl DataApi for StandIn {
    fn consent(&self) -> Result<Consent, ClientError> {
        Err(nobody())
    }

    fn incidents(&self, _: Uuid) -> Result<Vec<Incident>, ClientError> {
        Err(nobody())
    }

    fn report_incident(
        &self,
        _: Uuid,
        _: IncidentType,
        _: Option<Timestamp>,
    ) -> Result<(), ClientError> {
        Err(nobody())
    }

    fn resolve_incident(
        &self,
        _: Uuid,
        _: IncidentType,
        _: Option<Timestamp>,
    ) -> Result<(), ClientError> {
        Err(nobody())
    }

    fn report_status(&self, _: &DeviceStatus) -> Result<(), ClientError> {
        Err(nobody())
    }
}

impl DeviceApi for StandIn {
    fn device_meters(&self) -> Result<Vec<Meter>, ClientError> {
        Err(nobody())
    }

    fn renew(&self, _: &DeviceKey) -> Result<DeviceCertificate, ClientError> {
        Err(nobody())
    }

    fn frontend(&self, _: &DeviceKey) -> Result<DeviceCertificate, ClientError> {
        Err(nobody())
    }

    fn sign_in(&self) -> Result<SignIn, ClientError> {
        Err(nobody())
    }
}
