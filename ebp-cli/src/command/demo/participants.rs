//! The participants' side of the demo: consent, and what their accounts show.

use std::{thread, time::Duration};

use comfy_table::{Cell, CellAlignment};
use ebp_client::{Client, ClientError, ClientOptions, identity::Identity};
use ebp_core::{
    contract::StoredMeasurement,
    model::{ConsentState, MeterType},
    obis::ObisCode,
};

use super::{agreement::agree, households::DemoHousehold, state::State};
use crate::{
    exit::{CommandResult, Failure, chain, device},
    output::new_table,
};

fn client(state: &State, household: &DemoHousehold) -> Result<Client, Failure> {
    let identity = Identity::load(&household.certificate, &household.key, &state.ca)
        .map_err(|error| Failure::failed(chain(&error)))?;
    Client::new(&state.url(), &identity, ClientOptions::default()).map_err(device::client)
}

/// Grants consent where it is not granted yet. Consent that was revoked stays so.
pub fn grant_consent(state: &State, household: &DemoHousehold) -> CommandResult {
    let client = client(state, household)?;
    let consent = when_up(|| client.consent()).map_err(device::client)?;
    if consent.state == ConsentState::NotGranted {
        agree(&client).map_err(device::client)?;
    }
    Ok(())
}

/// The server has just been started: it may take a moment until it answers.
fn when_up<T>(ask: impl Fn() -> Result<T, ClientError>) -> Result<T, ClientError> {
    for _ in 0..50 {
        match ask() {
            Err(ClientError::Unreachable { .. }) => thread::sleep(Duration::from_millis(100)),
            answer => return answer,
        }
    }
    ask()
}

/// Revokes consent, for good.
pub fn revoke_consent(state: &State, household: &DemoHousehold) -> CommandResult {
    client(state, household)?.revoke_consent().map_err(device::client)?;
    Ok(())
}

/// A table of every meter's measurements, as the server returns them to the participants. It fits
/// 80 columns.
pub fn what_arrived(state: &State) -> Result<String, Failure> {
    let mut table = new_table();
    table.set_header(["household", "meter", "count", "last, UTC", "1.8.0 kWh", "2.8.0 kWh", "kW"]);
    for household in &state.households {
        let client = client(state, household)?;
        for meter in client.meters().map_err(device::client)? {
            let measurements: Vec<_> = client
                .measurements(meter.uuid, None, None)
                .collect::<Result<_, _>>()
                .map_err(device::client)?;
            let last = measurements.last();
            let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
            table.add_row([
                Cell::new(household.number),
                Cell::new(match meter.kind {
                    MeterType::Electricity => meter.model.clone(),
                    MeterType::PvGeneration => format!("{} (PV)", meter.model),
                }),
                right(measurements.len().to_string()),
                Cell::new(
                    last.map(|m| m.measured_at.strftime("%H:%M:%S").to_string())
                        .unwrap_or_default(),
                ),
                right(value(last, &[ObisCode::POSITIVE_ENERGY])),
                right(value(last, &[ObisCode::NEGATIVE_ENERGY])),
                right(value(last, &[ObisCode::SUM_POWER, ObisCode::POSITIVE_POWER])),
            ]);
        }
    }
    Ok(format!("{table}\n"))
}

fn value(measurement: Option<&StoredMeasurement>, codes: &[ObisCode]) -> String {
    let points = measurement.map(|m| m.data.as_slice()).unwrap_or_default();
    codes
        .iter()
        .find_map(|code| points.iter().find(|point| point.obis == *code))
        .map(|point| point.value.round_dp(3).to_string())
        .unwrap_or_default()
}
