//! A program's test of itself with a device's configuration, before services run it.
//!
//! Enters: a configuration file, a folder for a copy. Leaves: what was tried, or what this program
//! cannot do with that device. Absent: reading meters: their ports are in use.

use std::{fs, path::Path};

use ebp_client::{Client, ClientError, identity::Identity};

use crate::{
    config::DeviceConfig,
    device::DeviceError,
    spool::{FILE_NAME, Spool},
};

/// A spool that is larger is not copied, bytes.
const MOST_COPIED: u64 = 32 << 20;

/// What was tried.
#[derive(Debug)]
pub struct SelfTest {
    /// The spool, of which a copy was opened.
    pub spool: SpoolTest,
    /// Why the server was not reached; `None` if a secure connection was made.
    pub unreachable: Option<Box<ClientError>>,
}

/// What was tried of the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpoolTest {
    /// There is none.
    Missing,
    /// A copy of it was opened.
    Opened {
        /// How many measurements it holds that have to be sent.
        pending: u64,
    },
    /// It is too large for a copy.
    TooLarge {
        /// Its size, bytes.
        bytes: u64,
    },
}

/// Reads the configuration, opens a copy of the spool in the folder `scratch`, and connects to the
/// server. A server that cannot be reached is no failure: that is not this program's fault.
///
/// # Errors
/// Returns [`DeviceError`] when the configuration or a file that it names cannot be used, the spool's
/// copy cannot be opened, or the server and this device cannot agree on a secure connection.
pub fn self_test(config: &Path, scratch: &Path) -> Result<SelfTest, DeviceError> {
    let config = DeviceConfig::load(config)?;
    let spool = try_spool(&config, scratch)?;
    let api = &config.api;
    let identity = Identity::load(&api.certificate, &api.key, &api.ca)?;
    let client = Client::new(&api.url, &identity, api.client_options())?;
    let unreachable = match client.consent() {
        // Any answer came over a secure connection.
        Ok(_) | Err(ClientError::Problem { .. } | ClientError::ServerClockBehind { .. }) => None,
        Err(error @ ClientError::Unreachable { .. }) => Some(Box::new(error)),
        Err(error) => return Err(error.into()),
    };
    Ok(SelfTest { spool, unreachable })
}

fn try_spool(config: &DeviceConfig, scratch: &Path) -> Result<SpoolTest, DeviceError> {
    let size = fs::metadata(config.spool.join(FILE_NAME)).map_or(0, |metadata| metadata.len());
    if size > MOST_COPIED {
        return Ok(SpoolTest::TooLarge { bytes: size });
    }
    if !Spool::copy(&config.spool, scratch)? {
        return Ok(SpoolTest::Missing);
    }
    let copy = Spool::open_with(scratch, config.spool_options())?;
    Ok(SpoolTest::Opened { pending: copy.len()? })
}

/// Whether the server that a configuration names says whether consent is granted. An answer that it
/// cannot, or that this device is not authorized, would be given to any version of the program.
#[must_use]
pub fn reaches_server(config: &DeviceConfig) -> bool {
    let api = &config.api;
    let Ok(identity) = Identity::load(&api.certificate, &api.key, &api.ca) else { return false };
    Client::new(&api.url, &identity, api.client_options())
        .is_ok_and(|client| client.consent().is_ok())
}
