//! The connection to the Data API.
//!
//! Enters: an identity. Leaves: a client that sends requests with it. Absent: which requests are
//! sent. A simulation replaces the network.

use std::sync::Arc;

use ebp_client::{Client, ClientError, ClientOptions, DeviceKey, identity::Identity};
use ebp_core::{
    contract::{DeviceCertificate, SignIn},
    model::Meter,
};

use crate::transmitter::DataApi;

/// The Data API as a device's daemons use it.
pub trait DeviceApi: DataApi + Send + Sync {
    /// The meters that this device reads, as the server knows them.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    fn device_meters(&self) -> Result<Vec<Meter>, ClientError>;

    /// The next certificate, for that key.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem. If its
    /// answer was lost, it may have issued the certificate, and issues it for the same key again.
    fn renew(&self, key: &DeviceKey) -> Result<DeviceCertificate, ClientError>;

    /// The first or next certificate of the device's page, for that key.
    ///
    /// # Errors
    /// As [`Self::renew`]: status 404 if the server is of an older version.
    fn frontend(&self, key: &DeviceKey) -> Result<DeviceCertificate, ClientError>;

    /// By what the sign-in code for the device's page is verified.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status 404
    /// if it is of an older version.
    fn sign_in(&self) -> Result<SignIn, ClientError>;
}

impl DeviceApi for Client {
    fn device_meters(&self) -> Result<Vec<Meter>, ClientError> {
        Self::device_meters(self)
    }

    fn renew(&self, key: &DeviceKey) -> Result<DeviceCertificate, ClientError> {
        Self::renew(self, key)
    }

    fn frontend(&self, key: &DeviceKey) -> Result<DeviceCertificate, ClientError> {
        Self::frontend(self, key)
    }

    fn sign_in(&self) -> Result<SignIn, ClientError> {
        Self::sign_in(self)
    }
}

/// Connects with an identity; a device does so again when its certificate was renewed.
pub trait Connect: Send + Sync {
    /// A client with that identity. Nothing is sent yet.
    ///
    /// # Errors
    /// Returns [`ClientError::InvalidUrl`] if the address is no HTTPS address, and
    /// [`ClientError::SetUp`] if TLS cannot be set up.
    fn connect(&self, identity: &Identity) -> Result<Arc<dyn DeviceApi>, ClientError>;
}

/// The network.
pub struct Network {
    /// The Data API's address.
    pub url: String,
    /// The settings of its client.
    pub options: ClientOptions,
}

impl Connect for Network {
    fn connect(&self, identity: &Identity) -> Result<Arc<dyn DeviceApi>, ClientError> {
        Ok(Arc::new(Client::new(&self.url, identity, self.options.clone())?))
    }
}
