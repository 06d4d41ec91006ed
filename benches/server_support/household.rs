//! Households with a meter, and what it measures: three registers every 15 minutes.

use std::{sync::Arc, time::Duration};

use ebp_core::{
    contract::{Registration, UploadRequest, paths},
    cycle::Cycle,
    model::{DataPoint, Measurement, measurement_id},
    obis::ObisCode,
    scope::Scopes,
};
use ebp_store::{HouseholdId, Store};
use ebp_survey::authority::ClientRequest;
use jiff::{SignedDuration, Timestamp};
use rustls::ClientConfig;
use serde_json::json;
use uuid::Uuid;

use super::{client, server::Server};

/// When the first measurement is taken; consent was granted then.
pub const START: &str = "2022-01-01T00:00:00Z";

/// A household that consents, with one meter and the device that reads it.
#[derive(Debug, Clone)]
pub struct Household {
    pub id: HouseholdId,
    pub meter: Uuid,
    pub device: Uuid,
    pub participant: Uuid,
    pub email: String,
}

impl Household {
    /// Registers one.
    pub async fn register(store: &dyn Store) -> Self {
        let email = format!("{}@example.org", Uuid::new_v4().simple());
        let start = START.parse().unwrap();
        let made = store.register(registration(&email), start).await.unwrap();
        let id = HouseholdId(made.household);
        store.grant_consent(id, start).await.unwrap();
        Self {
            id,
            meter: made.meters[0],
            device: made.measurement_device,
            participant: made.participant,
            email,
        }
    }

    /// One that is registered nowhere, for other servers.
    pub fn of_nobody() -> Self {
        let (id, email) = (HouseholdId(Uuid::nil()), String::new());
        let (device, participant) = (Uuid::nil(), Uuid::nil());
        Self { id, meter: Uuid::new_v4(), device, participant, email }
    }

    /// The TLS of its device, with a certificate of its own.
    pub fn identity(&self, server: &Server) -> Arc<ClientConfig> {
        let request = self.request();
        let issued = server.authority.issue(&request).unwrap();
        let roots = client::roots(&server.authority);
        client::tls(&roots, Some((&issued.chain_pem, &issued.key_pem)))
    }

    /// What its device's certificate says.
    pub fn request(&self) -> ClientRequest {
        ClientRequest {
            participant: self.participant,
            email: self.email.clone(),
            device: Some(self.device),
            scopes: Scopes::all(),
            validity: Duration::from_secs(86_400),
        }
    }

    /// Its meter's measurements of so many slots behind the first ones.
    pub fn measurements(&self, from: usize, count: usize) -> Vec<Measurement> {
        let start: Timestamp = START.parse().unwrap();
        let point = |obis, value: String| DataPoint { obis, value: value.parse().unwrap() };
        (from..from + count)
            .map(|i| {
                let measured_at = start + SignedDuration::from_mins(15) * i32::try_from(i).unwrap();
                let slot = Cycle::QUARTER_HOUR.slot(measured_at);
                Measurement {
                    uuid: measurement_id(self.meter, slot),
                    meter: self.meter,
                    measured_at,
                    data: vec![
                        point(
                            ObisCode::POSITIVE_ENERGY,
                            format!("{}.{:04}", 12_345 + i, i % 10_000),
                        ),
                        point(
                            ObisCode([1, 0, 2, 8, 0, 255]),
                            format!("{}.{:04}", 345 + i, i % 7_919),
                        ),
                        point(ObisCode([1, 0, 16, 7, 0, 255]), format!("0.{:03}", i % 1_000)),
                    ],
                    flags: Vec::new(),
                }
            })
            .collect()
    }

    /// The request that uploads them.
    pub fn report(&self, from: usize, count: usize) -> Vec<u8> {
        let upload = UploadRequest { measurements: self.measurements(from, count) };
        client::post(paths::MEASUREMENT, &serde_json::to_vec(&upload).unwrap())
    }
}

/// A household's registration.
pub fn registration(email: &str) -> Registration {
    serde_json::from_value(json!({
        "participant": {"name": "Bench", "email": email},
        "address": {"street": "a 1", "postal_code": "51147", "city": "Köln", "country": "DE"},
        "metadata": {"children": 0, "adults": 2, "adults_with_job": 2, "heat_pump": false,
                     "electric_vehicle_charger": false, "home_battery": false},
        "meters": [{"type": "ELECTRICITY", "model": "EHZ"}], "pv_systems": []
    }))
    .unwrap()
}
