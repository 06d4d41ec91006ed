//! The way to the Data API.
//!
//! Enters: an identity. Leaves: what answers requests with it. Absent: which requests are made; a
//! simulation puts a way of its own in place of the network.

use std::sync::Arc;

use ebp_client::{Client, ClientError, ClientOptions, DeviceKey, identity::Identity};
use ebp_core::{contract::DeviceCertificate, model::Meter};

use crate::transmitter::DataApi;

/// The Data API as a device's daemons use it.
pub trait DeviceApi: DataApi + Send + Sync {
    /// The meters that this device reads, as the server knows them.
    ///
    /// # Errors
    /// [`ClientError`].
    fn device_meters(&self) -> Result<Vec<Meter>, ClientError>;

    /// The next certificate, for that key.
    ///
    /// # Errors
    /// [`ClientError`]; the server may have issued it nevertheless, and issues it for the same key
    /// again.
    fn renew(&self, key: &DeviceKey) -> Result<DeviceCertificate, ClientError>;
}

impl DeviceApi for Client {
    fn device_meters(&self) -> Result<Vec<Meter>, ClientError> {
        Self::device_meters(self)
    }

    fn renew(&self, key: &DeviceKey) -> Result<DeviceCertificate, ClientError> {
        Self::renew(self, key)
    }
}

/// Connects with an identity; a device does so again when its certificate was renewed.
pub trait Connect: Send + Sync {
    /// Whatever answers requests with that identity. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ClientError::InvalidUrl`], [`ClientError::SetUp`].
    fn connect(&self, identity: &Identity) -> Result<Arc<dyn DeviceApi>, ClientError>;
}

/// The network.
pub struct Network {
    /// The Data API's address.
    pub url: String,
    /// How its client behaves.
    pub options: ClientOptions,
}

impl Connect for Network {
    fn connect(&self, identity: &Identity) -> Result<Arc<dyn DeviceApi>, ClientError> {
        Ok(Arc::new(Client::new(&self.url, identity, self.options.clone())?))
    }
}
