//! Registers a household in a database of its own, and tells what is wrong with a body that is none.
//!
//! `cargo run -p ebp-store --example register_household`

use std::error::Error;

use ebp_core::contract::Registration;
use ebp_store::{Database, Faults, HouseholdId, open_store};
use jiff::Timestamp;
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("ebp-example-{}", uuid::Uuid::new_v4()));
    let store = open_store(&Database::Sqlite(folder.join("ebp.sqlite"))).await?;
    let mut body: Value = json!({
        "participant": {"name": "Erika Mustermann", "email": "erika@example.org"},
        "address": {"street": "Heidestraße 17", "postal_code": "5114", "city": "Köln",
                    "country": "DE"},
        "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": false,
                     "electric_vehicle_charger": false, "home_battery": true},
        "meters": [{"type": "ELECTRICITY", "model": "MT175"}],
    });
    for fault in Faults::of_json::<Registration>(&body).iter() {
        println!("{}: {}", fault.pointer, fault.detail);
    }
    body["address"]["postal_code"] = json!("51147");
    let now: Timestamp = "2026-01-31T12:00:00Z".parse()?;
    let registered = store.register(serde_json::from_value(body)?, now).await?;
    for meter in store.meters(HouseholdId(registered.household)).await? {
        println!("registered: {} {}", meter.model, meter.uuid);
    }
    store.close().await?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
