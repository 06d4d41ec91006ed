//! The certificates of the demo's households.

use std::fs;

use ebp_core::{contract::Registration, scope::Scopes};
use ebp_survey::authority::{Authority, ClientRequest};
use uuid::Uuid;

use super::households::DemoHousehold;
use crate::{
    command::ca,
    exit::{CommandResult, Context, device as of_device, server},
};

/// A certificate for the participant, one for the device and one for its page, each with the scopes it
/// needs.
pub fn issue(
    authority: &Authority,
    household: &DemoHousehold,
    registration: &Registration,
    participant: Option<Uuid>,
) -> CommandResult {
    let folder = household.folder();
    fs::create_dir_all(folder).or_failed(folder.display())?;
    let device = Some(household.device);
    let page = household.page();
    page.make_folder().map_err(of_device::renewal)?;
    for (device, scopes, chain, key) in [
        (None, ca::usual_scopes(false), household.certificate.clone(), household.key.clone()),
        (device, ca::usual_scopes(true), folder.join("device.pem"), folder.join("device.key")),
        (device, Scopes::of_a_frontend(), page.certificate(), page.key()),
    ] {
        if chain.exists() {
            continue;
        }
        let request = ClientRequest {
            participant: participant.unwrap_or_default(),
            email: registration.participant.email.clone(),
            device,
            scopes,
            validity: std::time::Duration::from_secs(397 * 86_400),
        };
        authority
            .issue(&request)
            .and_then(|issued| issued.save(&chain, &key))
            .map_err(server::authority)?;
    }
    Ok(())
}
