//! A survey without a server: registers a household, locates it by a table of postal codes, grants
//! its consent and revokes it.
//!
//! `cargo run -p ebp-survey --example operate_survey`

use std::{error::Error, fs, sync::Arc};

use ebp_core::{
    clock::SystemClock,
    contract::{GrantChannel, Registration},
};
use ebp_store::{Actor, Database, Names, Source, open_store};
use ebp_survey::{
    Caller, Survey,
    geocoding::{Geocoder, GeocodingSettings},
};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("ebp-example-{}", uuid::Uuid::new_v4()));
    let clock = Arc::new(SystemClock);
    let store = open_store(&Database::Sqlite(folder.join("ebp.sqlite"))).await?;
    let postal_codes = folder.join("postal_codes.csv");
    fs::write(&postal_codes, "plz,lat,lon\n51147,50.851,7.104\n")?;
    let settings = GeocodingSettings {
        url: None,
        contact: None,
        postal_codes: Some(postal_codes),
        cache: folder.join("geocoding"),
    };
    let geocoder = Geocoder::open(settings, clock.clone()).await?;
    let survey = Arc::new(Survey::new(store, clock).with_geocoder(Some(Arc::new(geocoder))));

    let registration: Registration = serde_json::from_value(json!({
        "participant": {"name": "Erika Mustermann", "email": "erika@example.org"},
        "address": {"street": "Heidestraße 17", "postal_code": "51147", "city": "Köln",
                    "country": "DE"},
        "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": false,
                     "electric_vehicle_charger": false, "home_battery": true},
        "meters": [{"type": "ELECTRICITY", "model": "MT175"}],
    }))?;
    let new = survey.register(registration, false, None).await?;
    let found = new.located.and_then(|located| located.location);
    println!("located: {}", found.is_some());

    let names = Names {
        participant: Some(new.registered.participant),
        email: "erika@example.org".to_owned(),
        device: None,
    };
    let Actor::Participant { participant, household, consents, .. } =
        survey.store().actor(&names).await?
    else {
        return Err("the participant is not known".into());
    };
    let caller = Caller {
        participant,
        household,
        consents,
        device: None,
        source: Source::Device,
        through: GrantChannel::Certificate,
    };
    println!("{}", survey.grant_consent(&caller).await?.state.name());
    println!("{}", survey.revoke_consent(&caller).await?.state.name());
    survey.store().close().await?;
    fs::remove_dir_all(&folder)?;
    Ok(())
}
