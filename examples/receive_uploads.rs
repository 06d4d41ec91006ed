//! A test of software that sends measurements, against a real Data API in the same program: what was
//! sent is in the database, once, however often it is sent, and what is of another meter is not.
//!
//! `cargo run -p ebp-server --example receive_uploads`. In a test, `main` is the test's function.

#[path = "test_server/mod.rs"]
mod test_server;

use std::{env, error::Error, fs};

use ebp_core::{
    clock::{Clock, SystemClock},
    contract::{Registration, UploadOutcome, UploadRequest},
    cycle::Cycle,
    model::{DataPoint, Measurement, measurement_id},
    obis::ObisCode,
};
use ebp_store::{HouseholdId, PageQuery};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use test_server::TestServer;
use uuid::Uuid;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::temp_dir().join(format!("ebp-example-{}", Uuid::new_v4()));
    let runtime = tokio::runtime::Runtime::new()?;
    let registration: Registration = serde_json::from_value(json!({
        "participant": {"name": "Erika Mustermann", "email": "erika@example.org"},
        "address": {"street": "Heidestraße 17", "postal_code": "51147", "city": "Köln",
                    "country": "DE"},
        "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": false,
                     "electric_vehicle_charger": false, "home_battery": true},
        "meters": [{"type": "ELECTRICITY", "model": "MT175"}],
    }))?;
    let now = SystemClock.now();
    let since = now - SignedDuration::from_hours(24);
    let server = runtime.block_on(TestServer::start(&folder, registration, since))?;
    let meter = server.registered.meters[0];

    // What is tested: here a client that sends what it measured in the last hour.
    let client = server.client()?;
    let quarter = |number: i64| now - SignedDuration::from_mins(15 * (4 - number));
    let sent: Vec<_> = (0..4).map(|number| measurement(meter, quarter(number), number)).collect();
    let outcomes = |measurements: Vec<Measurement>| {
        let answer = client.upload(&UploadRequest { measurements })?;
        Ok::<_, Box<dyn Error>>(answer.items.iter().map(|item| item.outcome).collect::<Vec<_>>())
    };
    assert_eq!(outcomes(sent.clone())?, [UploadOutcome::Accepted; 4]);
    // Its answer may have been lost: the device sends again.
    assert_eq!(outcomes(sent.clone())?, [UploadOutcome::Duplicate; 4]);
    let foreign = measurement(Uuid::new_v4(), now, 5);
    assert_eq!(outcomes(vec![foreign])?, [UploadOutcome::Refused]);

    // What arrived.
    let everything = PageQuery { from: None, to: None, after: None, limit: 100 };
    let household = HouseholdId(server.registered.household);
    let stored = server.store.measurements_page(household, meter, everything);
    let stored = runtime.block_on(stored)?.items;
    assert_eq!(stored.len(), sent.len());
    for (stored, sent) in stored.iter().zip(&sent) {
        assert_eq!(stored.uuid, sent.uuid);
        println!("{} {:?}", stored.measured_at, stored.data);
    }

    runtime.block_on(server.stop())?;
    fs::remove_dir_all(folder)?;
    Ok(())
}

fn measurement(meter: Uuid, measured_at: Timestamp, kilowatt_hours: i64) -> Measurement {
    let value = (12_345 + kilowatt_hours).into();
    Measurement {
        uuid: measurement_id(meter, Cycle::QUARTER_HOUR.slot(measured_at)),
        meter,
        measured_at,
        data: vec![DataPoint { obis: ObisCode::POSITIVE_ENERGY, value }],
        flags: Vec::new(),
    }
}
