//! A Data API of one's own: founds an authority, serves on a free port, registers a household, and
//! sends a measurement of it over mutual TLS.
//!
//! `cargo run -p ebp-server --example serve_and_upload`

use std::{error::Error, path::Path, sync::Arc, time::Duration};

use ebp_client::{Client, ClientOptions, identity::Identity};
use ebp_core::{
    clock::{Clock, SystemClock},
    contract::{Registration, UploadRequest},
    cycle::Cycle,
    model::{DataPoint, Measurement, measurement_id},
    obis::ObisCode,
    scope::Scopes,
};
use ebp_server::{Settings, serve};
use ebp_store::open_store;
use ebp_survey::authority::{Authority, ClientRequest, certificate_path};
use serde_json::json;
use tokio::{net::TcpListener, sync::oneshot};
use uuid::Uuid;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("ebp-example-{}", Uuid::new_v4()));
    let clock = Arc::new(SystemClock);
    let settings = Settings::in_folder(&folder, vec!["127.0.0.1".to_owned()], clock.clone());
    Authority::init(&settings.authority, "Example", clock.clone())?;
    let authority = Authority::open(&settings.authority, clock.clone())?;
    let store = open_store(&settings.database).await?;
    let registration: Registration = serde_json::from_value(json!({
        "participant": {"name": "Erika Mustermann", "email": "erika@example.org"},
        "address": {"street": "Heidestraße 17", "postal_code": "51147", "city": "Köln",
                    "country": "DE"},
        "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": false,
                     "electric_vehicle_charger": false, "home_battery": true},
        "meters": [{"type": "ELECTRICITY", "model": "MT175"}],
    }))?;
    let registered = store.register(registration, clock.now()).await?;
    let request = ClientRequest {
        participant: store.participant("erika@example.org").await?,
        email: "erika@example.org".to_owned(),
        device: Some(registered.measurement_device),
        scopes: Scopes::all(),
        validity: Duration::from_secs(86_400),
    };
    let (chain, key) = (folder.join("device.pem"), folder.join("device.key"));
    authority.issue(&request)?.save(&chain, &key)?;
    let ca = certificate_path(&settings.authority);

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("https://{}", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(settings, listener, async {
        let _ = stopped.await;
    }));
    let meter = registered.meters[0];
    let send = move || upload(&url, &chain, &key, &ca, meter);
    // The client blocks its thread, which an asynchronous task must not.
    match tokio::task::spawn_blocking(send).await? {
        Ok(answer) => println!("{answer}"),
        Err(error) => return Err(error.to_string().into()),
    }
    let _ = stop.send(());
    server.await??;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn upload(
    url: &str,
    chain: &Path,
    key: &Path,
    ca: &Path,
    meter: Uuid,
) -> Result<String, Box<dyn Error + Send + Sync>> {
    let client = Client::new(url, &Identity::load(chain, key, ca)?, ClientOptions::default())?;
    client.grant_consent()?;
    let now = SystemClock.now();
    let data = vec![DataPoint { obis: ObisCode::POSITIVE_ENERGY, value: "12345.678".parse()? }];
    let uuid = measurement_id(meter, Cycle::QUARTER_HOUR.slot(now));
    let measurement = Measurement { uuid, meter, measured_at: now, data, flags: Vec::new() };
    let answer = client.upload(&UploadRequest { measurements: vec![measurement] })?;
    Ok(format!("{uuid}: {:?}", answer.items[0].outcome))
}
