//! What the device tells of itself.

use reqwest::Method;

use crate::{Client, ClientError};
use ebp_core::contract::{DeviceStatus, paths};

impl Client {
    /// Tells the device's status. Telling the same again changes nothing.
    ///
    /// # Errors
    /// [`ClientError`]; a problem of status 403 where the certificate is not a device's, of 400
    /// where a meter is not one that this device reads.
    pub fn report_status(&self, status: &DeviceStatus) -> Result<(), ClientError> {
        let path = paths::DEVICE_STATUS;
        self.receive(path, self.request(Method::PUT, path).json(status)).map(drop)
    }
}
