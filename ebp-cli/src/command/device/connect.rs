//! The Data API as a device reaches it with its certificate.

use ebp_client::{Client, identity::Identity};
use ebp_device::config::Api;

use crate::{
    exit::{Failure, chain, device},
    tell::tell,
};

/// The device's client; a key that others can read is warned of.
pub fn connect(api: &Api) -> Result<Client, Failure> {
    // By a renewal the next key is private again, so that it is not held up by the mode of this one.
    let loaded = Identity::load_anyway(&api.certificate, &api.key, &api.ca).map_err(|error| {
        Failure::failed(chain(&error)).remedy("`ebp device enroll` makes the three files")
    })?;
    let (identity, exposed) = loaded;
    if let Some(exposed) = exposed {
        tell!("ebp: the device's key may be known to others: {exposed}");
    }
    Client::new(&api.url, &identity, api.client_options()).map_err(device::client)
}
