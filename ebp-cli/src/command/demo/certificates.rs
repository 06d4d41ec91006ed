//! The certificates of the demo's households.

use std::fs;

use ebp_core::contract::Registration;
use ebp_survey::authority::{Authority, ClientRequest};
use uuid::Uuid;

use super::households::DemoHousehold;
use crate::{
    command::ca,
    exit::{CommandResult, Context, server},
};

/// A certificate for the participant and one for the device, each with the scopes it needs.
pub fn issue(
    authority: &Authority,
    household: &DemoHousehold,
    registration: &Registration,
    participant: Option<Uuid>,
) -> CommandResult {
    let folder = household.folder();
    fs::create_dir_all(folder).or_failed(folder.display())?;
    let device = Some(household.device);
    for (device, chain, key) in [
        (None, household.certificate.clone(), household.key.clone()),
        (device, folder.join("device.pem"), folder.join("device.key")),
    ] {
        if chain.exists() {
            continue;
        }
        let request = ClientRequest {
            participant: participant.unwrap_or_default(),
            email: registration.participant.email.clone(),
            device,
            scopes: ca::usual_scopes(device.is_some()),
            validity: std::time::Duration::from_secs(397 * 86_400),
        };
        authority
            .issue(&request)
            .and_then(|issued| issued.save(&chain, &key))
            .map_err(server::authority)?;
    }
    Ok(())
}
